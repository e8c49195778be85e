/** Texts that match a regular expression. The caller checks them: assertions are not considered. */
import { type AST, RegExpParser } from '@eslint-community/regexpp';
import type { Random } from './random.ts';

/** Characters that are tried for a class or set, in groups by preference. */
const CANDIDATES = [
  'abcdefghijklmnopqrstuvwxyz0123456789',
  'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  '-_.:/@ +,;=!#$%&\'()*<>?[]^`{|}~"\\',
  'éßñЖ漢あ😀\t\n\u00a0',
].map((group) => [...group]);

/** Maximum length of a text, which nested quantifiers could otherwise exceed by far. */
const MAX_LENGTH = 5000;

/**
 * Returns a text that a pattern matches, apart from its assertions.
 *
 * @param extra how many repetitions beyond the minimum each quantifier gets, at most.
 * @returns undefined if the pattern cannot be parsed, or its text is too long.
 */
export function patternText(pattern: string, random: Random, extra: number): string | undefined {
  const parsed = parse(pattern);
  return parsed === undefined ? undefined : new Writer(parsed.unicode, random, extra).text(parsed.pattern);
}

function parse(pattern: string): { pattern: AST.Pattern; unicode: boolean } | undefined {
  for (const unicode of [true, false]) {
    try {
      const parser = new RegExpParser({ ecmaVersion: 2024 });
      return { pattern: parser.parsePattern(pattern, 0, pattern.length, { unicode }), unicode };
    } catch {
      // JSON Schema requires the Unicode mode, but many documents need the other one.
    }
  }
  return undefined;
}

class TooLong extends Error {}

class Writer {
  private written = '';
  private readonly groups = new Map<AST.CapturingGroup, string>();

  constructor(
    private readonly unicode: boolean,
    private readonly random: Random,
    private readonly extra: number,
  ) {}

  text(pattern: AST.Pattern): string | undefined {
    try {
      this.oneOf(pattern.alternatives);
      return this.written;
    } catch (error) {
      if (error instanceof TooLong) return undefined;
      throw error;
    }
  }

  private oneOf(alternatives: readonly AST.Alternative[]): void {
    if (alternatives.length === 0) return;
    for (const element of this.random.pick(alternatives).elements) this.element(element);
  }

  private element(element: AST.Element): void {
    if (this.written.length > MAX_LENGTH) throw new TooLong();
    switch (element.type) {
      case 'Quantifier':
        this.repeated(element);
        break;
      case 'Group':
        this.oneOf(element.alternatives);
        break;
      case 'CapturingGroup': {
        const start = this.written.length;
        this.oneOf(element.alternatives);
        this.groups.set(element, this.written.slice(start));
        break;
      }
      case 'Character':
        this.written += String.fromCodePoint(element.value);
        break;
      case 'CharacterSet':
      case 'CharacterClass':
      case 'ExpressionCharacterClass':
        this.written += this.character(element.raw);
        break;
      case 'Backreference': {
        const [group] = [element.resolved].flat();
        this.written += (group && this.groups.get(group)) ?? '';
        break;
      }
      case 'Assertion':
        break;
    }
  }

  private repeated({ min, max, element }: AST.Quantifier): void {
    const count = this.random.integer(min, Math.min(max, min + this.extra));
    for (let index = 0; index < count; index += 1) this.element(element);
  }

  /** Returns a character that a class or set matches. */
  private character(raw: string): string {
    const regex = new RegExp(`^${raw}$`, this.unicode ? 'u' : '');
    for (const group of CANDIDATES) {
      const matching = group.filter((one) => regex.test(one));
      if (matching.length > 0) return this.random.pick(matching);
    }
    return '';
  }
}
