/**
 * The router without its sockets: takes requests and replies, decides which worker gets what and when, and
 * settles each request exactly once. Time comes in as a number of monotonic milliseconds; nothing here waits.
 *
 * The work for a request is constant, whatever the number of events, of workers with other events, and of requests
 * waiting. Requests that are read in one turn of the event loop should be submitted with the same `now`.
 */

import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import type { ReplyMessage, RequestMessage } from '../../core/messages/message.ts';
import { redispatchedReply } from '../../core/messages/redispatched-reply.ts';
import type { UnreadReplies } from '../../core/messages/unread-replies.ts';
import type { DropCause } from '../../core/observability/diagnostics.ts';
import { Backlog } from './backlog.ts';
import { Breakers } from './breaker.ts';
import { type EventState, EventTable } from './event-table.ts';
import { isRefusal } from './failures.ts';
import { type BrokerLimits, type BrokerOptions, brokerLimits, brokerStrategy } from './limits.ts';
import { PayloadCompactor } from './payload-compactor.ts';
import { Recovery } from './recovery.ts';
import { type Origin, RouterRequest } from './request.ts';
import { RetryBudget } from './retry-budget.ts';
import { publishDrained, Scheduler } from './scheduler.ts';
import { Settlement } from './settlement.ts';
import { Counters, type RouterStats, snapshot } from './stats.ts';
import { createTimerWheel, ring, type TimerWheel } from './timers.ts';
import { Worker, type WorkerInfo, type WorkerPort } from './worker.ts';
import { WorkerSelector } from './worker-selector.ts';

/** Why a reply of a worker is dropped. */
export type ReplyDrop = Extract<DropCause, 'late-reply' | 'foreign-reply' | 'unknown-token'>;

/** Routes requests to workers; see the head of this file. */
export class Broker {
  private readonly limits: BrokerLimits;
  private readonly counters = new Counters();
  private readonly routes = new EventTable();
  private readonly alarms: TimerWheel;
  private readonly budget: RetryBudget | undefined;
  readonly breakers: Breakers | undefined;
  private readonly settler: Settlement;
  private readonly backlog: Backlog;
  private readonly dispatcher: Scheduler;
  private readonly recovery: Recovery;
  private readonly workerSet = new Set<Worker>();
  /** Workers that ever came. */
  private joined = 0;

  /**
   * @param now the present, on the clock that all later calls use.
   * @throws ZeroMQConfigError for a limit or strategy that is not acceptable.
   */
  constructor(options: BrokerOptions = {}, now = 0) {
    const { counters, routes } = this;
    const limits = brokerLimits(options);
    const strategy = brokerStrategy(options.strategy);
    const alarms = createTimerWheel(now);
    const settler = new Settlement(counters, now, options.observer);
    const budget =
      options.retryBudget === false ? undefined : new RetryBudget(options.retryBudget ?? {}, now);
    const breakers =
      options.breaker === false
        ? undefined
        : new Breakers(options.breaker ?? {}, alarms, {
            rested: (worker, eventName, rest) => this.recovery.rested(worker, eventName, rest),
            rescued: (worker, eventName, at) => this.recovery.rescued(worker, eventName, at),
            restWorker: (worker, rest, at) => this.recovery.restWorker(worker, rest, at),
          });
    const backlog = new Backlog(routes, limits.queueLimit, limits.queueBytes, (victim) =>
      settler.fail(victim, 'QUEUE_FULL'),
    );
    const chooser = new WorkerSelector(strategy, breakers, counters, options.notify);
    const startupEnd = now + limits.startupGrace;
    const dispatcher = new Scheduler(
      routes,
      backlog,
      chooser,
      breakers,
      settler,
      new PayloadCompactor(this.workerSet, alarms),
      startupEnd,
      limits.maxUnannouncedEvents,
    );
    const parts = {
      limits,
      counters,
      routes,
      alarms,
      breakers,
      budget,
      settler,
      dispatcher,
      chooser,
      startupEnd,
    };
    this.recovery = new Recovery({ ...parts, backlog, notify: options.notify });
    this.limits = limits;
    this.alarms = alarms;
    this.budget = budget;
    this.breakers = breakers;
    this.settler = settler;
    this.backlog = backlog;
    this.dispatcher = dispatcher;
  }

  /** How long (ms) after the start requests that no worker serves wait. */
  get startupGrace(): number {
    return this.limits.startupGrace;
  }

