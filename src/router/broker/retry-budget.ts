/**
 * Redispatch costs the workers that are left; a budget keeps it from multiplying a storm.
 *
 * A bucket of tokens: each new request puts a share of a token in, time adds a few, each redispatch takes one.
 */

/** Settings of the retry budget. */
export interface RetryBudgetOptions {
  /** Most tokens, and how many there are at first. Default 1,000. */
  readonly reserve?: number;
  /** Tokens for each new request. Default 0.2. */
  readonly ratio?: number;
  /** Tokens a second. Default 10. */
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

  /** A new request came. */
  deposit(): void {
    if (this.tokens < this.reserve) this.tokens = Math.min(this.reserve, this.tokens + this.ratio);
  }

  /** Takes a token for a redispatch; false when there is none. */
  take(now: number): boolean {
    this.tokens = Math.min(this.reserve, this.tokens + (now - this.filledAt) * this.perMillisecond);
    this.filledAt = now;
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}
