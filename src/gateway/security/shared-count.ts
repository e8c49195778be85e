/**
 * Counts in Redis, but no longer than a request may wait. If a reply is late, requests are counted
 * in memory until it arrives or its connection is lost.
 */
import type * as RateLimiterFlexible from 'rate-limiter-flexible';
import type { RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import { lazyPackage } from '../../core/identity/lazy-package.ts';
import type { RedisPulse } from './redis-pulse.ts';

const rateLimiter = lazyPackage<typeof RateLimiterFlexible>('rate-limiter-flexible');

/** Maximum time that a request waits for Redis, in ms. */
const LONGEST_WAIT = 250;

export class SharedCount {
  constructor(
    private readonly shared: RateLimiterAbstract,
    private readonly memory: RateLimiterAbstract,
    private readonly pulse: RedisPulse,
  ) {}

  /**
   * Counts a request.
   * @param maxWait how long counting may take, in ms.
   * @throws {RateLimiterRes} when the limit is reached.
   */
  consume(key: string, maxWait: number): Promise<RateLimiterRes> {
    if (this.pulse.isStalled) return this.memory.consume(key);
    return new Promise((resolve, reject) => {
      // A rejection with RateLimiterRes is a result and not an error.
      const rejectLimited = reject as (reason: unknown) => void;
      const wait = Math.min(LONGEST_WAIT, maxWait);
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        this.pulse.overdue(wait);
        this.memory.consume(key).then(resolve, rejectLimited);
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
            if (error instanceof rateLimiter().RateLimiterRes) rejectLimited(error);
            else this.memory.consume(key).then(resolve, rejectLimited);
          }),
      );
    });
  }
}
