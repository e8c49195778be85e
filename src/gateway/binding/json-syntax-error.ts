/**
 * Finds the position of a JSON syntax error (RFC 8259). Messages of `JSON.parse` often do not
 * contain it.
 *
 * The package `jsonc-parser` 3.3.1 is recursive: 10,000 opening brackets, a body of 10 kB, exhaust
 * the stack. For an unterminated string or a control character it returns the start of the string.
 */

const SPACE = /[ \t\n\r]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})[^"\\\u0000-\u001f]*)*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

/** What the grammar permits at a position. */
type Expected = 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma or end';

/** The end of the match of a sticky expression at a position; -1 if it does not match. */
function endOfMatch(expression: RegExp, text: string, position: number): number {
  expression.lastIndex = position;
  return expression.test(text) ? expression.lastIndex : -1;
}

/** Scans a text up to its first syntax error. */
class SyntaxScanner {
  private readonly open: ('{' | '[')[] = [];
  private expected: Expected = 'value';
  private position = 0;

  constructor(private readonly text: string) {}

  /**
   * The position of the first unexpected character; the length of the text if it is incomplete or
   * valid.
   */
  errorPosition(): number {
    for (;;) {
      this.position = endOfMatch(SPACE, this.text, this.position);
      if (this.position >= this.text.length) return this.text.length;
      if (!this.step(this.text[this.position] ?? '')) return this.position;
    }
  }

  private step(accept: string): boolean {
    switch (this.expected) {
      case 'colon':
        return this.char(accept === ':', 'value');
      case 'comma or end':
        if (accept === ',' && this.open.length > 0)
          return this.char(true, this.inObject() ? 'name' : 'value');
        return this.end(accept);
      case 'name or end':
      case 'name':
        if (accept === '}' && this.expected === 'name or end') return this.end(accept);
        return accept === '"' && this.token(STRING, 'colon');
      case 'value or end':
      case 'value':
        if (accept === ']' && this.expected === 'value or end') return this.end(accept);
        return this.value(accept);
    }
  }

  private value(char: string): boolean {
    if (char === '{' || char === '[') {
      this.open.push(char);
      return this.char(true, char === '{' ? 'name or end' : 'value or end');
    }
    if (char === '"') return this.token(STRING, 'comma or end');
    return this.token(/[-\d]/.test(char) ? NUMBER : WORD, 'comma or end');
  }

  /** Accepts one character. */
  private char(fits: boolean, expected: Expected): boolean {
    if (!fits) return false;
    this.position += 1;
    this.expected = expected;
    return true;
  }

  /** Accepts a string, number or keyword. A string must have its closing quote. */
  private token(expression: RegExp, expected: Expected): boolean {
    const end = endOfMatch(expression, this.text, this.position);
    if (end === -1) return false;
    this.position = end;
    if (expression !== STRING) {
      this.expected = expected;
      return true;
    }
    return this.char(this.text[end] === '"', expected);
  }

  private end(char: string): boolean {
    const fits = this.open.at(-1) === (char === '}' ? '{' : '[') && (char === '}' || char === ']');
    if (fits) this.open.pop();
    return this.char(fits, 'comma or end');
  }

  private inObject(): boolean {
    return this.open.at(-1) === '{';
  }
}

/** Describes the syntax error of a text that is not JSON, with its position. */
export function describeSyntaxError(text: string): string {
  const position = new SyntaxScanner(text).errorPosition();
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = position - before.lastIndexOf('\n');
  const char = String.fromCodePoint(text.codePointAt(position) ?? 0);
  const what = position >= text.length ? 'ends too early' : `has an unexpected ${JSON.stringify(char)}`;
  return `is not JSON: it ${what}, at position ${position} (line ${line}, column ${column})`;
}
