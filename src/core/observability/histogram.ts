/**
 * Distributions, counted in place: a request costs one logarithm and two additions, whoever scrapes and however often.
 *
 * Buckets grow by a fourth of an octave, so that quantiles read from them are less than a fifth too high; a scrape gets
 * whole octaves.
 */

/** Buckets an octave. */
const STEPS = 4;

/** The form of a distribution. */
export interface Scale {
  /** Upper bound of the first bucket. */
  readonly first: number;
  /** Octaves above it; what is beyond them is counted in a bucket without a bound. */
  readonly octaves: number;
  /** Octaves at the start of which a scrape gets no bound of its own. */
  readonly skipped: number;
  /** What the values are multiplied by in a scrape. */
  readonly factor: number;
}

/** Milliseconds from 1/16 to 65 s; scraped in seconds from 0.25 ms. */
export const TIMES: Scale = { first: 1 / 16, octaves: 20, skipped: 2, factor: 1 / 1000 };

/** Records from 1 to 4,096. */
export const RECORDS: Scale = { first: 1, octaves: 12, skipped: 0, factor: 1 };

/** Bytes from 64 to 1 MiB. */
export const SIZES: Scale = { first: 64, octaves: 14, skipped: 0, factor: 1 };

export class Histogram {
  readonly counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(readonly scale: Scale) {
    this.counts = new Float64Array(scale.octaves * STEPS + 2);
  }

  add(value: number): void {
    const { first } = this.scale;
    const index = value <= first ? 0 : Math.ceil(Math.log2(value / first) * STEPS);
    const last = this.counts.length - 1;
    const at = index < last ? index : last;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += value;
    this.count += 1;
  }

  /** Makes all counts less, as if less had been counted. */
  scaleBy(factor: number): void {
    for (let index = 0; index < this.counts.length; index += 1) {
      this.counts[index] = (this.counts[index] ?? 0) * factor;
    }
    this.sum *= factor;
    this.count *= factor;
  }

  /** Bounds for a scrape, and how many values were at most that; the last bound is Infinity. */
  *buckets(): IterableIterator<readonly [bound: number, count: number]> {
    const { first, octaves, skipped, factor } = this.scale;
    let below = 0;
    let index = 0;
    for (let octave = 0; octave <= octaves; octave += 1) {
      for (; index <= octave * STEPS; index += 1) below += this.counts[index] ?? 0;
      if (octave >= skipped) yield [first * 2 ** octave * factor, below];
    }
    yield [Infinity, this.count];
  }
}

/**
 * A quantile of what was counted between two readings of the same distribution's `counts`.
 *
 * @param before an earlier copy; undefined: since the beginning.
 * @returns an upper bound; undefined when nothing was counted.
 */
export function quantile(
  scale: Scale,
  counts: Float64Array,
  before: Float64Array | undefined,
  share: number,
): number | undefined {
  const since = (index: number): number => (counts[index] ?? 0) - (before?.[index] ?? 0);
  let total = 0;
  for (let index = 0; index < counts.length; index += 1) total += since(index);
  if (total === 0) return undefined;
  let left = total * share;
  for (let index = 0; index < counts.length; index += 1) {
    left -= since(index);
    if (left <= 1e-9) return scale.first * 2 ** (Math.min(index, counts.length - 2) / STEPS);
  }
  return undefined;
}
