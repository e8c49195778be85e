/** Settings of the router's core, with their defaults and what is allowed. */
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { LeastLoadedStrategy } from '../strategies/least-loaded.ts';
import type { ZeroMQRoutingStrategy } from '../strategies/strategy.ts';
import type { BreakerOptions } from './breaker.ts';
import type { BrokerObserver } from './observer.ts';
import type { RetryBudgetOptions } from './retry-budget.ts';

/** Bounds and rules of the router. All durations are ms. */
export interface RouterLimits {
  /** Requests that may wait for one event. Default 10,000. */
  readonly queueLimit?: number;
  /**
   * Bytes of all waiting requests: payloads, and 512 for each request. Replies that clients do not read count too, up to
   * half of it. Default 256 MiB.
   */
  readonly queueBytes?: number;
  /** Events that nobody announced and for which requests may wait. Default 1,000. */
  readonly maxUnannouncedEvents?: number;
  /** Time for a request that does not say. Default 30,000. */
  readonly defaultTimeout?: number;
  /** Longest time a request may ask for; more is cut. Default 3,600,000. */
  readonly maxTimeout?: number;
  /**
   * For so long after the start, requests that nobody serves wait for a worker. Default 4,000: a little longer than
   * workers pause between two attempts to connect.
   */
  readonly startupGrace?: number;
  /** For so long after the last worker of an event left, its requests wait for another one. Default 0. */
  readonly workerGrace?: number;
  /** How often an idempotent request is given to another worker when its worker is lost. Default 1. */
  readonly redispatches?: number;
  /** Timeouts in a row after which a worker that cannot cancel is unresponsive. Default 3. */
  readonly unresponsiveAfter?: number;
  /** When an unresponsive worker is tried again. Default 30,000; Infinity: never. */
  readonly unresponsiveRetry?: number;
  /** Bound on redispatches; false: none. */
  readonly retryBudget?: RetryBudgetOptions | false;
  /** Circuit breakers; false: none. */
  readonly breaker?: BreakerOptions | false;
}

/** Options of the core. */
export interface BrokerOptions extends RouterLimits {
  /** Who gets a request, among workers with credit. Default: least loaded. */
  readonly strategy?: ZeroMQRoutingStrategy;
  /** Told of what an operator should know. Must not call the core. */
  readonly notify?: (notice: RouterNotice) => void;
  /** Told of each request. */
  readonly observer?: BrokerObserver;
}

/** Rare things an operator should know. */
export type RouterNotice =
  | { readonly type: 'worker-unresponsive' | 'worker-responsive'; readonly worker: string }
  | {
      readonly type: 'rest';
      /** Undefined: the event rests at every worker. */
      readonly worker: string | undefined;
      /** Undefined: the worker rests for every event. */
      readonly eventName: string | undefined;
      readonly rest: number;
    }
  | {
      readonly type: 'rest-over';
      readonly worker: string | undefined;
      readonly eventName: string | undefined;
    }
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
} as const;

/** Limits with the defaults filled in. */
export type BrokerLimits = Record<keyof typeof DEFAULTS, number>;

const LEAST: BrokerLimits = {
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
};

/**
 * Checks the limits and fills in the defaults.
 *
 * @throws ZeroMQConfigError naming the limit, its value and what is allowed.
 */
export function brokerLimits(options: RouterLimits): BrokerLimits {
  const limits: BrokerLimits = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof BrokerLimits)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value >= LEAST[name])) {
      throw new ZeroMQConfigError(
        `router: ${name} must be a number from ${LEAST[name]}, got ${String(value)}`,
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
    throw new ZeroMQConfigError(`router: ${name}.${key} must be a number from 0, got ${String(value)}`);
  }
}

/**
 * The strategy to use.
 *
 * @throws ZeroMQConfigError for one that does not choose: `ZeroMQRoutingProxy` needs no core.
 */
export function brokerStrategy(strategy: ZeroMQRoutingStrategy | undefined): ZeroMQRoutingStrategy {
  if (strategy === undefined) return new LeastLoadedStrategy();
  if (strategy.kind === 'proxy') {
    throw new ZeroMQConfigError(
      `router: the strategy ${strategy.name} forwards blindly and chooses no workers`,
    );
  }
  if (typeof strategy.pick !== 'function') {
    throw new ZeroMQConfigError('router: a strategy must have a method pick(candidates, request, now)');
  }
  return strategy;
}
