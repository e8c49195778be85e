/** Where a text stops being JSON (RFC 8259). The engine's own parser mostly does not say. */

const SPACE = /[ \t\n\r]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})[^"\\\u0000-\u001f]*)*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

/** What may stand at a place. */
type Expected = 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma or end';

/** Position after the match of a sticky expression at a position; -1 when there is none. */
function endOfMatch(expression: RegExp, text: string, position: number): number {
  expression.lastIndex = position;
  return expression.test(text) ? expression.lastIndex : -1;
}

/** Reads a text as far as it is JSON. */
class SyntaxScanner {
  private readonly open: ('{' | '[')[] = [];
  private expected: Expected = 'value';
  private position = 0;

  constructor(private readonly text: string) {}

  /** The position of the first sign that cannot be; the length of the text when it ends too early, or is JSON. */
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
        return this.sign(accept === ':', 'value');
      case 'comma or end':
        if (accept === ',' && this.open.length > 0)
          return this.sign(true, this.inObject() ? 'name' : 'value');
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

  private value(sign: string): boolean {
    if (sign === '{' || sign === '[') {
      this.open.push(sign);
      return this.sign(true, sign === '{' ? 'name or end' : 'value or end');
    }
    if (sign === '"') return this.token(STRING, 'comma or end');
    return this.token(/[-\d]/.test(sign) ? NUMBER : WORD, 'comma or end');
  }

  /** Takes one sign. */
  private sign(fits: boolean, expected: Expected): boolean {
    if (!fits) return false;
    this.position += 1;
    this.expected = expected;
    return true;
  }

  /** Takes a text, number or word; a text must have its closing quote. */
  private token(expression: RegExp, expected: Expected): boolean {
    const end = endOfMatch(expression, this.text, this.position);
    if (end === -1) return false;
    this.position = end;
    if (expression !== STRING) {
      this.expected = expected;
      return true;
    }
    return this.sign(this.text[end] === '"', expected);
  }

  private end(sign: string): boolean {
    const fits = this.open.at(-1) === (sign === '}' ? '{' : '[') && (sign === '}' || sign === ']');
    if (fits) this.open.pop();
    return this.sign(fits, 'comma or end');
  }

  private inObject(): boolean {
    return this.open.at(-1) === '{';
  }
}

/** Says where a text that is no JSON stops being it. */
export function describeSyntaxError(text: string): string {
  const position = new SyntaxScanner(text).errorPosition();
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = position - before.lastIndexOf('\n');
  const sign = String.fromCodePoint(text.codePointAt(position) ?? 0);
  const what = position >= text.length ? 'ends too early' : `has ${JSON.stringify(sign)} where it cannot be`;
  return `is not JSON: it ${what}, at position ${position} (line ${line}, column ${column})`;
}
