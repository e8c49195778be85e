/** Statistics for the reports. */

/** Returns the median, or NaN for no values. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Returns the quantile `p` (0 to 1) with linear interpolation, or NaN for no values. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * p;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** An interval that contains the true value with a probability of 95 %, and the measured median. */
export interface Interval {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

const RESAMPLES = 2000;

/**
 * Returns the 95 % confidence interval of the median by the percentile bootstrap: the medians of
 * samples drawn from the values with replacement. Equal values give equal intervals.
 */
export function medianInterval(values: readonly number[]): Interval {
  const random = randomNumbers(values.length);
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN)),
  );
  return { low: percentile(medians, 0.025), median: median(values), high: percentile(medians, 0.975) };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
