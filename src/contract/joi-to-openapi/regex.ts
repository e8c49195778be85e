/**
 * Translates JavaScript regular expressions to patterns of JSON Schema, which have no flags and run
 * in Unicode mode. A pattern never rejects what the original accepts.
 */
import { type AST, RegExpParser } from '@eslint-community/regexpp';

/**
 * Matches text with a character beyond U+FFFF, which a RegExp without the `u` flag sees as two
 * units.
 */
export const ASTRAL = '[^\\u0000-\\uFFFF]';

/** Matches text with a character beyond ASCII. */
export const NON_ASCII = '[^\\u0000-\\u007F]';

/** Alternatives that only accept unusual input; messages leave them out. */
export const PERMISSIVE_PATTERNS: ReadonlySet<string> = new Set([ASTRAL, NON_ASCII]);

const LINE_BREAK = '[\\n\\r\\u2028\\u2029]';

/** The expression uses syntax that a pattern cannot express. */
class UnsupportedSyntax extends Error {}

/** A translated pattern. */
export interface Translated {
  readonly pattern: string;
  /**
   * Whether the pattern accepts exactly what the original accepts, including text beyond `\uFFFF`.
   */
  readonly exact: boolean;
}

/** The pattern for a RegExp literal such as `/^a/i`; undefined if it cannot be expressed. */
export function translate(literal: string): Translated | undefined {
  const end = literal.lastIndexOf('/');
  const source = literal.slice(1, end);
  const flags = literal.slice(end + 1);
  if (/[^dimsu]/.test(flags)) return undefined;
  try {
    const unicode = flags.includes('u');
    const pattern = new RegExpParser({ ecmaVersion: 2024 }).parsePattern(source, 0, source.length, {
      unicode,
    });
    const writer = new Writer(flags);
    const text = writer.alternatives(pattern.alternatives);
    const split = !unicode && writer.mayMatchHalves(pattern.alternatives);
    const translated = split ? `(?:${text})|${ASTRAL}` : text;
    new RegExp(translated, 'u');
    return { pattern: translated, exact: unicode || !writer.isWide(pattern.alternatives) };
  } catch (error) {
    if (error instanceof UnsupportedSyntax || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * The pattern for a text; `insensitive` ignores the case of letters. Undefined if it cannot be
 * expressed.
 */
export function literalPattern(text: string, insensitive: boolean): string | undefined {
  if (!insensitive) return escapeLiteral(text);
  // Beyond ASCII, the lower case may have another length, or more than one upper case.
  // The Kelvin sign also has the lower case `k`.
  return /^[\u0000-\u007f]*$/.test(text)
    ? [...text].map((char) => (/[a-z]/i.test(char) ? bothCases(char) : escapeLiteral(char))).join('')
    : undefined;
}

function bothCases(char: string): string {
  const kelvin = char.toLowerCase() === 'k' ? '\\u212A' : '';
  return `[${char.toLowerCase()}${char.toUpperCase()}${kelvin}]`;
}

function escapeLiteral(text: string): string {
  return text
    .replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escapeUnit);
}

function escapeUnit(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Rewrites an expression for Unicode mode without flags. */
class Writer {
  private readonly insensitive: boolean;
  private readonly multiline: boolean;
  private readonly dotAll: boolean;
  private readonly unicode: boolean;

  constructor(flags: string) {
    this.insensitive = flags.includes('i');
    this.multiline = flags.includes('m');
    this.dotAll = flags.includes('s');
    this.unicode = flags.includes('u');
  }

  alternatives(alternatives: readonly AST.Alternative[]): string {
    return alternatives
      .map(({ elements }) => elements.map((element) => this.element(element)).join(''))
      .join('|');
  }

  private element(element: AST.Element): string {
    switch (element.type) {
      case 'Assertion':
        return this.assertion(element);
      case 'Backreference':
        if (this.insensitive || Array.isArray(element.resolved)) throw new UnsupportedSyntax();
        return typeof element.ref === 'number' ? `(?:\\${element.ref})` : `\\k<${element.ref}>`;
      case 'CapturingGroup':
        return `(${element.name === null ? '' : `?<${element.name}>`}${this.alternatives(element.alternatives)})`;
      case 'Group':
        if (element.modifiers !== null) throw new UnsupportedSyntax();
        return `(?:${this.alternatives(element.alternatives)})`;
      case 'Quantifier':
        return this.quantifier(element);
      case 'Character':
        return this.character(element.value);
      case 'CharacterSet':
        return this.set(element);
      case 'CharacterClass':
        return this.characterClass(element);
      case 'ExpressionCharacterClass':
        throw new UnsupportedSyntax();
    }
  }

  private assertion(assertion: AST.Assertion): string {
    switch (assertion.kind) {
      case 'start':
        return this.multiline ? `(?:^|(?<=${LINE_BREAK}))` : '^';
      case 'end':
        return this.multiline ? `(?:$|(?=${LINE_BREAK}))` : '$';
      case 'word':
        if (this.insensitive && this.unicode) throw new UnsupportedSyntax();
        return assertion.negate ? '\\B' : '\\b';
      case 'lookahead':
        return `(?${assertion.negate ? '!' : '='}${this.alternatives(assertion.alternatives)})`;
      case 'lookbehind':
        return `(?<${assertion.negate ? '!' : '='}${this.alternatives(assertion.alternatives)})`;
    }
  }

  private quantifier({ element, min, max, greedy }: AST.Quantifier): string {
    // Without the `u` flag a lookahead may be quantified; one repetition is equivalent, or none if
    // it is optional.
    if (element.type === 'Assertion') return min === 0 ? '' : this.element(element);
    const count =
      min === 0 && max === Infinity
        ? '*'
        : min === 1 && max === Infinity
          ? '+'
          : min === 0 && max === 1
            ? '?'
            : `{${min}${max === min ? '' : `,${max === Infinity ? '' : max}`}}`;
    return this.element(element) + count + (greedy ? '' : '?');
  }

  private character(code: number): string {
    const cases = this.casesOf(code);
    return cases.length === 1 ? written(code) : `[${cases.map(writtenInClass).join('')}]`;
  }

  private casesOf(code: number): number[] {
    if (code >= 0xd800 && code <= 0xdfff) throw new UnsupportedSyntax();
    if (!this.insensitive) return [code];
    const char = String.fromCodePoint(code);
    if (code < 0x80 && !/[a-z]/i.test(char)) return [code];
    // With `u`, K and S have case variants beyond ASCII, where the case rules are too many to copy.
    if (code >= 0x80 || (this.unicode && /[ks]/i.test(char))) throw new UnsupportedSyntax();
    return [char.toUpperCase().charCodeAt(0), char.toLowerCase().charCodeAt(0)];
  }

  private set(set: AST.CharacterSet): string {
    switch (set.kind) {
      case 'any':
        return this.dotAll ? '[\\s\\S]' : '.';
      case 'digit':
        return set.negate ? '\\D' : '\\d';
      case 'space':
        return set.negate ? '\\S' : '\\s';
      case 'word':
        if (this.insensitive && this.unicode) throw new UnsupportedSyntax();
        return set.negate ? '\\W' : '\\w';
      case 'property':
        if (this.insensitive) throw new UnsupportedSyntax();
        return set.raw;
    }
  }

  private characterClass({ negate, elements }: AST.CharacterClass): string {
    const inner = elements.map((element) => {
      switch (element.type) {
        case 'Character':
          return this.casesOf(element.value).map(writtenInClass).join('');
        case 'CharacterClassRange':
          return this.range(element.min.value, element.max.value);
        case 'CharacterSet':
          return this.set(element);
        case 'CharacterClass':
        case 'ClassStringDisjunction':
        case 'ExpressionCharacterClass':
          throw new UnsupportedSyntax();
      }
    });
    if (inner.length === 0) return negate ? '[\\s\\S]' : '(?!)';
    return `[${negate ? '^' : ''}${inner.join('')}]`;
  }

  private range(min: number, max: number): string {
    // Without `u`, surrogates as bounds of a range, or inside it, match halves of characters.
    if (!this.unicode && max >= 0xd800) {
      if (min <= 0xd800 && max >= 0xdfff) return `${writtenInClass(min)}-${writtenInClass(max)}`;
      throw new UnsupportedSyntax();
    }
    const range = `${writtenInClass(min)}-${writtenInClass(max)}`;
    if (!this.insensitive) return range;
    if (max >= 0x80 || (this.unicode && ranges(min, max).some((part) => /[ks]/i.test(part))))
      throw new UnsupportedSyntax();
    return range + ranges(min, max).join('');
  }

  /**
   * Whether the expression, without `u`, may need two atoms for the two halves of one character. In
   * Unicode mode it would then match too little. Only atoms that accept almost anything match
   * halves.
   */
  mayMatchHalves(alternatives: readonly AST.Alternative[]): boolean {
    return alternatives.some(({ elements }) => this.wide(elements) > 1);
  }

  /** Whether any atom may match half of a character without `u`. */
  isWide(alternatives: readonly AST.Alternative[]): boolean {
    return alternatives.some(({ elements }) => elements.some((element) => this.holdsWide(element)));
  }

  private holdsWide(element: AST.Element): boolean {
    if (element.type === 'Quantifier') return this.holdsWide(element.element);
    if ('alternatives' in element) return this.isWide(element.alternatives);
    const wide = this.wideOf(element);
    return wide !== 'parts' && wide > 0;
  }

  /** Maximum number of adjacent mandatory wide atoms. */
  private wide(elements: readonly AST.Element[]): number {
    let run = 0;
    let most = 0;
    for (const element of elements) {
      const wide = this.wideOf(element);
      run = wide === 'parts' ? 0 : run + wide;
      most = Math.max(most, run);
    }
    return most;
  }

  private wideOf(element: AST.Element): number | 'parts' {
    switch (element.type) {
      case 'Assertion':
        if (element.kind !== 'lookahead' && element.kind !== 'lookbehind') return 0;
        return this.most(element.alternatives) > 0 ? 2 : 0;
      case 'Backreference':
        return 2;
      case 'CapturingGroup':
      case 'Group':
        return this.most(element.alternatives);
      case 'Quantifier': {
        const inner = this.wideOf(element.element);
        if (inner === 'parts') return element.min > 0 ? 'parts' : 0;
        // Two per repetition are too many, even if the repetition is optional.
        return inner > 1 ? 2 : inner * Math.min(element.min, 2);
      }
      case 'Character':
        return 'parts';
      case 'CharacterSet':
        return element.kind === 'any' ||
          ('negate' in element && element.negate) ||
          element.kind === 'property'
          ? 1
          : 'parts';
      case 'CharacterClass':
        return element.negate || element.elements.some((inner) => isWide(inner)) ? 1 : 'parts';
      case 'ExpressionCharacterClass':
        return 2;
    }
  }

  private most(alternatives: readonly AST.Alternative[]): number {
    return Math.max(0, ...alternatives.map(({ elements }) => this.wide(elements)));
  }
}

function isWide(element: AST.CharacterClassElement): boolean {
  if (element.type === 'CharacterClassRange') return element.max.value >= 0xd800;
  return element.type === 'CharacterSet' && 'negate' in element && element.negate;
}

/** The letters of the other case in an ASCII range, as ranges. */
function ranges(min: number, max: number): string[] {
  const found: string[] = [];
  for (const [from, to, other] of [
    [0x41, 0x5a, 32],
    [0x61, 0x7a, -32],
  ] as const) {
    const start = Math.max(min, from);
    const end = Math.min(max, to);
    if (start <= end) found.push(`${writtenInClass(start + other)}-${writtenInClass(end + other)}`);
  }
  return found;
}

function written(code: number): string {
  return code > 0xffff ? `\\u{${code.toString(16)}}` : escapeLiteral(String.fromCharCode(code));
}

function writtenInClass(code: number): string {
  if (code > 0xffff) return `\\u{${code.toString(16)}}`;
  const char = String.fromCharCode(code);
  return /[\\\]^-]/.test(char)
    ? `\\${char}`
    : code < 0x20 || (code > 0x7e && code < 0xa0) || code >= 0xd800
      ? escapeUnit(char)
      : char;
}
