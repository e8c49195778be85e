import { ZeroMQConfigError } from '../messages/errors.ts';

/** Options of a `Backoff`, in ms. */
export interface BackoffOptions {
  /** Upper bound of the first delay. Default 100. */
  readonly initial?: number;
  /** No delay is longer. Default 30,000. */
  readonly max?: number;
  /** No delay is shorter. Default 10. */
  readonly min?: number;
  /** The bound grows by this factor with each attempt. Default 2. */
  readonly factor?: number;
  /** Source of random numbers in [0, 1). Default Math.random. */
  readonly random?: () => number;
}

/**
 * Delays between attempts: exponential, with full jitter, so that many peers that lost the same router do not
 * all come back at once.
 */
export class Backoff {
  private readonly initial: number;
  private readonly max: number;
  private readonly min: number;
  private readonly factor: number;
  private readonly random: () => number;
  private count = 0;

  /** @throws ZeroMQConfigError unless 0 ≤ min ≤ initial ≤ max and factor ≥ 1. */
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
        `backoff: 0 ≤ min ≤ initial ≤ max is needed, got min ${min}, initial ${initial}, max ${max}`,
      );
    }
    if (!(factor >= 1)) throw new ZeroMQConfigError(`backoff: factor must be at least 1, got ${factor}`);
    this.initial = initial;
    this.max = max;
    this.min = min;
    this.factor = factor;
    this.random = random;
  }

  /** Attempts since the start or the last `reset()`. */
  get attempts(): number {
    return this.count;
  }

  /** The next delay in whole ms: random between `min` and the bound, which then grows up to `max`. */
  next(): number {
    const bound = Math.min(this.max, this.initial * this.factor ** this.count);
    this.count += 1;
    return Math.round(this.min + this.random() * (bound - this.min));
  }

  /** It worked: the next delay is short again. */
  reset(): void {
    this.count = 0;
  }
}
