/**
 * Circuit breakers: what keeps failing is rested, and tried again.
 *
 * - One for each worker and event. After `threshold` failures in a row (handler errors, bad replies, timeouts) the
 *   worker gets no requests of that event for `rest` ms; then one is tried, and with a failure it rests twice as long, up
 *   to `maxOpenDuration`. A success closes the breaker. For quick failures a worker is not rested where no other could take
 *   over: an honest error at once is better than a wait.
 * - A worker that rests for more than `MAX_TRIPPED` events rests as a whole.
 * - One for each event that was held by `LOSSES` lost workers in a row: it rests everywhere, so that a request that kills
 *   workers cannot kill them all. A reply closes it.
 */
import type { BreakerState } from '../../core/observability/reports.ts';
import { Breaker } from './breaker-state.ts';
import type { EventState } from './event-table.ts';
import { TimerEntry, type TimerWheel } from './timers.ts';
import type { Worker } from './worker.ts';

/** Settings of circuit breakers. */
export interface BreakerOptions {
  /** Failures in a row of one event at one worker. Default 5. */
  readonly threshold?: number;
  /** First rest, in ms. Default 1,000. */
  readonly openDuration?: number;
  /** Longest rest, in ms. Default 30,000. */
  readonly maxOpenDuration?: number;
}

/** What a breaker tells the core. */
export interface BreakerOwner {
  /** A worker rests for an event, or where `worker` is undefined the event rests everywhere. */
  rested(worker: Worker | undefined, eventName: string, rest: number): void;
  /** A rest is over, or a breaker closed. */
  rescued(worker: Worker | undefined, eventName: string, now: number): void;
  /** A worker fails at too many events: it should rest as a whole. */
  restWorker(worker: Worker, rest: number, now: number): void;
}

const MAX_TRIPPED = 8;
const LOSSES = 3;
/** Most failing events remembered, for a worker and for the whole router. */
const MAX_REMEMBERED = 64;

/** All breakers of a router. */
export class Breakers {
  /** How many events rest everywhere or are on trial. */
  eventsTripped = 0;
  private readonly events = new Map<string, Breaker>();
  private readonly threshold: number;
  private readonly firstRest: number;
  private readonly maxOpenDuration: number;

  constructor(
    options: BreakerOptions,
    private readonly alarms: TimerWheel,
    private readonly owner: BreakerOwner,
  ) {
    this.threshold = options.threshold ?? 5;
    this.firstRest = options.openDuration ?? 1000;
    this.maxOpenDuration = options.maxOpenDuration ?? 30_000;
  }

  /** Whether there is anything to look up for a request of this worker. */
  concerns(worker: Worker): boolean {
    return worker.breakers !== undefined || this.events.size > 0;
  }

  /** Whether any breaker that a request for this worker could meet is not closed. */
  tripped(worker: Worker): boolean {
    return worker.tripped > 0 || this.eventsTripped > 0;
  }

  /** State of the breaker that an event has for all workers. */
  stateOf(name: string): BreakerState {
    return this.events.get(name)?.state ?? 'closed';
  }

  /** Whether an event rests everywhere. @param fresh see `Breaker.blocks`. */
  eventRests(name: string, fresh: boolean): boolean {
    return this.eventsTripped > 0 && this.events.get(name)?.blocks(fresh) === true;
  }

  /** Whether a worker may not be given this event now. @param fresh see `Breaker.blocks`. */
  rests(worker: Worker, name: string, fresh: boolean): boolean {
    const pair = worker.tripped > 0 ? worker.breakers?.get(name) : undefined;
    return pair?.blocks(fresh) === true || this.eventRests(name, fresh);
  }

  /** A request is given to a worker. */
  began(worker: Worker, name: string): void {
    const pair = worker.breakers?.get(name);
    if (pair?.state === 'half-open') pair.probing = true;
    const event = this.events.get(name);
    if (event?.state === 'half-open') event.probing = true;
  }

  /** A request came back without an outcome. */
  abandoned(worker: Worker, name: string): void {
    const pair = worker.breakers?.get(name);
    if (pair !== undefined) pair.probing = false;
    const event = this.events.get(name);
    if (event !== undefined) event.probing = false;
  }

