/**
 * Circuit breakers stop dispatching requests that keep failing, and probe for recovery.
 *
 * - Each pair of worker and event has a breaker. It opens after `threshold` consecutive failures
 *   (handler errors, bad replies, timeouts) and blocks the event at that worker for `openDuration`
 *   ms. Then it is half-open and admits one request: success closes it, failure opens it again for
 *   twice as long, up to `maxOpenDuration`. For failures that reply quickly it stays closed while
 *   no other worker can take over, because an immediate error serves the caller better than a wait.
 * - A worker with `MAX_OPEN_BREAKERS` breakers that are not closed is suspended for all events when
 *   another one fails.
 * - Each event has a breaker for all workers. It opens when `LOSSES_TO_OPEN` consecutive workers
 *   were lost while they held a request of the event, so that a request that crashes workers cannot
 *   crash all of them. Any reply closes it.
 */
import type { BreakerState } from '../../core/observability/reports.ts';
import { Breaker } from './breaker-state.ts';
import type { EventState } from './event-state.ts';
import { TimerEntry, type TimerWheel } from './timers.ts';
import type { Worker } from './worker.ts';

/** Options of the circuit breakers; see {@link RouterLimits}. */
export interface BreakerOptions {
  /**
   * Consecutive failures of one event at one worker that open its breaker.
   *
   * @defaultValue 5
   */
  readonly threshold?: number;
  /**
   * How long a breaker stays open the first time, in milliseconds.
   *
   * @defaultValue 1000
   */
  readonly openDuration?: number;
  /**
   * Upper bound on how long a breaker stays open, in milliseconds. The duration doubles each time
   * the breaker opens again.
   *
   * @defaultValue 30000
   */
  readonly maxOpenDuration?: number;
}

/**
 * Callbacks of the breakers. Where `worker` is undefined, the breaker is that of the event at all
 * workers.
 */
export interface BreakerOwner {
  /** A breaker opened, for `openDuration` ms. */
  opened(worker: Worker | undefined, eventName: string, openDuration: number): void;
  /** A breaker is half-open: it admits one request. */
  halfOpened(worker: Worker | undefined, eventName: string, now: number): void;
  /** A breaker that was open or half-open closed. */
  closed(worker: Worker | undefined, eventName: string, now: number): void;
  /** A worker fails at too many events and should be suspended, for `duration` ms. */
  suspendWorker(worker: Worker, duration: number, now: number): void;
}

const MAX_OPEN_BREAKERS = 8;
const LOSSES_TO_OPEN = 3;
/** Maximum number of failing events remembered per worker, and for the whole router. */
const MAX_REMEMBERED = 64;

/** All breakers of a router. */
export class Breakers {
  /** Number of events whose breaker for all workers is not closed. */
  eventsTripped = 0;
  private readonly events = new Map<string, Breaker>();
  private readonly threshold: number;
  private readonly openDuration: number;
  private readonly maxOpenDuration: number;

  constructor(
    options: BreakerOptions,
    private readonly timers: TimerWheel,
    private readonly owner: () => BreakerOwner,
  ) {
    this.threshold = options.threshold ?? 5;
    this.openDuration = options.openDuration ?? 1000;
    this.maxOpenDuration = options.maxOpenDuration ?? 30_000;
  }

  /** Whether any breaker counts failures that concern this worker. */
  tracks(worker: Worker): boolean {
    return worker.breakers !== undefined || this.events.size > 0;
  }

  /** Whether any breaker that may block a request for this worker is not closed. */
  mayBlock(worker: Worker): boolean {
    return worker.tripped > 0 || this.eventsTripped > 0;
  }

  /** State of the breaker of an event at all workers. */
  stateOf(name: string): BreakerState {
    return this.events.get(name)?.state ?? 'closed';
  }

  /**
   * Whether the breaker of an event blocks it at all workers. @param fresh see {@link
   * Breaker.blocks}.
   */
  blocksEvent(name: string, fresh: boolean): boolean {
    return this.eventsTripped > 0 && this.events.get(name)?.blocks(fresh) === true;
  }

  /** Whether a breaker blocks an event at a worker. @param fresh see {@link Breaker.blocks}. */
  blocks(worker: Worker, name: string, fresh: boolean): boolean {
    const breaker = worker.tripped > 0 ? worker.breakers?.get(name) : undefined;
    return breaker?.blocks(fresh) === true || this.blocksEvent(name, fresh);
  }

  /** Records that a request was dispatched to a worker. */
  dispatched(worker: Worker, name: string): void {
    const breaker = worker.breakers?.get(name);
    if (breaker?.state === 'half-open') breaker.probing = true;
    const event = this.events.get(name);
    if (event?.state === 'half-open') event.probing = true;
  }

  /** Records that a request ended without saying anything about the worker. */
  abandoned(worker: Worker, name: string): void {
    const breaker = worker.breakers?.get(name);
    if (breaker !== undefined) breaker.probing = false;
    const event = this.events.get(name);
    if (event !== undefined) event.probing = false;
  }

