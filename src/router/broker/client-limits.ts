/** Limits on the requests of one client, so that no client can use up the router. */
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { failure, type ReplyMessage } from '../../core/messages/message.ts';

/** Limits for each client. Requests beyond them fail with `BUSY`. */
export interface ClientLimits {
  /**
   * Maximum number of requests in flight.
   *
   * @defaultValue 100000
   */
  readonly maxInFlight?: number;
  /**
   * Maximum average number of requests per second.
   *
   * @defaultValue no limit
   */
  readonly rate?: number;
  /**
   * Maximum number of requests at once, if `rate` is set.
   *
   * @defaultValue the requests of one second
   */
  readonly burst?: number;
}

/** Built once, because they may be frequent. */
const TOO_MANY = failure('BUSY', 'this client has the maximum number of requests in flight');
const TOO_FAST = failure('BUSY', 'this client exceeds its limit of requests per second');

/**
 * Checks limits and fills in the defaults.
 *
 * @throws {ZeroMQConfigError} when a limit is invalid; the message names it, its value and the
 *   allowed range.
 */
export function resolveClientLimits(limits: ClientLimits = {}): Required<ClientLimits> {
  const { maxInFlight = 100_000, rate = Infinity, burst = Math.max(1, rate) } = limits;
  for (const [name, value] of Object.entries({ maxInFlight, rate, burst })) {
    if (typeof value === 'number' && (name === 'rate' ? value > 0 : value >= 1)) continue;
    const least = name === 'rate' ? 'more than 0' : 'at least 1';
    throw new ZeroMQConfigError(`clientLimits.${name} must be a number of ${least}, got ${String(value)}`);
  }
  return { maxInFlight, rate, burst };
}

/** Tracks the limits of one client. */
export class ClientAllowance {
  private left: number;

  /** @param filledAt current time, in ms. */
  constructor(
    private readonly limits: Required<ClientLimits>,
    private filledAt: number,
  ) {
    this.left = limits.burst;
  }

  /** Counts a request. Returns the failure to reply with if it exceeds a limit. */
  admit(inFlight: number, now: number): ReplyMessage | undefined {
    const { maxInFlight: most, rate } = this.limits;
    if (inFlight >= most) return TOO_MANY;
    return rate === Infinity || this.take(now) ? undefined : TOO_FAST;
  }

  private take(now: number): boolean {
    const { rate, burst } = this.limits;
    this.left = Math.min(burst, this.left + ((now - this.filledAt) / 1000) * rate);
    this.filledAt = now;
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }
}
