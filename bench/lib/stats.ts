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
