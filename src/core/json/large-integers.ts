/**
 * Parses JSON for handlers and callers, with a choice for integers beyond 2^53, which doubles do
 * not represent exactly.
 *
 * As in Python, an integer is a number without a fraction and an exponent: 1e400 and 1.0 are
 * floats.
 */
import { ZeroMQConfigError } from '../messages/errors.ts';
import { MAX_NUMBER_LENGTH, parseNumbers, someNumber } from './exact-json.ts';

const LARGE_INTEGERS = ['number', 'bigint', 'string'] as const;

/**
 * Type for JSON integers whose absolute value exceeds `Number.MAX_SAFE_INTEGER` (2^53 - 1):
 * - `number`: the nearest double, like `JSON.parse`: 9007199254740993 becomes 9007199254740992.
 * - `bigint`: a bigint with the same value.
 * - `string`: a string with the same digits.
 *
 * All other numbers are a `number`.
 */
export type LargeIntegers = (typeof LARGE_INTEGERS)[number];

/** Parses a JSON text. */
export type ReadJson = (text: string) => unknown;

/** Integers beyond 2^53 have at least this many digits. */
const LONG_DIGITS = /\d{16}/;
const INTEGER = /^-?\d{16,}$/;

/**
 * Creates the parser for an option.
 *
 * @returns a function that throws SyntaxError when the text is not JSON, and RangeError for a
 * bigint of more than 4,300 digits, or for a large integer in a text that is nested some thousand
 * levels deep.
 * @throws {ZeroMQConfigError} when the option has another value.
 */
export function jsonReader(option: LargeIntegers = 'number'): ReadJson {
  if (!LARGE_INTEGERS.includes(option)) {
    throw new ZeroMQConfigError(
      `largeIntegers must be ${LARGE_INTEGERS.map((one) => `'${one}'`).join(', ')}, got ${String(option)}`,
    );
  }
  if (option === 'number') return parsePlain;
  const large = option === 'bigint' ? toBigInt : String;
  const read = (number: string): unknown => (isLarge(number) ? large(number) : Number(number));
  return (text) => {
    const value = parsePlain(text);
    if (!LONG_DIGITS.test(text) || !someNumber(Buffer.from(text), isLarge)) return value;
    return parseDeep(text, read);
  };
}

function parsePlain(text: string): unknown {
  return JSON.parse(text);
}

function parseDeep(text: string, read: (number: string) => unknown): unknown {
  try {
    return parseNumbers(text, read);
  } catch (error) {
    // The parser is recursive.
    if (error instanceof RangeError && !(error instanceof LongIntegerError))
      throw new RangeError('it is nested too deeply to read its large integers', { cause: error });
    throw error;
  }
}

function isLarge(number: string): boolean {
  return INTEGER.test(number) && !Number.isSafeInteger(Number(number));
}

class LongIntegerError extends RangeError {}

function toBigInt(number: string): bigint {
  if (number.length > MAX_NUMBER_LENGTH)
    throw new LongIntegerError(`it has an integer of more than ${MAX_NUMBER_LENGTH} characters`);
  return BigInt(number);
}
