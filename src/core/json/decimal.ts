/**
 * Arithmetic on JSON numbers as decimals, with all their digits. A double stands for the decimal that it is written
 * as, so 19.99 is a multiple of 0.01. The cost is bounded by the number of digits, however large an exponent is.
 */
import { compareNumber, splitNumber } from 'lossless-json';
import { ExactNumber, MAX_NUMBER_LENGTH, numberLoss } from './exact-json.ts';

export type Decimal = number | ExactNumber;

/** Negative when the first number is less than the second, positive when it is greater. */
export function compareDecimals(first: Decimal, second: Decimal): number {
  if (typeof first === 'number' && typeof second === 'number') return first - second;
  return compareNumber(String(first), String(second));
}

/** Whether a number has no fraction. */
export function isWhole(value: Decimal): boolean {
  if (typeof value === 'number') return Number.isInteger(value);
  const { digits, exponent } = splitNumber(value.text);
  return exponent >= digits.length - 1;
}

/** Whether a number is a multiple of another one, which is above zero. One of too many digits counts as none. */
export function isMultiple(value: Decimal, of: Decimal): boolean {
  if (
    typeof value === 'number' &&
    typeof of === 'number' &&
    Number.isInteger(of) &&
    Number.isInteger(value)
  ) {
    return value % of === 0;
  }
  // Reading a bigint takes time that is quadratic in its digits.
  if (String(value).length > MAX_NUMBER_LENGTH) return false;
  const whole = scaled(value);
  const unit = scaled(of);
  if (whole.digits === 0n) return true;
  const power = whole.power - unit.power;
  // The digits of `whole` do not end in zero, so no fraction of a unit's last digit can divide them.
  if (power < 0) return false;
  // Powers of ten beyond this one add no factor of two or five that `unit` could have.
  const most = unit.digits.toString(2).length;
  return (whole.digits * powerModulo(10n, Math.min(power, most), unit.digits)) % unit.digits === 0n;
}

/** A text that an exact number has in common with all equal numbers: that of the double where one holds it. */
export function canonicalExact(value: ExactNumber): string {
  const loss = numberLoss(value.text);
  if (loss !== 'value') return JSON.stringify(Number(value.text));
  const { sign, digits, exponent } = splitNumber(value.text);
  return `${sign}${digits}e${exponent}`;
}

/** A number as digits that do not end in zero, times a power of ten; the sign is left out. */
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

/** Above this, every double is whole and formats of numbers end. */
const LARGE = 1e21;

/**
 * A double that stands for an exact number where only its type and the range of an integer format matter: whole if
 * the number is whole, and then the greatest double that is not above it.
 */
export function standIn({ text }: ExactNumber): number {
  if (!isWhole(new ExactNumber(text))) return 0.5;
  const nearest = Number(text);
  if (Math.abs(nearest) >= LARGE) return Math.sign(nearest) * Math.min(Math.abs(nearest), Number.MAX_VALUE);
  const { sign, digits, exponent } = splitNumber(text);
  const exact = BigInt(sign + digits.padEnd(exponent + 1, '0'));
  return BigInt(nearest) > exact ? before(nearest) : nearest;
}

/** The next double below one that is not zero. */
function before(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? -1n : 1n));
  return view.getFloat64(0);
}
