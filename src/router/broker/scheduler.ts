/** Brings requests and workers with credit together. */

import { SlotTable } from '../../core/collections/slot-table.ts';
import { cannotFinish, isFresh } from '../../core/time/lateness.ts';
import type { Backlog } from './backlog.ts';
import type { Breakers } from './breaker.ts';
import type { EventState, EventTable } from './event-table.ts';
import { noWorker, type RouterFailure } from './failures.ts';
import type { PayloadCompactor } from './payload-compactor.ts';
import type { RouterRequest } from './request.ts';
import type { Settlement } from './settlement.ts';
import type { Worker } from './worker.ts';
import type { WorkerSelector } from './worker-selector.ts';

export class Scheduler {
  /** Requests at workers, under the keys that their replies bear. */
  readonly slots = new SlotTable<RouterRequest>();
  /** How many requests were ever given to a worker. */
  private dispatches = 0;

  /**
   * @param startupEnd until then requests that nobody serves wait.
   * @param maxUnannouncedEvents most events that nobody announced and that requests may wait for.
   */
  constructor(
    private readonly routes: EventTable,
    private readonly backlog: Backlog,
    private readonly chooser: WorkerSelector,
    private readonly breakers: Breakers | undefined,
    private readonly settler: Settlement,
    private readonly sweeper: PayloadCompactor,
    private readonly startupEnd: number,
    private readonly maxUnannouncedEvents: number,
  ) {}

  /** Finds a worker for a new request, or a place in the queue, or refuses it. */
  place(pending: RouterRequest, now: number): void {
    const { eventName } = pending.message;
    const known = this.routes.events.get(eventName);
    pending.pace = known?.pace;
    if (this.offer(pending, known, true, now)) return;
    if (!this.mayWait(eventName, known, now)) {
      this.settler.settle(pending, noWorker(eventName, this.routes.past.has(eventName)));
      return;
    }
    const event = known ?? this.routes.openUnannounced(eventName, this.maxUnannouncedEvents);
    if (event !== undefined && this.backlog.add(event, pending)) {
      askForCredit(event);
      return;
    }
    if (event !== undefined) this.routes.dropStray(event);
    this.settler.fail(pending, 'QUEUE_FULL');
  }

  /** Finds another worker for a request that was at one, or puts it in front of its queue. */
  putBack(pending: RouterRequest, now: number): void {
    pending.enter('queued');
    if (cannotFinish(pending, now)) {
      this.settler.fail(pending, 'EXPIRED');
      return;
    }
    const { eventName } = pending.message;
    const known = this.routes.events.get(eventName);
    if (this.offer(pending, known, isFresh(pending, now), now)) return;
    const event =
      known ??
      (this.mayWait(eventName, known, now) ? this.routes.openUnannounced(eventName, Infinity) : undefined);
    if (event !== undefined && this.mayWait(eventName, event, now)) {
      this.backlog.addFirst(event, pending);
      askForCredit(event);
    } else this.settler.fail(pending, 'NO_WORKER');
  }

  /** Gives a worker what waits for it, as far as its credit goes. */
  pump(worker: Worker, now: number): void {
    while (worker.place >= 0) {
      const pending = this.backlog.takeFor(worker, this.breakers, now);
      if (pending === undefined) return;
      this.deliver(pending, worker, now);
      if (pending.least !== -Infinity) this.flush(pending.message.eventName, now);
    }
  }

  /** Gives what waits for an event to workers, as far as their credit goes. */
  flush(eventName: string, now: number): void {
    if (this.routes.paused.has(eventName)) return;
    for (;;) {
      // Looked up each time: a stray event is dropped when its last request leaves, and made anew if that comes back.
      const event = this.routes.events.get(eventName);
      if (event === undefined) return;
      const { queue, groups } = event;
      const turn = queue.next(now);
      let worker = turn && this.chooser.choose(groups, turn.message, isFresh(turn, now), now, turn.least);
      const next = worker === undefined ? queue.nextFresh(now) : turn;
      if (next === undefined) return;
      if (next !== turn) worker = this.chooser.choose(groups, next.message, true, now, next.least);
      if (worker === undefined) return;
      this.backlog.serve(event, next);
      this.deliver(next, worker, now);
    }
  }

