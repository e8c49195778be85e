/** Texts of the length, pattern and format that a schema requires. */
import { type JsonObject, member, textOf } from '../../contract/json.ts';
import { compilePattern } from '../checks/patterns.ts';
import { formatted } from './formats.ts';
import { patternText } from './pattern-text.ts';
import type { Random } from './random.ts';

/** `ascii` for values of headers, which have visible ASCII characters only. */
export type Characters = 'any' | 'ascii';

/** Options of {@link textFor}. */
export interface TextOptions {
  /** Whether the text is as short as it may be. */
  readonly short: boolean;
  readonly characters: Characters;
}

/** Maximum length that a bound may demand. */
const MAX_LENGTH = 100_000;

/** Repetitions beyond the minimum that the quantifiers of a pattern get, in the order of attempts. */
const EXTRA = [0, 2, 1, 4, 8, 16, 64, 256];
const ATTEMPTS = 6;

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** One UTF-16 unit each, so that all ways of counting agree. */
const BEYOND_ASCII = [...'éßñЖ漢あ'];

/** Returns a text that fits, or undefined if none was found. */
export function textFor(flat: JsonObject, random: Random, options: TextOptions): string | undefined {
  const min = Number(member(flat, 'minLength') ?? 0);
  const max = Number(member(flat, 'maxLength') ?? Infinity);
  if (min > max || min > MAX_LENGTH) return undefined;
  const fits = (text: string): boolean => lengthOf(text) >= min && lengthOf(text) <= max;
  const pattern = textOf(flat, 'pattern');
  if (pattern !== undefined) {
    const matcher = compilePattern(pattern);
    for (const extra of [...EXTRA, min]) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const text = patternText(pattern, random, extra);
        if (text !== undefined && fits(text) && matcher.test(text)) return text;
      }
    }
    return undefined;
  }
  const format = textOf(flat, 'format');
  const known = format === undefined ? undefined : formatted(format, random);
  if (known !== undefined && fits(known)) return known;
  const encoding = textOf(flat, 'contentEncoding');
  if (encoding === 'base64') return Buffer.from(plain(random, 3, options)).toString('base64');
  const length = options.short ? Math.max(min, 1) : Math.max(min, Math.min(max, random.integer(4, 10)));
  return plain(random, Math.min(max, length), options);
}

/** Returns a text of a length, in code points. */
function plain(random: Random, length: number, { characters, short }: TextOptions): string {
  let text = '';
  const rich = characters === 'any' && !short && random.next() < 0.2;
  for (let index = 0; index < length; index += 1) {
    text += rich && random.next() < 0.3 ? random.pick(BEYOND_ASCII) : LETTERS[random.integer(0, 25)];
  }
  return text;
}

/** The length of a text in code points, as JSON Schema counts it. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
