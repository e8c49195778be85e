/** Matches requests with workers that have credit. */

import { SlotTable } from '../../core/collections/slot-table.ts';
import { cannotFinish, isFresh } from '../../core/time/lateness.ts';
import { wholeMilliseconds } from '../../core/time/whole-milliseconds.ts';
import type { Backlog } from './backlog.ts';
import type { Breakers } from './breaker.ts';
import type { EventState } from './event-state.ts';
import type { EventTable } from './event-table.ts';
import { noVersion, noWorker, type RouterFailure, versionBusy } from './failures.ts';
import { Lending } from './lending.ts';
import type { PayloadCompactor } from './payload-compactor.ts';
import type { RouterRequest } from './request.ts';
import type { Settlement } from './settlement.ts';
import type { Worker } from './worker.ts';
import type { WorkerSelector } from './worker-selector.ts';

/** The parts of the broker that the scheduler works on. */
export interface SchedulerParts {
  readonly eventTable: EventTable;
  readonly backlog: Backlog;
  readonly selector: WorkerSelector;
  readonly breakers: Breakers | undefined;
  readonly settlement: Settlement;
  readonly compactor: PayloadCompactor;
  /** Until then, requests for events that no worker serves are queued. */
  readonly startupEnd: number;
  /** Maximum number of unannounced events that requests may be queued for. */
  readonly maxUnannouncedEvents: number;
}

export class Scheduler {
  /** Dispatched requests, by the key that their replies carry. */
  readonly slots = new SlotTable<RouterRequest>();
  /** Number of requests ever dispatched. */
  private dispatches = 0;

  private readonly eventTable: EventTable;
  private readonly backlog: Backlog;
  private readonly selector: WorkerSelector;
  private readonly breakers: Breakers | undefined;
  private readonly settlement: Settlement;
  private readonly compactor: PayloadCompactor;
  private readonly startupEnd: number;
  private readonly maxUnannouncedEvents: number;

  constructor(parts: SchedulerParts) {
    this.eventTable = parts.eventTable;
    this.backlog = parts.backlog;
    this.selector = parts.selector;
    this.breakers = parts.breakers;
    this.settlement = parts.settlement;
    this.compactor = parts.compactor;
    this.startupEnd = parts.startupEnd;
    this.maxUnannouncedEvents = parts.maxUnannouncedEvents;
  }

  /** Dispatches a new request, queues it, or rejects it. */
  schedule(request: RouterRequest, now: number): void {
    const { eventName } = request.message;
    const known = this.eventTable.events.get(eventName);
    request.pace = known?.pace;
    if (request.pin !== undefined) {
      this.schedulePinned(request, request.pin, known, now);
      return;
    }
    if (this.tryDispatch(request, known, true, now)) return;
    if (request.origin.depth !== undefined && this.tryLentSlot(request, request.origin.depth, now)) return;
    if (!this.mayWait(eventName, known, now)) {
      this.settlement.settle(request, noWorker(eventName, this.eventTable.past.has(eventName)));
      return;
    }
    const event = known ?? this.eventTable.openUnannounced(eventName, this.maxUnannouncedEvents);
    if (event !== undefined && this.backlog.add(event, request)) {
      askForCredit(event);
      return;
    }
    if (event !== undefined) this.eventTable.dropUnannounced(event);
    this.settlement.fail(request, 'QUEUE_FULL');
  }

  /** Dispatches a request for one version, or rejects it: it must not hold up others in their queue. */
  private schedulePinned(
    request: RouterRequest,
    pin: string,
    event: EventState | undefined,
    now: number,
  ): void {
    const { eventName } = request.message;
    const versions = this.eventTable
      .groupsOf(eventName, event)
      .flatMap(({ release }) => release?.version ?? []);
    if (!versions.includes(pin)) {
      this.settlement.settle(request, noVersion(eventName, pin, [...new Set(versions)]));
    } else if (!this.tryDispatch(request, event, true, now)) {
      if (event !== undefined) askForCredit(event);
      this.settlement.settle(request, versionBusy(pin));
    }
  }

  /**
   * Dispatches a request that a worker held to another one, or puts it at the front of its queue.
   */
  requeue(request: RouterRequest, now: number): void {
    request.transition('queued');
    if (cannotFinish(request, now)) {
      this.settlement.fail(request, 'EXPIRED');
      return;
    }
    const { eventName } = request.message;
    const known = this.eventTable.events.get(eventName);
    if (this.tryDispatch(request, known, isFresh(request, now), now)) return;
    if (request.pin !== undefined) {
      this.settlement.fail(request, 'NO_WORKER');
      return;
    }
    if (request.origin.depth !== undefined && this.tryLentSlot(request, request.origin.depth, now)) return;
    const event =
      known ??
      (this.mayWait(eventName, known, now)
        ? this.eventTable.openUnannounced(eventName, Infinity)
        : undefined);
    if (event !== undefined && this.mayWait(eventName, event, now)) {
      this.backlog.addFirst(event, request);
      askForCredit(event);
    } else this.settlement.fail(request, 'NO_WORKER');
  }

