/** Bounds on what one client may ask of a router, so that none of them can use it up. */
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { failure, type ReplyMessage } from '../../core/messages/message.ts';

/** Limits for each client; what goes beyond is answered BUSY. */
export interface ClientLimits {
  /** Requests under way. Default 100,000. */
  readonly maxInFlight?: number;
  /** Requests a second, on average. Default: no limit. */
  readonly rate?: number;
  /** Requests that may come at once where the rate is limited. Default: those of one second. */
  readonly burst?: number;
}

/** Built once: they come in floods. */
const TOO_MANY = failure('BUSY', 'this client has as many requests under way as it may');
const TOO_FAST = failure('BUSY', 'this client sends more requests a second than it may');

/**
 * Checks limits and fills in the defaults.
 *
 * @throws ZeroMQConfigError naming the limit, its value and what is allowed.
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

/** What one client may still ask. */
export class ClientAllowance {
  private left: number;

  /** @param filledAt the present, in ms. */
  constructor(
    private readonly limits: Required<ClientLimits>,
    private filledAt: number,
  ) {
    this.left = limits.burst;
  }

  /** Takes a request in; gives the reply where it is one too many. */
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
