/** Options of the broker, with their defaults and checks. */
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { LeastLoadedStrategy } from '../strategies/least-loaded.ts';
import type { ZeroMQRoutingStrategy } from '../strategies/strategy.ts';
import type { BreakerOptions } from './breaker.ts';
import type { BrokerObserver } from './observer.ts';
import type { RetryBudgetOptions } from './retry-budget.ts';

/** Limits and failure handling of a router. All durations are in milliseconds. */
export interface RouterLimits {
  /**
   * Maximum number of queued requests per event. When it is reached, a request of the client with
   * the most queued requests fails with `QUEUE_FULL`.
   *
   * @defaultValue 10000
   */
  readonly queueLimit?: number;
  /**
   * Maximum number of bytes of all queued requests: their payloads, and 512 bytes for each request.
   * Replies that clients do not read count too, up to half of the bound.
   *
   * @defaultValue 268435456 (256 MiB)
   */
  readonly queueBytes?: number;
  /**
   * Maximum number of unannounced events for which requests may be queued.
   *
   * @defaultValue 1000
   */
  readonly maxUnannouncedEvents?: number;
  /**
   * Timeout of requests that carry none, in milliseconds.
   *
   * @defaultValue 30000
   */
  readonly defaultTimeout?: number;
  /**
   * Maximum timeout of a request, in milliseconds. Longer ones are shortened to it.
   *
   * @defaultValue 3600000 (one hour)
   */
  readonly maxTimeout?: number;
  /**
   * How long after startup requests for events that no worker serves yet are queued, in
   * milliseconds. The default is a little longer than the pause of workers between two attempts to
   * connect.
   *
   * @defaultValue 4000
   */
  readonly startupGrace?: number;
  /**
   * How long requests of an event stay queued after its last worker left, in milliseconds.
   *
   * @defaultValue 0
   */
  readonly workerGrace?: number;
  /**
   * How often an idempotent request is redispatched after its worker was lost.
   *
   * @defaultValue 1
   */
  readonly redispatches?: number;
  /**
   * Consecutive timeouts after which a worker that does not support cancellation is unresponsive
   * and receives no more requests.
   *
   * @defaultValue 3
   */
  readonly unresponsiveAfter?: number;
  /**
   * How long an unresponsive worker receives no requests, in milliseconds; Infinity: until it
   * replies.
   *
   * @defaultValue 30000
   */
  readonly unresponsiveRetry?: number;
  /**
   * How long a stream may be silent between two chunks, in milliseconds; Infinity: for any time. It
   * does not apply to server-sent events, nor while the caller takes no more chunks.
   *
   * @defaultValue 30000
   */
  readonly streamIdleTimeout?: number;
  /**
   * Limit on redispatches; `false` removes it.
   *
   * @defaultValue a reserve of 1000, 0.2 per request and 10 per second
   */
  readonly retryBudget?: RetryBudgetOptions | false;
  /**
   * Circuit breakers; `false` disables them.
   *
   * @defaultValue a threshold of 5, open for 1000 ms at first and 30000 ms at most
   */
  readonly breaker?: BreakerOptions | false;
}

/** Options of {@link Broker}. */
export interface BrokerOptions extends RouterLimits {
  /** Chooses among the workers with credit. Default: least loaded. */
  readonly strategy?: ZeroMQRoutingStrategy;
  /** Receives conditions that operators should know about. Must not call the broker. */
  readonly notify?: (notice: RouterNotice) => void;
  /** Returns numbers from 0 to 1, to split requests between versions. Default: `Math.random`. */
  readonly random?: () => number;
  /** Receives the progress of each request. */
  readonly observer?: BrokerObserver;
}