  /** A worker said anew how much it takes: it may be asked for more, and is if that does not do. */
  credited(worker: Worker, now: number): void {
    worker.group?.mayAsk(worker);
    this.refresh(worker, now);
    if (worker.group !== undefined && this.backlog.holdsFor(worker)) worker.group.askForCredit();
  }

  /** A worker may have become ready, or not ready any more. */
  refresh(worker: Worker, now: number): void {
    worker.group?.refresh(worker);
    if (worker.place >= 0) this.pump(worker, now);
    // With credit left and nothing waiting, what it was asked for is no longer wanted.
    if (worker.asked && worker.place >= 0) worker.group?.mayAsk(worker);
    if (worker.draining && worker.holding.length === 0) publishDrained(worker);
  }

  /** A worker holds a request no longer: its key is void, and the credit is back. */
  letGo(pending: RouterRequest, worker: Worker): void {
    this.slots.remove(pending);
    worker.holding.remove(pending);
  }

  /** Settles everything that waits for an event. */
  failQueue(event: EventState, code: RouterFailure): void {
    for (let next = this.backlog.takeFrom(event); next !== undefined; next = this.backlog.takeFrom(event)) {
      this.settler.fail(next, code);
    }
  }

  /** Whether a request may wait: a worker serves its event, or one may still come. */
  mayWait(eventName: string, event: EventState | undefined, now: number): boolean {
    return this.routes.isServed(eventName, event) || event?.inGrace === true || now < this.startupEnd;
  }

  /** Gives the request to a worker with credit; false when there is none, or others wait before it. */
  private offer(pending: RouterRequest, event: EventState | undefined, fresh: boolean, now: number): boolean {
    if (event !== undefined) {
      if (this.routes.paused.has(event.name)) return false;
      // What a worker with credit leaves waiting is too old for its half-open breaker.
      if (event.queue.length > 0 && !(fresh && this.trips(event))) return false;
    }
    const groups = this.routes.groupsOf(pending.message.eventName, event);
    for (;;) {
      const worker = this.chooser.choose(groups, pending.message, fresh, now, pending.least);
      if (worker === undefined) return false;
      if (this.dispatch(pending, worker, now)) return true;
    }
  }

  /** Whether a breaker that concerns the event is not closed. */
  private trips(event: EventState): boolean {
    return (this.breakers?.eventsTripped ?? 0) > 0 || event.groups.some((group) => group.tripped > 0);
  }

  /** Gives a worker a request that was taken from a queue. */
  private deliver(pending: RouterRequest, worker: Worker, now: number): void {
    if (cannotFinish(pending, now)) {
      this.settler.fail(pending, 'EXPIRED');
    } else if (!this.dispatch(pending, worker, now)) {
      const { eventName } = pending.message;
      const event = this.routes.events.get(eventName) ?? this.routes.openUnannounced(eventName, Infinity);
      if (event !== undefined) this.backlog.addFirst(event, pending);
    }
  }

  /** Sends a request to a worker; false when it could not be sent, and the worker is blocked. */
  private dispatch(pending: RouterRequest, worker: Worker, now: number): boolean {
    this.slots.add(pending);
    pending.worker = worker;
    pending.dispatchedAt = now;
    worker.holding.push(pending);
    const timeLeft = Math.max(1, Math.ceil(pending.deadline - now));
    pending.message.timeLeft = timeLeft;
    if (!worker.port.dispatch(pending, timeLeft)) {
      this.letGo(pending, worker);
      worker.blocked = true;
      worker.group?.refresh(worker);
      return false;
    }
    pending.enter('dispatched');
    pending.attempts++;
    this.settler.observer?.dispatched(pending);
    if (!pending.owned) this.sweeper.watch(now);
    worker.lastPicked = ++this.dispatches;
    if (worker.holding.length >= worker.concurrency) worker.group?.refresh(worker);
    if (this.breakers?.concerns(worker) === true) this.breakers.began(worker, pending.message.eventName);
    return true;
  }
}

/** Asks the workers of an event for more credit, where they have some at other routers. */
function askForCredit(event: EventState): void {
  for (const group of event.groups) group.askForCredit();
}

/** Says that a worker holds nothing any more, to whoever waits for it. */
export function publishDrained(worker: Worker): void {
  const { onDrained } = worker;
  worker.onDrained = undefined;
  onDrained?.();
}
