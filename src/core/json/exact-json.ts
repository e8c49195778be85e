/**
 * JSON with exact numbers: RFC 8259, section 6, allows numbers of any size and precision.
 *
 * `JSON.parse` turns every number into a double: 9007199254740993 becomes 9007199254740992, 1e400
 * becomes Infinity, 1.0 becomes 1. A scan of the text finds such numbers. Only texts that have one
 * go through the slower parser, which returns an {@link ExactNumber} where a double is not exact.
 */
import { compareNumber, parse, stringify } from 'lossless-json';

/** A JSON number that a double cannot represent, or would be written differently. */
export class ExactNumber {
  /** @param text the number as written in the JSON text. */
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }

  /**
   * Returns the text, so that `JSON.stringify` (in a log, for instance) never shows another number.
   */
  toJSON(): string {
    return this.text;
  }
}

/**
 * What a conversion to a double changes about a number:
 * - `none`: nothing.
 * - `spelling`: its text, but not its value (`1.0`, `1E2`, `-0`).
 * - `value`: its value (`9007199254740993`, `1e400`).
 */
export type NumberLoss = 'none' | 'spelling' | 'value';

/**
 * Numbers with at most this many digits are exact as doubles (ECMA-262, Number::toString; IEEE 754
 * binary64).
 */
const SAFE_DIGITS = 15;

const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;

/** What a conversion to a double changes about the number in a JSON text. */
export function numberLoss(text: string): NumberLoss {
  const number = Number(text);
  const written = String(number);
  if (written === text) return 'none';
  return Number.isFinite(number) && compareNumber(written, text) === 0 ? 'spelling' : 'value';
}

/** Converts a number; exact if a double would change its text. */
export function exactNumber(text: string): number | ExactNumber {
  const number = Number(text);
  return String(number) === text ? number : new ExactNumber(text);
}

/**
 * Finds the end of the number that starts at a position.
 * @returns the position after it; its complement (`~end`) if a double might change the number.
 */
export function numberEnd(bytes: Buffer, start: number): number {
  const first = bytes[start] === MINUS ? start + 1 : start;
  let digits = 0;
  let zero = false;
  let point = false;
  let exponent = false;
  let index = first;
  for (; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte >= ZERO && byte <= NINE) {
      digits += 1;
      zero = byte === ZERO;
    } else if (byte === POINT) point = true;
    else if (byte === 0x65 || byte === 0x45) exponent = true;
    else if (byte !== MINUS && byte !== PLUS) break;
  }
  // Doubles write 1.0 as 1, -0 as 0, and numbers below 0.000001 with an exponent.
  const changed = point ? zero || isTiny(bytes, first) : bytes[first] === ZERO && first > start;
  return exponent || digits > SAFE_DIGITS || changed ? ~index : index;
}

function isTiny(bytes: Buffer, first: number): boolean {
  return bytes[first] === ZERO && bytes[first + 2] === ZERO && bytes[first + 3] === ZERO;
}

/**
 * The greatest change that doubles make to any number of a JSON text.
 */
export function numberLossIn(bytes: Buffer): NumberLoss {
  let loss: NumberLoss = 'none';
  someNumber(bytes, (number) => {
    const own = numberLoss(number);
    if (own !== 'none') loss = own;
    return own === 'value';
  });
  return loss;
}

/**
 * Whether a number in a JSON text passes a test. Only numbers that a double might change are
 * tested.
 */
export function someNumber(bytes: Buffer, test: (number: string) => boolean): boolean {
  const { length } = bytes;
  for (let index = 0; index < length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte === QUOTE) {
      index += 1;
      while (index < length && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1;
    } else if (startsNumber(byte)) {
      const end = numberEnd(bytes, index);
      if (end < 0 && test(bytes.toString('latin1', index, ~end))) return true;
      index = (end < 0 ? ~end : end) - 1;
    }
  }
  return false;
}

/** Whether a byte outside a string starts a number. */
export function startsNumber(byte: number): boolean {
  return byte === MINUS || (byte >= ZERO && byte <= NINE);
}

/** The greater of a loss and the loss of the number between two positions. */
export function addLoss(loss: NumberLoss, bytes: Buffer, start: number, end: number): NumberLoss {
  if (loss === 'value') return loss;
  const own = numberLoss(bytes.toString('latin1', start, end));
  return own === 'none' ? loss : own;
}

/**
 * Maximum length of a number that the gateway checks or rewrites; Python rejects integers with more
 * digits.
 */
export const MAX_NUMBER_LENGTH = 4300;

/**
 * Parses a JSON text. Numbers that a double would change become {@link ExactNumber}.
 * @param keep which numbers become exact: those whose `value` a double changes, or also those whose
 * `spelling` it changes.
 * @throws {SyntaxError} when the text is not JSON.
 * @throws {RangeError} when it has such a number and is nested some thousand levels deep.
 */
export function parseExact(text: string, keep: 'value' | 'spelling' = 'value'): unknown {
  const loss = numberLossIn(Buffer.from(text));
  if (loss === 'none' || (loss === 'spelling' && keep === 'value')) return JSON.parse(text);
  return parseNumbers(text, keep === 'value' ? exactValue : exactNumber);
}

/**
 * Parses a JSON text with a custom conversion of numbers; slower than `JSON.parse`.
 * @param read converts the text of each number.
 * @throws the same errors as {@link parseExact}.
 */
export function parseNumbers(text: string, read: (number: string) => unknown): unknown {
  return parse(text, undefined, {
    parseNumber: read,
    // Like JSON.parse, the last of several members with one name wins.
    onDuplicateKey: ({ newValue }) => newValue,
  });
}

function exactValue(text: string): number | ExactNumber {
  return numberLoss(text) === 'value' ? new ExactNumber(text) : Number(text);
}

const WRITERS = [
  {
    test: (value: unknown): boolean => value instanceof ExactNumber,
    stringify: (value: unknown): string => (value as ExactNumber).text,
  },
];

/**
 * Whether a JSON value is or contains a number that `JSON.stringify` cannot write: exact, or a
 * bigint.
 */
export function holdsExact(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint';
  if (Array.isArray(value)) return value.some(holdsExact);
  return value instanceof ExactNumber || Object.values(value).some(holdsExact);
}

/** Serializes a JSON value like `JSON.stringify`, with all digits of exact numbers and bigints. */
export function stringifyExact(value: unknown): string {
  return holdsExact(value) ? stringifyNumbers(value) : (JSON.stringify(value) ?? 'null');
}

/** Like {@link stringifyExact}, including bigints from `toJSON`; slower than `JSON.stringify`. */
export function stringifyNumbers(value: unknown): string {
  return stringify(value, undefined, undefined, WRITERS) ?? 'null';
}