  /** A worker replied as it should. */
  succeeded(worker: Worker, name: string, now: number): void {
    const pair = worker.breakers?.get(name);
    if (pair !== undefined && this.close(worker, name, pair)) this.owner.rescued(worker, name, now);
    this.survived(name, now);
  }

  /**
   * A request failed at a worker.
   *
   * @param costly it held its credit to the end of its time.
   */
  failed(worker: Worker, event: EventState | undefined, name: string, costly: boolean, now: number): void {
    if (!costly) this.survived(name, now);
    const pair = this.pairOf(worker, name);
    pair.failures++;
    pair.probing = false;
    const again = pair.state === 'half-open';
    if (pair.state === 'open' || (!again && pair.failures < this.threshold)) return;
    if (!costly && !hasOther(worker, event, name)) {
      if (again && this.close(worker, name, pair)) this.owner.rescued(worker, name, now);
      return;
    }
    if (!again && worker.tripped >= MAX_TRIPPED) {
      this.owner.restWorker(worker, this.firstRest, now);
      return;
    }
    if (!again) this.trip(worker);
    this.open(pair, worker, name, now);
  }

  /** A worker was lost while it held a request of this event. */
  lost(name: string, now: number): void {
    let breaker = this.events.get(name);
    if (breaker === undefined) {
      breaker = new Breaker();
      if (!remember(this.events, name, breaker)) return;
    }
    breaker.failures++;
    breaker.probing = false;
    if (breaker.state === 'open' || (breaker.state === 'closed' && breaker.failures < LOSSES)) return;
    if (breaker.state === 'closed') this.eventsTripped++;
    this.open(breaker, undefined, name, now);
  }

  /** A worker is gone, and its breakers with it. */
  forget(worker: Worker): void {
    for (const { alarm } of worker.breakers?.values() ?? [])
      if (alarm !== undefined) this.alarms.cancel(alarm);
    worker.breakers = undefined;
    worker.tripped = 0;
  }

  /** Somebody replied to an event, so it kills nobody. */
  private survived(name: string, now: number): void {
    const breaker = this.events.get(name);
    if (breaker === undefined) return;
    this.events.delete(name);
    if (breaker.alarm !== undefined) this.alarms.cancel(breaker.alarm);
    if (breaker.state === 'closed') return;
    this.eventsTripped--;
    this.owner.rescued(undefined, name, now);
  }

  private pairOf(worker: Worker, name: string): Breaker {
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
    breaker.rest = breaker.rest === 0 ? this.firstRest : Math.min(this.maxOpenDuration, breaker.rest * 2);
    breaker.alarm = new TimerEntry((at) => {
      breaker.alarm = undefined;
      breaker.state = 'half-open';
      this.owner.rescued(worker, name, at);
    });
    this.alarms.add(breaker.alarm, now + breaker.rest);
    this.owner.rested(worker, name, breaker.rest);
  }

  private trip(worker: Worker): void {
    worker.tripped++;
    if (worker.tripped === 1 && worker.group !== undefined) worker.group.tripped++;
  }

  /** Forgets the failures; true when the worker rested for them. */
  private close(worker: Worker, name: string, breaker: Breaker): boolean {
    worker.breakers?.delete(name);
    if (worker.breakers?.size === 0) worker.breakers = undefined;
    if (breaker.alarm !== undefined) this.alarms.cancel(breaker.alarm);
    if (breaker.state === 'closed') return false;
    worker.tripped--;
    if (worker.tripped === 0 && worker.group !== undefined) worker.group.tripped--;
    return true;
  }
}

/** Adds to a bounded map: the oldest that is closed makes room. False when none is. */
function remember(map: Map<string, Breaker>, name: string, breaker: Breaker): boolean {
  if (map.size >= MAX_REMEMBERED) {
    const oldest = [...map].find(([, { state }]) => state === 'closed');
    if (oldest === undefined) return false;
    map.delete(oldest[0]);
  }
  map.set(name, breaker);
  return true;
}

/** Whether another worker serves the event, and does not rest for it. */
function hasOther(worker: Worker, event: EventState | undefined, name: string): boolean {
  const groups = event?.groups ?? (worker.group === undefined ? [] : [worker.group]);
  for (const group of groups) {
    for (const other of group.workers) {
      if (other === worker || other.paused) continue;
      if (other.breakers?.get(name)?.blocks(true) !== true) return true;
    }
  }
  return false;
}
