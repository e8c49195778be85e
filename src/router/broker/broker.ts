/**
 * The broker: routes requests to workers without any I/O. It takes requests and replies, decides
 * which worker receives which request and when, and settles each request exactly once. All methods
 * take the current time in monotonic milliseconds; none of them waits.
 *
 * The cost of a request is constant, whatever the number of events, of workers of other events, and
 * of queued requests. Submit requests that were read in one turn of the event loop with the same
 * `now`.
 */

import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import type { ReplyMessage, RequestMessage } from '../../core/messages/message.ts';
import type { UnreadReplies } from '../../core/messages/unread-replies.ts';
import { Backlog } from './backlog.ts';
import { Breakers } from './breaker.ts';
import { EventTable } from './event-table.ts';
import { type BrokerLimits, type BrokerOptions, brokerLimits, brokerStrategy } from './limits.ts';
import { PayloadCompactor } from './payload-compactor.ts';
import { Recovery } from './recovery.ts';
import { pinOf, Releases } from './releases.ts';
import { ReplyHandler } from './reply-handler.ts';
import { type Origin, RouterRequest } from './request.ts';
import { RetryBudget } from './retry-budget.ts';
import { notifyDrained, Scheduler } from './scheduler.ts';
import { Settlement } from './settlement.ts';
import { Counters, type ReplyDrop, type RouterStats, snapshot } from './stats.ts';
import { Streams, streamOf } from './streams.ts';
import { createTimerWheel, fireTimer, type TimerWheel } from './timers.ts';
import { Worker, type WorkerInfo, type WorkerPort } from './worker.ts';
import { WorkerSelector } from './worker-selector.ts';

/** Routes requests to workers; see the head of this file. */
export class Broker {
  private readonly limits: BrokerLimits;
  private readonly counters = new Counters();
  readonly eventTable: EventTable;
  private readonly timers: TimerWheel;
  private readonly budget: RetryBudget | undefined;
  readonly breakers: Breakers | undefined;
  readonly releases = new Releases();
  private readonly settlement: Settlement;
  private readonly backlog: Backlog;
  private readonly scheduler: Scheduler;
  private readonly recovery: Recovery;
  private readonly replies: ReplyHandler;
  /** Passes chunks and windows on. */
  readonly streams: Streams;
  private readonly workerSet = new Set<Worker>();
  /** Number of workers that ever joined. */
  private joined = 0;

  /**
   * @param now current time, on the clock of all later calls.
   * @throws {ZeroMQConfigError} when a limit or the strategy is invalid.
   */
  constructor(options: BrokerOptions = {}, now = 0) {
    const { counters, workerSet, releases } = this;
    const { notify } = options;
    const limits = brokerLimits(options);
    const eventTable = new EventTable(limits.workerGrace > 0);
    const strategy = brokerStrategy(options.strategy);
    const timers = createTimerWheel(now);
    const settlement = new Settlement(counters, now, options.observer);
    const budget =
      options.retryBudget === false ? undefined : new RetryBudget(options.retryBudget ?? {}, now);
    const breakers =
      options.breaker === false
        ? undefined
        : new Breakers(options.breaker ?? {}, timers, () => this.recovery);
    const backlog = new Backlog(eventTable, limits.queueLimit, limits.queueBytes, (evicted) =>
      settlement.fail(evicted, 'QUEUE_FULL'),
    );
    const selector = new WorkerSelector(strategy, breakers, counters, notify, options.random);
    const compactor = new PayloadCompactor(workerSet, timers);
    const startupEnd = now + limits.startupGrace;
    const { maxUnannouncedEvents } = limits;
    const shared = { eventTable, backlog, selector, breakers, settlement, startupEnd, releases };
    const scheduler = new Scheduler({ ...shared, compactor, maxUnannouncedEvents });
    this.recovery = new Recovery({ ...shared, limits, counters, timers, budget, scheduler, notify });
    const handled = { counters, recovery: this.recovery, scheduler, settlement };
    this.streams = new Streams(handled);
    this.replies = new ReplyHandler({ ...handled, streams: this.streams });
    this.limits = limits;
    this.eventTable = eventTable;
    this.timers = timers;
    this.budget = budget;
    this.breakers = breakers;
    this.settlement = settlement;
    this.backlog = backlog;
    this.scheduler = scheduler;
  }

  /** How long after startup requests for events that no worker serves are queued, in ms. */
  get startupGrace(): number {
    return this.limits.startupGrace;
  }