  /** Records a successful reply. */
  succeeded(worker: Worker, name: string, now: number): void {
    const breaker = worker.breakers?.get(name);
    if (breaker !== undefined && this.close(worker, name, breaker)) this.owner().closed(worker, name, now);
    this.clearLosses(name, now);
  }

  /**
   * Records a failure.
   *
   * @param costly whether the request held its credit until its deadline.
   */
  failed(worker: Worker, event: EventState | undefined, name: string, costly: boolean, now: number): void {
    if (!costly) this.clearLosses(name, now);
    const breaker = this.breakerOf(worker, name);
    breaker.failures++;
    breaker.probing = false;
    const probed = breaker.state === 'half-open';
    if (breaker.state === 'open' || (!probed && breaker.failures < this.threshold)) return;
    if (!costly && !hasAlternative(worker, event, name)) {
      if (probed && this.close(worker, name, breaker)) this.owner().closed(worker, name, now);
      return;
    }
    if (!probed && worker.tripped >= MAX_OPEN_BREAKERS) {
      this.owner().suspendWorker(worker, this.openDuration, now);
      return;
    }
    if (!probed) this.trip(worker);
    this.open(breaker, worker, name, now);
  }

  /** Records that a worker was lost while it held a request of this event. */
  lost(name: string, now: number): void {
    let breaker = this.events.get(name);
    if (breaker === undefined) {
      breaker = new Breaker();
      if (!remember(this.events, name, breaker)) return;
    }
    breaker.failures++;
    breaker.probing = false;
    if (breaker.state === 'open' || (breaker.state === 'closed' && breaker.failures < LOSSES_TO_OPEN)) return;
    if (breaker.state === 'closed') this.eventsTripped++;
    this.open(breaker, undefined, name, now);
  }

  /** Discards the breakers of a worker that was removed. */
  forget(worker: Worker): void {
    for (const { timer: timer } of worker.breakers?.values() ?? [])
      if (timer !== undefined) this.timers.cancel(timer);
    worker.breakers = undefined;
    worker.tripped = 0;
  }

  /**
   * Closes the breaker of an event at all workers: a reply shows that its requests do not crash
   * workers.
   */
  private clearLosses(name: string, now: number): void {
    const breaker = this.events.get(name);
    if (breaker === undefined) return;
    this.events.delete(name);
    if (breaker.timer !== undefined) this.timers.cancel(breaker.timer);
    if (breaker.state === 'closed') return;
    this.eventsTripped--;
    this.owner().closed(undefined, name, now);
  }

  private breakerOf(worker: Worker, name: string): Breaker {
    worker.breakers ??= new Map();
    let breaker = worker.breakers.get(name);
    if (breaker === undefined) {
      breaker = new Breaker();
      remember(worker.breakers, name, breaker);
    }
    return breaker;
  }

  private open(breaker: Breaker, worker: Worker | undefined, name: string, now: number): void {
    breaker.state = 'open';
    breaker.openDuration =
      breaker.openDuration === 0
        ? this.openDuration
        : Math.min(this.maxOpenDuration, breaker.openDuration * 2);
    breaker.timer = new TimerEntry((at) => {
      breaker.timer = undefined;
      breaker.state = 'half-open';
      this.owner().halfOpened(worker, name, at);
    });
    this.timers.add(breaker.timer, now + breaker.openDuration);
    this.owner().opened(worker, name, breaker.openDuration);
  }

  private trip(worker: Worker): void {
    worker.tripped++;
    if (worker.tripped === 1 && worker.group !== undefined) worker.group.tripped++;
  }

  /** Resets the failures. Returns whether the breaker was open or half-open. */
  private close(worker: Worker, name: string, breaker: Breaker): boolean {
    worker.breakers?.delete(name);
    if (worker.breakers?.size === 0) worker.breakers = undefined;
    if (breaker.timer !== undefined) this.timers.cancel(breaker.timer);
    if (breaker.state === 'closed') return false;
    worker.tripped--;
    if (worker.tripped === 0 && worker.group !== undefined) worker.group.tripped--;
    return true;
  }
}

/**
 * Adds to a bounded map and evicts the oldest closed breaker if necessary. Returns false if none is
 * closed.
 */
function remember(map: Map<string, Breaker>, name: string, breaker: Breaker): boolean {
  if (map.size >= MAX_REMEMBERED) {
    const oldest = [...map].find(([, { state }]) => state === 'closed');
    if (oldest === undefined) return false;
    map.delete(oldest[0]);
  }
  map.set(name, breaker);
  return true;
}

/** Whether another worker serves the event and may take its requests. */
function hasAlternative(worker: Worker, event: EventState | undefined, name: string): boolean {
  const groups = event?.groups ?? (worker.group === undefined ? [] : [worker.group]);
  for (const group of groups) {
    for (const other of group.workers) {
      if (other === worker || other.paused) continue;
      if (other.breakers?.get(name)?.blocks(true) !== true) return true;
    }
  }
  return false;
}
