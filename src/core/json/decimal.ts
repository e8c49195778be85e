/**
 * core/json: JSON beyond `JSON.parse` and `JSON.stringify`. Numbers with all their digits, and
 * values that would be lost silently.
 */

/**
 * Decimal arithmetic on JSON numbers with all their digits. A double stands for the decimal that it
 * is written as, so 19.99 is a multiple of 0.01. The cost depends on the number of digits, not on
 * the size of the exponent.
 */
import { compareNumber, splitNumber } from 'lossless-json';
import { ExactNumber, MAX_NUMBER_LENGTH, numberLoss } from './exact-json.ts';

export type Decimal = number | ExactNumber;

/** Compares two numbers: negative when the first is less, positive when it is greater, else 0. */
export function compareDecimals(first: Decimal, second: Decimal): number {
  if (typeof first === 'number' && typeof second === 'number') return first - second;
  return compareNumber(String(first), String(second));
}

/** Whether a number is an integer. */
export function isWhole(value: Decimal): boolean {
  if (typeof value === 'number') return Number.isInteger(value);
  const { digits, exponent } = splitNumber(value.text);
  return exponent >= digits.length - 1;
}

/** Whether a number is a multiple of a positive number. Returns false for too many digits. */
export function isMultiple(value: Decimal, of: Decimal): boolean {
  if (
    typeof value === 'number' &&
    typeof of === 'number' &&
    Number.isInteger(of) &&
    Number.isInteger(value)
  ) {
    return value % of === 0;
  }
  // Parsing a bigint takes time quadratic in its digits.
  if (String(value).length > MAX_NUMBER_LENGTH) return false;
  const whole = scaled(value);
  const unit = scaled(of);
  if (whole.digits === 0n) return true;
  const power = whole.power - unit.power;
  // `whole` has no trailing zero, so it cannot be a multiple of a unit with fewer decimal places.
  if (power < 0) return false;
  // Higher powers of ten add no factor of two or five that `unit` could have.
  const most = unit.digits.toString(2).length;
  return (whole.digits * powerModulo(10n, Math.min(power, most), unit.digits)) % unit.digits === 0n;
}

/** A text that is the same for all equal numbers: that of the double if it is exact. */
export function canonicalExact(value: ExactNumber): string {
  const loss = numberLoss(value.text);
  if (loss !== 'value') return JSON.stringify(Number(value.text));
  const { sign, digits, exponent } = splitNumber(value.text);
  return `${sign}${digits}e${exponent}`;
}

/** Splits a number into digits without trailing zeros and a power of ten. The sign is dropped. */
function scaled(value: Decimal): { digits: bigint; power: number } {
  const { digits, exponent } = splitNumber(String(value));
  return { digits: BigInt(digits), power: exponent - digits.length + 1 };
}

function powerModulo(base: bigint, exponent: number, modulus: bigint): bigint {
  let result = 1n % modulus;
  let factor = base % modulus;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = (result * factor) % modulus;
    factor = (factor * factor) % modulus;
  }
  return result;
}

/** At and above this value, all doubles are integers and the integer formats end. */
const LARGE = 1e21;

/**
 * A double in place of an exact number, for checks of its type and of the range of integer formats:
 * an integer if the number is one, and then the greatest double that does not exceed it.
 */
export function standIn({ text }: ExactNumber): number {
  if (!isWhole(new ExactNumber(text))) return 0.5;
  const nearest = Number(text);
  if (Math.abs(nearest) >= LARGE) return Math.sign(nearest) * Math.min(Math.abs(nearest), Number.MAX_VALUE);
  const { sign, digits, exponent } = splitNumber(text);
  const exact = BigInt(sign + digits.padEnd(exponent + 1, '0'));
  return BigInt(nearest) > exact ? before(nearest) : nearest;
}

/** The next smaller double of a double other than zero. */
function before(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? -1n : 1n));
  return view.getFloat64(0);
}