  /**
   * Takes a request. It is settled through `origin`, immediately if the broker rejects it.
   *
   * @param refA for the origin's own use, as are `refB` and `envelope`; see {@link RouterRequest}.
   */
  submit(
    message: RequestMessage,
    origin: Origin,
    now: number,
    refA = 0,
    refB = 0,
    envelope?: Buffer[],
  ): RouterRequest {
    const { timeLeft } = message;
    const allowed = Math.min(timeLeft === 0 ? this.limits.defaultTimeout : timeLeft, this.limits.maxTimeout);
    const request = new RouterRequest(message, origin, refA, refB, envelope, now, now + allowed);
    request.pin = pinOf(message.extras);
    request.stream = streamOf(message, now, allowed);
    this.counters.submitted++;
    this.settlement.open(request);
    if (this.settlement.draining && origin.parent?.state !== 'dispatched')
      this.settlement.fail(request, 'SHUTTING_DOWN');
    else if (allowed <= 0) this.settlement.fail(request, 'EXPIRED');
    else {
      this.budget?.deposit();
      this.scheduler.schedule(request, now);
    }
    return request;
  }

  /**
   * Takes a call of a handler; see `submit`. While the call is in flight, the worker lends the slot
   * of the handler's request, `origin.parent`. A router that drains still takes calls of requests
   * that it holds.
   */
  submitCall(worker: Worker, origin: Origin, message: RequestMessage, now: number): RouterRequest {
    if (origin.parent !== undefined) this.scheduler.callBegan(worker, origin.parent);
    this.counters.calls++;
    const request = this.submit(message, origin, now);
    this.scheduler.refresh(worker, now);
    return request;
  }

  /** A call was settled or cancelled: its worker takes back the slot that it lent. */
  callEnded(worker: Worker, parent: RouterRequest): void {
    this.scheduler.callEnded(worker, parent);
  }

  /**
   * Cancels a request whose caller no longer waits: takes it out of its queue, or forwards the
   * cancellation to its worker. `settle` is not called.
   */
  cancel(request: RouterRequest, why: CancelReason = 'cancelled'): void {
    const { worker, state } = request;
    if (state === 'queued') this.backlog.remove(request);
    if (state === 'queued' && request.minRank !== -Infinity)
      this.recovery.versionWaitEnded(request.message.eventName);
    if (state === 'settled') return;
    this.settlement.cancel(request);
    if (state !== 'dispatched' || !(worker instanceof Worker)) return;
    request.dropPayload();
    if (worker.cancels) worker.port.cancel(request.id, request.generation, why);
    else this.settlement.deadlines.add(request, request.deadline);
  }

  /**
   * Adds a worker and dispatches queued requests to it before this returns. A port that needs the
   * worker by then finds it as `request.worker`. The `id` need not be unique.
   */
  addWorker(port: WorkerPort, info: WorkerInfo, now: number): Worker {
    const worker = new Worker(port, info, ++this.joined, now);
    worker.release = this.releases.join(info.release);
    this.workerSet.add(worker);
    this.eventTable.join(worker);
    if (worker.sharesCredit) this.scheduler.creditChanged(worker, now);
    else this.scheduler.pump(worker, now);
    return worker;
  }

  /**
   * Updates the events, the concurrency or the abilities of a worker; requests that it holds stay
   * with it. Only the given members are changed. `events: undefined` makes the worker serve events
   * that no worker ever announced.
   */
  updateWorker(worker: Worker, info: Partial<Omit<WorkerInfo, 'id'>>, now: number): void {
    if (worker.removed) return;
    worker.name = info.name ?? worker.name;
    worker.concurrency = info.concurrency ?? worker.concurrency;
    worker.cancels = info.cancels ?? worker.cancels;
    worker.sharesCredit = info.sharesCredit ?? worker.sharesCredit;
    if ('events' in info) this.recovery.announced(worker, info, now);
    if (worker.sharesCredit) this.scheduler.creditChanged(worker, now);
    else this.scheduler.refresh(worker, now);
  }

  /** Handles a worker that sends nothing although its connection is established. */
  workerSilent(worker: Worker, now: number): void {
    if (!worker.removed) this.recovery.silent(worker, now);
  }

  /**
   * Removes a worker. Requests that it held are redispatched where that is safe, and otherwise
   * settled with WORKER_LOST.
   */
  removeWorker(worker: Worker, now: number): void {
    if (worker.removed) return;
    worker.removed = true;
    this.workerSet.delete(worker);
    this.releases.leave(worker.release);
    const orphans = this.eventTable.leave(worker);
    this.recovery.orphaned(orphans, now);
    this.recovery.left(worker, now);
    notifyDrained(worker);
  }

