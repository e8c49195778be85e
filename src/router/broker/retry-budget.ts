/**
 * The retry budget limits redispatches, so that they cannot overload the remaining workers.
 *
 * It is a token bucket: each new request adds a fraction of a token, time adds a few, and each
 * redispatch takes one.
 */

/** Options of the retry budget; see {@link RouterLimits}. */
export interface RetryBudgetOptions {
  /**
   * Capacity of the bucket, and its initial number of tokens.
   *
   * @defaultValue 1000
   */
  readonly reserve?: number;
  /**
   * Tokens added by each new request.
   *
   * @defaultValue 0.2
   */
  readonly ratio?: number;
  /**
   * Tokens added per second.
   *
   * @defaultValue 10
   */
  readonly perSecond?: number;
}

export class RetryBudget {
  private readonly reserve: number;
  private readonly ratio: number;
  private readonly perMillisecond: number;
  private tokens: number;
  private filledAt: number;

  constructor(options: RetryBudgetOptions, now: number) {
    this.reserve = options.reserve ?? 1000;
    this.ratio = options.ratio ?? 0.2;
    this.perMillisecond = (options.perSecond ?? 10) / 1000;
    this.tokens = this.reserve;
    this.filledAt = now;
  }

  /** Adds the share of a new request. */
  deposit(): void {
    if (this.tokens < this.reserve) this.tokens = Math.min(this.reserve, this.tokens + this.ratio);
  }

  /** Takes a token for a redispatch. Returns false if there is none. */
  take(now: number): boolean {
    this.tokens = Math.min(this.reserve, this.tokens + (now - this.filledAt) * this.perMillisecond);
    this.filledAt = now;
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}
