/** Numbers within the bounds of a schema. */
import { type JsonObject, member } from '../../contract/json.ts';
import type { Random } from './random.ts';

/** The bounds of a schema of numbers. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Distance of allowed numbers from each other; 0 if any number is allowed. */
  readonly step: number;
}

/** Bounds of numbers without any, small enough to read and to be exact. */
const USUAL = 1000;
const INT32 = 2 ** 31;

/** Distance from an exclusive bound for numbers that need not be integers. */
const CLOSE = 0.5;

/** Returns the bounds of a schema. `-Infinity` and `Infinity` stand for none. */
export function boundsOf(flat: JsonObject, integer: boolean): Bounds {
  const of = (keyword: string): number | undefined => {
    const value = member(flat, keyword);
    return value === undefined ? undefined : Number(value);
  };
  const multiple = of('multipleOf');
  const step = multiple === undefined ? (integer ? 1 : 0) : integer && multiple < 1 ? 1 : multiple;
  const gap = step === 0 ? CLOSE : step;
  const above = of('exclusiveMinimum');
  const below = of('exclusiveMaximum');
  const int32 = member(flat, 'format') === 'int32';
  const min = Math.max(
    of('minimum') ?? -Infinity,
    above === undefined ? -Infinity : nextAbove(above, gap),
    int32 ? -INT32 : -Infinity,
  );
  const max = Math.min(
    of('maximum') ?? Infinity,
    below === undefined ? Infinity : nextBelow(below, gap),
    int32 ? INT32 - 1 : Infinity,
  );
  // Close exclusive bounds leave a number between them.
  if (step === 0 && min > max && above !== undefined && below !== undefined && above < below) {
    return { min: (above + below) / 2, max: (above + below) / 2, step };
  }
  return { min: aligned(min, step, Math.ceil), max: aligned(max, step, Math.floor), step };
}

/** Returns a number within the bounds of a schema; undefined if there is none. */
export function numberOf(flat: JsonObject, integer: boolean, random: Random): number | undefined {
  const { min, max, step } = boundsOf(flat, integer);
  if (min > max) return undefined;
  const low = Number.isFinite(min) ? min : Math.min(max, 0) - (max <= 0 ? USUAL : 0);
  const high = Math.min(max, low + USUAL * (step > 1 ? step : 1));
  if (step === 0) return Math.min(high, rounded(low + random.next() * (high - low)));
  const start = Number.isFinite(min) ? low : aligned(low, step, Math.ceil);
  const count = Math.max(0, Math.floor(rounded((high - start) / step)));
  return rounded(start + random.integer(0, count) * step);
}

function nextAbove(bound: number, gap: number): number {
  return gap === CLOSE ? bound + gap : (Math.floor(rounded(bound / gap)) + 1) * gap;
}

function nextBelow(bound: number, gap: number): number {
  return gap === CLOSE ? bound - gap : (Math.ceil(rounded(bound / gap)) - 1) * gap;
}

function aligned(value: number, step: number, round: (value: number) => number): number {
  return step === 0 || !Number.isFinite(value) ? value : rounded(round(rounded(value / step)) * step);
}

/** Removes the error of binary fractions: 0.1 * 3 is 0.3. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(12));
}