  /**
   * Stops dispatching to a worker. `onDrained` is called once the worker holds no requests or is
   * removed, possibly before this returns.
   */
  drainWorker(worker: Worker, onDrained?: () => void): void {
    worker.draining = true;
    worker.onDrained = onDrained;
    worker.group?.refresh(worker);
    if (worker.holding.length === 0) notifyDrained(worker);
  }

  /** Stops dispatching to a worker at the request of an operator, or resumes. */
  setOperatorDrain(worker: Worker, drained: boolean, now: number): void {
    worker.drainedByOperator = drained;
    this.scheduler.refresh(worker, now);
  }

  /**
   * Keeps the requests of an event queued, within the usual bounds and deadlines, or resumes
   * dispatching them.
   */
  pauseEvent(eventName: string, paused: boolean, now: number): void {
    const names = this.eventTable.paused;
    if (paused) names.add(eventName);
    else if (names.delete(eventName)) this.scheduler.flush(eventName, now);
  }

  /** Whether the event is or was announced, or has queued requests. */
  isKnown(eventName: string): boolean {
    return this.eventTable.events.has(eventName) || this.eventTable.past.has(eventName);
  }

  isPaused(eventName: string): boolean {
    return this.eventTable.paused.has(eventName);
  }

  /** Stops dispatching to a worker whose connection accepts no more messages, until `unblock`. */
  block(worker: Worker): void {
    worker.blocked = true;
    worker.group?.refresh(worker);
  }

  /** Resumes dispatching to a worker whose connection accepts messages again. */
  unblock(worker: Worker, now: number): void {
    worker.blocked = false;
    this.scheduler.refresh(worker, now);
  }

  /**
   * Returns a dispatched request that was never sent: it goes to another worker or to the front of
   * its queue.
   */
  requeueUnsent(request: RouterRequest, now: number): void {
    const { worker } = request;
    if (!(worker instanceof Worker) || request.generation === 0) return;
    this.scheduler.release(request, worker);
    this.recovery.returned(request, worker, now);
    this.scheduler.refresh(worker, now);
  }

  /** The request that a worker holds under a key. */
  held(worker: Worker, id: number, generation: number): RouterRequest | undefined {
    return this.replies.held(worker, id, generation);
  }

  /**
   * Handles a reply. A reply that matches no request of the worker is counted and dropped. A reply
   * with `more` is passed on, and the request stays in flight.
   *
   * @returns why the reply was dropped; undefined if it was used.
   */
  reply(
    worker: Worker,
    id: number,
    generation: number,
    reply: ReplyMessage,
    now: number,
  ): ReplyDrop | undefined {
    return this.replies.handle(worker, id, generation, reply, now);
  }

  /** Settles expired requests and runs due timers. Call it no later than `nextWakeup` says. */
  tick(now: number): void {
    this.settlement.deadlines.advance(now, this.recovery.expire);
    this.timers.advance(now, fireTimer);
  }

  /**
   * Time at which `tick` is needed next, in ms; Infinity if nothing is scheduled. Takes constant
   * time.
   */
  nextWakeup(): number {
    return Math.min(this.settlement.deadlines.nextWakeup(), this.timers.nextWakeup());
  }

  /**
   * Rejects new requests from now on. `onIdle` is called once every request is settled, possibly
   * before this returns.
   */
  drain(onIdle?: () => void): void {
    this.settlement.drain(onIdle);
  }

  /** Rejects new requests and settles all others at once. */
  shutDown(): void {
    this.settlement.draining = true;
    for (const event of [...this.eventTable.events.values()])
      this.scheduler.failQueue(event, 'SHUTTING_DOWN');
    for (const request of this.scheduler.slots.values()) {
      if (request.worker instanceof Worker) this.scheduler.release(request, request.worker);
      if (request.state === 'dispatched') this.settlement.fail(request, 'WORKER_LOST');
      else this.settlement.deadlines.cancel(request);
    }
  }

  /** Current counters and gauges. */
  stats(): RouterStats {
    const { counters, backlog, eventTable, scheduler, settlement, workerSet } = this;
    return snapshot(counters, backlog, eventTable, scheduler.slots.size, settlement.live, workerSet.size);
  }

  /** Replies that clients do not read; they count towards the bound on queued bytes. */
  get unread(): UnreadReplies {
    return this.backlog.unread;
  }

  /** The workers, in the order in which they joined. */
  get workers(): ReadonlySet<Worker> {
    return this.workerSet;
  }

  /** Whether a worker serves the event. */
  serves(eventName: string): boolean {
    return this.eventTable.isServed(eventName, this.eventTable.events.get(eventName));
  }
}