/**
 * A rare condition that operators should know about, emitted by `ZeroMQRouter` as its event
 * `notice`.
 *
 * - `worker-unresponsive`, `worker-responsive`: a classic worker let too many requests time out, or
 *   replied again.
 * - `breaker-open`, `breaker-half-open`, `breaker-closed`: a circuit breaker changed its state.
 *   Where `worker` is undefined, it is the breaker of the event at all workers. `openDuration` is
 *   in milliseconds.
 * - `worker-suspended`, `worker-resumed`: a worker receives no requests for any event, for
 *   `duration` ms, because it failed at too many events or replied that it is busy.
 * - `strategy-fault`: the routing strategy threw an error or chose a worker that is not a
 *   candidate.
 */
export type RouterNotice =
  | { readonly type: 'worker-unresponsive' | 'worker-responsive'; readonly worker: string }
  | {
      readonly type: 'breaker-open';
      readonly worker: string | undefined;
      readonly eventName: string;
      readonly openDuration: number;
    }
  | {
      readonly type: 'breaker-half-open' | 'breaker-closed';
      readonly worker: string | undefined;
      readonly eventName: string;
    }
  | { readonly type: 'worker-suspended'; readonly worker: string; readonly duration: number }
  | { readonly type: 'worker-resumed'; readonly worker: string }
  | { readonly type: 'strategy-fault'; readonly strategy: string; readonly error: unknown };

const DEFAULTS = {
  queueLimit: 10_000,
  queueBytes: 256 * 1024 * 1024,
  maxUnannouncedEvents: 1000,
  defaultTimeout: 30_000,
  maxTimeout: 3_600_000,
  startupGrace: 4000,
  workerGrace: 0,
  redispatches: 1,
  unresponsiveAfter: 3,
  unresponsiveRetry: 30_000,
  streamIdleTimeout: 30_000,
} as const;

/** Limits with the defaults filled in. */
export type BrokerLimits = Record<keyof typeof DEFAULTS, number>;

const MINIMUMS: BrokerLimits = {
  queueLimit: 0,
  queueBytes: 0,
  maxUnannouncedEvents: 0,
  defaultTimeout: 1,
  maxTimeout: 1,
  startupGrace: 0,
  workerGrace: 0,
  redispatches: 0,
  unresponsiveAfter: 1,
  unresponsiveRetry: 1,
  streamIdleTimeout: 1,
};

/**
 * Checks the limits and fills in the defaults.
 *
 * @throws {ZeroMQConfigError} when a limit is invalid; the message names it, its value and the
 *   allowed range.
 */
export function brokerLimits(options: RouterLimits): BrokerLimits {
  const limits: BrokerLimits = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof BrokerLimits)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value >= MINIMUMS[name])) {
      throw new ZeroMQConfigError(
        `router: ${name} must be a number of at least ${MINIMUMS[name]}, got ${String(value)}`,
      );
    }
    limits[name] = value;
  }
  checkPositive('breaker', options.breaker);
  checkPositive('retryBudget', options.retryBudget);
  return limits;
}

function checkPositive(name: string, settings: object | false | undefined): void {
  for (const [key, value] of Object.entries(settings || {}) as [string, number | undefined][]) {
    if (value === undefined || (typeof value === 'number' && value >= 0)) continue;
    throw new ZeroMQConfigError(
      `router: ${name}.${key} must be a number of at least 0, got ${String(value)}`,
    );
  }
}

/**
 * Returns the strategy to use.
 *
 * @throws {ZeroMQConfigError} when it does not choose workers, as {@link ZeroMQRoutingProxy}, or
 *   lacks `pick`.
 */
export function brokerStrategy(strategy: ZeroMQRoutingStrategy | undefined): ZeroMQRoutingStrategy {
  if (strategy === undefined) return new LeastLoadedStrategy();
  if (strategy.kind === 'proxy') {
    throw new ZeroMQConfigError(
      `router: the strategy ${strategy.name} forwards without choosing workers; use it as the router's strategy instead`,
    );
  }
  if (typeof strategy.pick !== 'function') {
    throw new ZeroMQConfigError('router: a strategy must have a method pick(candidates, request, now)');
  }
  return strategy;
}
