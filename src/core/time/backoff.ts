/**
 * core/time: clocks, timers and deadlines. Delays between attempts, many deadlines on one timer,
 * estimates of how long requests take, and long work in slices. All durations are milliseconds.
 */
import { ZeroMQConfigError } from '../messages/errors.ts';

/** Options of a {@link Backoff}. Durations are in milliseconds. */
export interface BackoffOptions {
  /**
   * Upper bound of the first delay.
   * @defaultValue 100
   */
  readonly initial?: number;
  /**
   * Maximum delay.
   * @defaultValue 30,000
   */
  readonly max?: number;
  /**
   * Minimum delay.
   * @defaultValue 10, or `initial` if that is less
   */
  readonly min?: number;
  /**
   * Factor by which the upper bound grows with each attempt.
   * @defaultValue 2
   */
  readonly factor?: number;
  /**
   * Source of random numbers in [0, 1).
   * @defaultValue `Math.random`
   */
  readonly random?: () => number;
}

/**
 * Delays between attempts: exponential with full jitter, so that peers that lost the same router do
 * not all reconnect at the same moment.
 */
export class Backoff {
  private readonly initial: number;
  private readonly max: number;
  private readonly min: number;
  private readonly factor: number;
  private readonly random: () => number;
  private count = 0;

  /** @throws {ZeroMQConfigError} unless 0 ≤ min ≤ initial ≤ max and factor ≥ 1. */
  constructor(options: BackoffOptions = {}) {
    const {
      initial = 100,
      max = 30_000,
      min = Math.min(10, initial),
      factor = 2,
      random = Math.random,
    } = options;
    if (!(min >= 0 && min <= initial && initial <= max && Number.isFinite(max))) {
      throw new ZeroMQConfigError(
        `backoff: 0 ≤ min ≤ initial ≤ max is required, got min ${min}, initial ${initial}, max ${max}`,
      );
    }
    if (!(factor >= 1)) throw new ZeroMQConfigError(`backoff: factor must be at least 1, got ${factor}`);
    this.initial = initial;
    this.max = max;
    this.min = min;
    this.factor = factor;
    this.random = random;
  }

  /** Attempts since the start or the last {@link reset}. */
  get attempts(): number {
    return this.count;
  }

  /**
   * Returns the next delay in whole milliseconds, random between `min` and a bound that grows up to
   * `max`.
   */
  next(): number {
    const bound = Math.min(this.max, this.initial * this.factor ** this.count);
    this.count += 1;
    return Math.round(this.min + this.random() * (bound - this.min));
  }

  /** Starts again with the initial delay, after an attempt succeeded. */
  reset(): void {
    this.count = 0;
  }
}
