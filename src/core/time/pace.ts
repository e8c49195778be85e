/**
 * Estimates how long requests of one kind typically take: a running estimate slightly below the
 * median, in constant time and memory. A few slow requests hardly move it, unlike a mean. It takes
 * some dozens of measurements to rise from 0.
 */
const RISE = 1.2;
const FALL = 0.75;
/** Minimum rise in milliseconds: a factor alone would never leave 0. */
const MIN_RISE = 0.05;

export class Pace {
  /** Typical duration in milliseconds; 0 before the first measurement. */
  typical = 0;

  /** Records the duration of a request, in milliseconds. */
  record(time: number): void {
    const { typical } = this;
    this.typical =
      time > typical ? Math.min(time, typical * RISE + MIN_RISE) : Math.max(time, typical * FALL);
  }
}