  /** Dispatches queued requests to a worker until its credit is used up. */
  pump(worker: Worker, now: number): void {
    while (worker.readyIndex >= 0) {
      const request = this.backlog.takeFor(worker, this.breakers, now);
      if (request === undefined) return;
      this.deliver(request, worker, now);
      if (request.minRank !== -Infinity) this.flush(request.message.eventName, now);
    }
  }

  /** Dispatches queued requests of an event until the credit of its workers is used up. */
  flush(eventName: string, now: number): void {
    if (this.eventTable.paused.has(eventName)) return;
    for (;;) {
      // Looked up in each round: an unannounced event is dropped when its last request leaves, and
      // created again if that request returns.
      const event = this.eventTable.events.get(eventName);
      if (event === undefined) return;
      const { queue, groups } = event;
      const turn = queue.next(now);
      let worker = turn && this.selector.choose(groups, turn.message, isFresh(turn, now), now, turn.minRank);
      const next = worker === undefined ? queue.nextFresh(now) : turn;
      if (next === undefined) return this.flushLentSlots(event, now);
      if (next !== turn) worker = this.selector.choose(groups, next.message, true, now, next.minRank);
      if (worker === undefined) return this.flushLentSlots(event, now);
      this.backlog.serve(event, next);
      this.deliver(next, worker, now);
    }
  }

  /** A handler of the worker sends a call: its slot is lent while calls are in flight. */
  callBegan(worker: Worker, parent: RouterRequest): void {
    worker.lending ??= new Lending();
    worker.lending.began(parent);
    worker.group?.lenders.add(worker);
  }

  /** A call has ended. */
  callEnded(worker: Worker, parent: RouterRequest): void {
    worker.lending?.ended(parent);
    if (worker.lending?.lent === 0) worker.group?.lenders.delete(worker);
  }

  /** Dispatches queued calls to a worker in slots that its handlers lend. */
  private useLentSlots(worker: Worker, now: number): void {
    if (worker.lending === undefined || worker.lending.lent === 0) return;
    for (;;) {
      const call = this.backlog.takeCallFor(worker, this.breakers, now);
      if (call === undefined) return;
      this.deliver(call, worker, now);
    }
  }

  private flushLentSlots({ groups }: EventState, now: number): void {
    for (const { lenders } of groups) for (const worker of [...lenders]) this.useLentSlots(worker, now);
  }

  /** Dispatches a call in a slot that a handler lends. Returns false if there is none. */
  private tryLentSlot(request: RouterRequest, depth: number, now: number): boolean {
    const { eventName } = request.message;
    if (this.eventTable.paused.has(eventName)) return false;
    for (;;) {
      const worker = this.lenderFor(request, depth);
      if (worker === undefined) return false;
      if (this.dispatch(request, worker, now)) return true;
    }
  }

  /** The worker with the fewest running handlers of those that may be given a call in a lent slot. */
  private lenderFor({ message: { eventName }, minRank }: RouterRequest, depth: number): Worker | undefined {
    const event = this.eventTable.events.get(eventName);
    let best: Worker | undefined;
    for (const group of this.eventTable.groupsOf(eventName, event)) {
      if (best !== undefined || group.rankOf(eventName) < minRank) break;
      for (const worker of group.lenders) {
        if (!worker.mayTakeCall(depth) || this.breakers?.blocks(worker, eventName, true) === true) continue;
        if (best === undefined || running(worker) < running(best)) best = worker;
      }
    }
    return best;
  }

  /** Dispatches queued requests of all events: the shares of versions have changed. */
  flushAll(now: number): void {
    for (const { name, queue, groups } of this.eventTable.events.values())
      if (queue.length > 0 && groups.length > 0) this.flush(name, now);
  }

  /**
   * A worker reported its concurrency. Requests that still wait may be worth asking it for more
   * credit.
   */
  creditChanged(worker: Worker, now: number): void {
    worker.group?.allowCreditRequest(worker);
    this.refresh(worker, now);
    if (worker.group !== undefined && this.backlog.hasRequestsFor(worker)) worker.group.askForCredit();
  }

