/**
 * How long requests of one kind usually take: a running estimate a little below the median of what was measured, in
 * constant time and memory. A few slow requests hardly move it, as they would move a mean, and it takes some dozens of
 * measurements to rise from 0.
 */
const RISE = 1.2;
const FALL = 0.75;
/** Least rise, in ms: from 0 a factor leads nowhere. */
const MIN_RISE = 0.05;

export class Pace {
  /** In ms; 0 until something was measured. */
  typical = 0;

  /** A request took this many ms. */
  record(time: number): void {
    const { typical: usual } = this;
    this.typical = time > usual ? Math.min(time, usual * RISE + MIN_RISE) : Math.max(time, usual * FALL);
  }
}