  /**
   * Takes a request. It is settled through `origin`, at once where it is refused.
   *
   * @param refA for the origin's own use, as are `refB` and `envelope`; see `Pending`.
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
    const pending = new RouterRequest(message, origin, refA, refB, envelope, now, now + allowed);
    this.counters.submitted++;
    this.settler.open(pending);
    if (this.settler.draining) this.settler.fail(pending, 'SHUTTING_DOWN');
    else if (allowed <= 0) this.settler.fail(pending, 'EXPIRED');
    else {
      this.budget?.deposit();
      this.dispatcher.place(pending, now);
    }
    return pending;
  }

  /** Nobody waits for a request any more: it leaves the queue, or its worker is told. `settle` is not called. */
  cancel(pending: RouterRequest, why: CancelReason = 'cancelled'): void {
    const { worker, state } = pending;
    if (state === 'queued') this.backlog.remove(pending);
    if (state === 'queued' && pending.least !== -Infinity) this.recovery.unblocked(pending.message.eventName);
    if (state === 'settled') return;
    this.settler.cancel(pending);
    if (state !== 'dispatched' || !(worker instanceof Worker)) return;
    pending.dropPayload();
    if (worker.cancels) worker.port.cancel(pending.id, pending.generation, why);
    else this.settler.deadlines.add(pending, pending.deadline);
  }

  /**
   * A worker came. Its `id` is not compared with others. It is given what waits for it before this returns: a port that needs
   * the worker by then finds it as `worker` of the request.
   */
  addWorker(port: WorkerPort, info: WorkerInfo, now: number): Worker {
    const worker = new Worker(port, info, ++this.joined, now);
    this.workerSet.add(worker);
    this.routes.join(worker);
    if (worker.shares) this.dispatcher.credited(worker, now);
    else this.dispatcher.pump(worker, now);
    return worker;
  }

  /**
   * A worker changed what it serves, how much it may hold, or turned out to be one of ours. What it holds stays with it.
   * Only members that are there are changed; `events: undefined` makes it serve what no worker ever announced.
   */
  updateWorker(worker: Worker, info: Partial<Omit<WorkerInfo, 'id'>>, now: number): void {
    if (worker.gone) return;
    worker.concurrency = info.concurrency ?? worker.concurrency;
    worker.cancels = info.cancels ?? worker.cancels;
    worker.shares = info.shares ?? worker.shares;
    if ('events' in info && (info.events !== worker.events || info.ranks !== worker.ranks)) {
      const orphans = this.routes.leave(worker);
      worker.events = info.events;
      worker.ranks = info.ranks;
      this.routes.join(worker);
      this.recovery.orphaned(orphans, now);
    }
    if (worker.shares) this.dispatcher.credited(worker, now);
    else this.dispatcher.refresh(worker, now);
  }

  /** A worker is gone. What it held goes to another one where that is safe, or is settled with WORKER_LOST. */
  removeWorker(worker: Worker, now: number): void {
    if (worker.gone) return;
    worker.gone = true;
    this.workerSet.delete(worker);
    const orphans = this.routes.leave(worker);
    this.recovery.orphaned(orphans, now);
    this.recovery.left(worker, now);
    publishDrained(worker);
  }

  /** A worker gets no more requests. `onDrained` is called once it holds none, or is removed; possibly at once. */
  drainWorker(worker: Worker, onDrained?: () => void): void {
    worker.draining = true;
    worker.onDrained = onDrained;
    worker.group?.refresh(worker);
    if (worker.holding.length === 0) publishDrained(worker);
  }

  /** An operator has a worker get nothing more, or again. */
  suspendWorker(worker: Worker, suspended: boolean, now: number): void {
    worker.suspended = suspended;
    this.dispatcher.refresh(worker, now);
  }

  /** An operator has the requests of an event wait, within the bounds and deadlines of all that wait, or go on. */
  pauseEvent(eventName: string, paused: boolean, now: number): void {
    const names = this.routes.paused;
    if (paused) names.add(eventName);
    else if (names.delete(eventName)) this.dispatcher.flush(eventName, now);
  }

  /** Whether it is announced, or requests wait for it. */
  isKnown(eventName: string): boolean {
    return this.routes.events.has(eventName);
  }

  isPaused(eventName: string): boolean {
    return this.routes.paused.has(eventName);
  }

  /** The way to a worker has no room: it gets nothing until `unblock`. */
  block(worker: Worker): void {
    worker.blocked = true;
    worker.group?.refresh(worker);
  }

  /** The way to a worker has room again. */
  unblock(worker: Worker, now: number): void {
    worker.blocked = false;
    this.dispatcher.refresh(worker, now);
  }

  /** A request that was dispatched never left after all: it goes to another worker or to the front of its queue. */
  giveBack(pending: RouterRequest, now: number): void {
    const { worker } = pending;
    if (!(worker instanceof Worker) || pending.generation === 0) return;
    this.dispatcher.letGo(pending, worker);
    this.recovery.withdrawn(pending, worker, now);
    this.dispatcher.refresh(worker, now);
  }