  /** Updates whether a worker is ready, and dispatches to it if it is. */
  refresh(worker: Worker, now: number): void {
    worker.group?.refresh(worker);
    if (worker.readyIndex >= 0) this.pump(worker, now);
    if (worker.lending !== undefined) this.useLentSlots(worker, now);
    // Credit is left and nothing is queued, so the credit that the worker was asked for is no
    // longer needed.
    if (worker.creditRequested && worker.readyIndex >= 0) worker.group?.allowCreditRequest(worker);
    if (worker.draining && worker.holding.length === 0) notifyDrained(worker);
  }

  /** Releases a request from its worker: the key becomes invalid and the credit returns. */
  release(request: RouterRequest, worker: Worker): void {
    this.slots.remove(request);
    worker.holding.remove(request);
    if (request.stream?.isCreditless === true) worker.creditless -= 1;
    if (worker.lending === undefined) return;
    worker.lending.released(request);
    if (worker.lending.lent === 0) worker.group?.lenders.delete(worker);
  }

  /** Settles all queued requests of an event with a failure. */
  failQueue(event: EventState, code: RouterFailure): void {
    for (let next = this.backlog.takeFrom(event); next !== undefined; next = this.backlog.takeFrom(event)) {
      this.settlement.fail(next, code);
    }
  }

  /** Whether a request may be queued: a worker serves its event, or may still join. */
  mayWait(eventName: string, event: EventState | undefined, now: number): boolean {
    return this.eventTable.isServed(eventName, event) || event?.inGrace === true || now < this.startupEnd;
  }

  /**
   * Dispatches the request to a worker with credit. Returns false if there is none or if other
   * requests are queued before it.
   */
  private tryDispatch(
    request: RouterRequest,
    event: EventState | undefined,
    fresh: boolean,
    now: number,
  ): boolean {
    if (event !== undefined) {
      if (this.eventTable.paused.has(event.name)) return false;
      // Requests that stay queued while a worker has credit are too old for its half-open breaker.
      const queued = request.pin === undefined && event.queue.length > 0;
      if (queued && !(fresh && this.hasOpenBreaker(event))) return false;
    }
    const groups = this.eventTable.groupsOf(request.message.eventName, event);
    for (;;) {
      const worker = this.selector.choose(groups, request.message, fresh, now, request.minRank, request.pin);
      if (worker === undefined) return false;
      if (this.dispatch(request, worker, now)) return true;
    }
  }

  /** Whether any breaker that concerns the event is not closed. */
  private hasOpenBreaker(event: EventState): boolean {
    return (this.breakers?.eventsTripped ?? 0) > 0 || event.groups.some((group) => group.tripped > 0);
  }

  /** Dispatches a request that was taken from a queue. */
  private deliver(request: RouterRequest, worker: Worker, now: number): void {
    if (cannotFinish(request, now)) {
      this.settlement.fail(request, 'EXPIRED');
    } else if (!this.dispatch(request, worker, now)) {
      const { eventName } = request.message;
      const event =
        this.eventTable.events.get(eventName) ?? this.eventTable.openUnannounced(eventName, Infinity);
      if (event !== undefined) this.backlog.addFirst(event, request);
    }
  }

  /**
   * Sends a request to a worker. Returns false, and blocks the worker, if the request could not be
   * sent.
   */
  private dispatch(request: RouterRequest, worker: Worker, now: number): boolean {
    this.slots.add(request);
    request.worker = worker;
    request.dispatchedAt = now;
    worker.holding.push(request);
    if (request.origin.depth !== undefined) worker.lending ??= new Lending();
    worker.lending?.taken(request);
    const timeLeft = Math.max(1, wholeMilliseconds(request.deadline - now));
    request.message.timeLeft = timeLeft;
    if (!worker.port.dispatch(request, timeLeft)) {
      this.release(request, worker);
      worker.blocked = true;
      worker.group?.refresh(worker);
      return false;
    }
    request.transition('dispatched');
    request.attempts++;
    this.settlement.observer?.dispatched(request);
    if (!request.ownsPayload) this.compactor.watch(now);
    worker.lastPicked = ++this.dispatches;
    if (worker.isFull) worker.group?.refresh(worker);
    if (this.breakers?.tracks(worker) === true) this.breakers.dispatched(worker, request.message.eventName);
    return true;
  }
}

/** Asks workers of an event that share their credit with other routers for more of it. */
function askForCredit(event: EventState): void {
  for (const group of event.groups) group.askForCredit();
}

/** Number of requests of a worker whose handlers do not wait on calls. */
function running({ held, creditless, lending }: Worker): number {
  return held - creditless - (lending?.lent ?? 0);
}

/** Calls `onDrained` of a worker that holds no more requests. */
export function notifyDrained(worker: Worker): void {
  const { onDrained } = worker;
  worker.onDrained = undefined;
  onDrained?.();
}
