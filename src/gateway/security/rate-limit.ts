/**
 * Rate limits: counted by rate-limiter-flexible, reported in the RateLimit headers of the IETF
 * draft.
 */
import { isIPv6 } from 'node:net';
import type * as RateLimiterFlexible from 'rate-limiter-flexible';
import type { RateLimiterRes } from 'rate-limiter-flexible';
import { lazyPackage } from '../../core/identity/lazy-package.ts';
import { toError } from '../../core/messages/errors.ts';
import type { Caller } from '../../core/messages/message.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import { httpProblem, type Problem } from '../common/problem.ts';
import type { RateKey, RateLimitSettings } from '../common/settings.ts';
import { type RedisConnection } from './redis.ts';
import { SharedCount } from './shared-count.ts';

const rateLimiter = lazyPackage<typeof RateLimiterFlexible>('rate-limiter-flexible');

/** The properties of a request by which it is counted. */
export interface RateSubject {
  /** Address of the client. */
  readonly client: string;
  readonly caller: Caller | undefined;
  readonly eventName: string;
}

/** The result of counting a request. */
export interface RateLimitResult {
  /** `RateLimit` and `RateLimit-Policy`, names and values in turn. */
  readonly headers: string[];
  /** Set when a limit is reached. */
  readonly problem: Problem | undefined;
}

/** A limit and its counter. */
interface Counter {
  readonly settings: RateLimitSettings;
  readonly limiter: Pick<SharedCount, 'consume'>;
  readonly policy: string;
}

const NOT_LIMITED: RateLimitResult = { headers: [], problem: undefined };

export class RateLimits {
  private readonly counters: readonly Counter[];

  constructor(
    limits: readonly RateLimitSettings[],
    redis: RedisConnection | undefined,
    private readonly logger: GatewayLogger,
  ) {
    this.counters = limits.map((settings) => ({
      settings,
      limiter: newLimiter(settings, redis),
      policy: `"${settings.name}";q=${settings.limit};w=${Math.ceil(settings.window / 1000)}`,
    }));
  }

  /**
   * Counts a request.
   * @param phase limits by caller are counted after authentication, the others before.
   * @param maxWait how long counting may take, in ms.
   * @param within event of the request that this request is a part of. Limits that counted the
   *   former do not count the latter.
   */
  async count(
    subject: RateSubject,
    phase: 'before' | 'after',
    maxWait: number,
    within?: string,
  ): Promise<RateLimitResult> {
    const applicable = this.counters.filter(({ settings }) => {
      if (!applies(settings, subject.eventName, phase)) return false;
      return within === undefined || settings.per.includes('operation') || !applies(settings, within, phase);
    });
    if (applicable.length === 0) return NOT_LIMITED;
    const states = await Promise.all(
      applicable.map((counter) => this.consume(counter, keyOf(counter.settings.per, subject), maxWait)),
    );
    const values: string[] = [];
    let longest = -1;
    for (const [index, state] of states.entries()) {
      const counter = applicable[index];
      if (state === undefined || counter === undefined) continue;
      const seconds = Math.max(0, Math.ceil(state.result.msBeforeNext / 1000));
      const remaining = Math.max(0, counter.settings.limit - state.result.consumedPoints);
      values.push(`"${counter.settings.name}";r=${remaining};t=${seconds}`);
      if (state.isLimited) longest = Math.max(longest, seconds, 1);
    }
    const headers = ['RateLimit-Policy', applicable.map(({ policy }) => policy).join(', ')];
    if (values.length > 0) headers.push('RateLimit', values.join(', '));
    return { headers, problem: longest < 0 ? undefined : tooMany(longest) };
  }

  /** Returns undefined if counting fails. The request is then allowed. */
  private async consume(
    { limiter }: Counter,
    key: string,
    maxWait: number,
  ): Promise<{ result: RateLimiterRes; isLimited: boolean } | undefined> {
    try {
      return { result: await limiter.consume(key, maxWait), isLimited: false };
    } catch (thrown) {
      if (thrown instanceof rateLimiter().RateLimiterRes) return { result: thrown, isLimited: true };
      this.logger.error({ err: toError(thrown) }, 'cannot count rate limits; the request is allowed');
      return undefined;
    }
  }
}

function newLimiter(settings: RateLimitSettings, redis: RedisConnection | undefined): Counter['limiter'] {
  const options = {
    keyPrefix: `zeromq-gateway:${settings.name}`,
    points: settings.limit,
    duration: settings.window / 1000,
  };
  const { RateLimiterMemory, RateLimiterRedis } = rateLimiter();
  const memory = new RateLimiterMemory(options);
  if (redis === undefined) return { consume: (key) => memory.consume(key) };
  const shared = new RateLimiterRedis({
    ...options,
    storeClient: redis.client,
    useRedisPackage: true,
    rejectIfRedisNotReady: true,
  });
  return new SharedCount(shared, memory, redis.pulse);
}

function applies({ per, events }: RateLimitSettings, eventName: string, phase: 'before' | 'after'): boolean {
  if (per.includes('caller') !== (phase === 'after')) return false;
  if (events === undefined) return true;
  return events.some(
    (name) => name === eventName || (name.endsWith('*') && eventName.startsWith(name.slice(0, -1))),
  );
}

function keyOf(per: readonly RateKey[], { client, caller, eventName }: RateSubject): string {
  const address = networkOf(client);
  const parts = per.map((key) => {
    if (key === 'operation') return eventName;
    return key === 'caller' && caller !== undefined ? `caller:${caller.id}` : `client:${address}`;
  });
  return parts.join('|');
}

/**
 * A network prefix of /64 identifies an IPv6 client, since one subscriber usually has the whole
 * prefix.
 */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  if (address.toLowerCase().startsWith('::ffff:') && address.includes('.')) return address.slice(7);
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right].slice(0, 4).join(':');
}

function tooMany(seconds: number): Problem {
  const headers = ['Retry-After', String(seconds)];
  return httpProblem('RATE_LIMITED', `Too many requests; try again in ${seconds} s.`, headers);
}