  /** The request that a worker holds under a key. */
  held(worker: Worker, id: number, generation: number): RouterRequest | undefined {
    const pending = this.dispatcher.slots.get(id, generation);
    return pending?.worker === worker ? pending : undefined;
  }

  /**
   * A worker replied. A reply that fits no request it holds is counted and dropped; one with `more` is passed on, and
   * the request stays open.
   *
   * @returns why nobody gets the reply; undefined when somebody does.
   */
  reply(
    worker: Worker,
    id: number,
    generation: number,
    reply: ReplyMessage,
    now: number,
  ): ReplyDrop | undefined {
    if (worker.timeouts > 0) this.recovery.heard(worker);
    const pending = this.held(worker, id, generation);
    const drop =
      pending === undefined ? this.dropped(id, generation) : this.accept(pending, worker, reply, now);
    this.dispatcher.refresh(worker, now);
    return drop;
  }

  /** Settles what has expired, and does what else is due. Call it no later than `nextWakeup` says. */
  tick(now: number): void {
    this.settler.deadlines.advance(now, this.recovery.expire);
    this.alarms.advance(now, ring);
  }

  /** Millisecond at which `tick` is needed next; Infinity when nothing can come due. Costs nothing. */
  nextWakeup(): number {
    return Math.min(this.settler.deadlines.nextWakeup(), this.alarms.nextWakeup());
  }

  /** Refuses new requests from now on. `onIdle` is called once every request is settled; possibly at once. */
  drain(onIdle?: () => void): void {
    this.settler.drain(onIdle);
  }

  /** Refuses new requests and settles all there are, because nobody will be there to do it. */
  shutDown(): void {
    this.settler.draining = true;
    for (const event of [...this.routes.events.values()]) this.dispatcher.failQueue(event, 'SHUTTING_DOWN');
    for (const pending of this.dispatcher.slots.values()) {
      if (pending.worker instanceof Worker) this.dispatcher.letGo(pending, pending.worker);
      if (pending.state === 'dispatched') this.settler.fail(pending, 'WORKER_LOST');
      else this.settler.deadlines.cancel(pending);
    }
  }

  /** Counters and gauges, as of now. */
  stats(): RouterStats {
    const held = this.dispatcher.slots.size;
    return snapshot(this.counters, this.backlog, this.routes, held, this.settler.live, this.workerSet.size);
  }

  /** Replies that clients do not read, which count in the bound on queued bytes. */
  get unread(): UnreadReplies {
    return this.backlog.unread;
  }

  /** The workers, in the order they came. */
  get workers(): ReadonlySet<Worker> {
    return this.workerSet;
  }

  /** Events that are announced, and those for which requests wait. */
  get events(): Iterable<EventState> {
    return this.routes.events.values();
  }

  /** Whether some worker serves the event. */
  serves(eventName: string): boolean {
    return this.routes.isServed(eventName, this.routes.events.get(eventName));
  }

  /** Counts a reply of a worker that holds no request under its key. */
  private dropped(id: number, generation: number): ReplyDrop {
    const { slots } = this.dispatcher;
    const { dropped } = this.counters;
    if (slots.get(id, generation) !== undefined) {
      dropped.foreign++;
      return 'foreign-reply';
    }
    if (slots.wasIssued(id, generation)) {
      dropped.late++;
      return 'late-reply';
    }
    dropped.forged++;
    return 'unknown-token';
  }

  private accept(
    pending: RouterRequest,
    worker: Worker,
    reply: ReplyMessage,
    now: number,
  ): ReplyDrop | undefined {
    const overdue = pending.state === 'dispatched' && pending.deadline <= now && !isRefusal(reply);
    // Its time ran out, and the timer has not come to it yet.
    if (overdue) this.recovery.overdue(pending, worker, reply.more, now);
    const waiting = pending.state === 'dispatched';
    const drop = waiting ? undefined : 'late-reply';
    if (!waiting) this.counters.dropped.late++;
    if (reply.more) {
      if (waiting) pending.origin.settle(pending, reply);
      return drop;
    }
    this.dispatcher.letGo(pending, worker);
    if (isRefusal(reply)) this.recovery.refused(pending, worker, reply, now);
    else if (this.recovery.isOutdated(pending, worker, reply)) this.recovery.outranked(pending, worker, now);
    else {
      if (waiting || pending.cancelled) this.recovery.judge(pending, worker, reply, now);
      if (waiting) this.settler.settle(pending, redispatchedReply(reply, pending.attempts > 1));
      else this.settler.deadlines.cancel(pending);
    }
    return drop;
  }
}
