/**
 * Counting in Redis, for no longer than a request may wait. When an answer does not come in time, requests are counted in
 * memory; the one that is awaited shows that Redis is back, or fails with the connection.
 */
import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import type { GatewayLogger } from '../common/api-source.ts';

/** Longest time that a request waits for Redis, in ms. */
const LONGEST_WAIT = 250;

/** Whether the Redis of a gateway answers; shared by all its counters. */
export class RedisPulse {
  private late = 0;

  constructor(private readonly logger: GatewayLogger) {}

  /** Whether an answer is overdue. */
  get isStalled(): boolean {
    return this.late > 0;
  }

  overdue(wait: number): void {
    this.late += 1;
    if (this.late > 1) return;
    this.logger.warn({ wait }, 'Redis does not answer in time: rate limits are counted in memory');
  }

  /** An overdue answer came, or its connection was lost. */
  settled(): void {
    this.late -= 1;
    if (this.late === 0) this.logger.info({}, 'Redis is asked again for rate limits');
  }
}

export class SharedCount {
  constructor(
    private readonly shared: RateLimiterAbstract,
    private readonly memory: RateLimiterAbstract,
    private readonly pulse: RedisPulse,
  ) {}

  /**
   * Counts a request.
   * @param patience ms that the request has.
   * @throws RateLimiterRes when the limit is reached.
   */
  consume(key: string, patience: number): Promise<RateLimiterRes> {
    if (this.pulse.isStalled) return this.memory.consume(key);
    return new Promise((resolve, reject) => {
      // What refuses is a result here, not an error.
      const refuse = reject as (reason: unknown) => void;
      const wait = Math.min(LONGEST_WAIT, patience);
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        this.pulse.overdue(wait);
        this.memory.consume(key).then(resolve, refuse);
      }, wait);
      const over = (then: () => void): void => {
        clearTimeout(timer);
        if (isLate) this.pulse.settled();
        else then();
      };
      this.shared.consume(key).then(
        (result) => over(() => resolve(result)),
        (error: unknown) =>
          over(() => {
            if (error instanceof RateLimiterRes) refuse(error);
            else this.memory.consume(key).then(resolve, refuse);
          }),
      );
    });
  }
}
