/**
 * A broker with faked and recorded surroundings, and its invariants.
 *
 * The world knows only what workers and clients can see, and the documented rules. It derives
 * independently which worker serves an event, which has credit, and which outcomes are possible.
 */
import assert from 'node:assert/strict';
import { NO_BYTES, type ReplyMessage } from '../../src/core/messages/message.ts';
import { Broker } from '../../src/router/broker/broker.ts';
import { Group } from '../../src/router/broker/event-state.ts';
import type { BrokerOptions } from '../../src/router/broker/limits.ts';
import { sizeOf } from '../../src/router/broker/payload.ts';
import type { Origin, RouterRequest } from '../../src/router/broker/request.ts';
import { Worker, type WorkerInfo, type WorkerPort } from '../../src/router/broker/worker.ts';

/**
 * Maximum delay of a deadline in milliseconds: the resolution of the wheel, and rounding up to it.
 */
const LATENESS = 16;
export const REDISPATCHES = 1;

/** A request as seen by its client and the workers. */
export class Seen {
  pending: RouterRequest | undefined;
  settled: ReplyMessage | undefined;
  settledAt = 0;
  parts = 0;
  /** Time of its last dispatch. */
  givenAt = 0;
  cancelled = false;
  /** Workers that received it and may have run it. */
  runs = 0;
  /** Its current state. */
  at: ModelWorker | undefined;

  constructor(
    readonly eventName: string,
    readonly idempotent: boolean,
    readonly deadline: number,
  ) {}

  get waits(): boolean {
    return this.settled === undefined && !this.cancelled && this.at === undefined;
  }
}

/** A key that a worker received, and its request. */
interface Key {
  readonly id: number;
  readonly generation: number;
  readonly seen: Seen;
}

export class ModelWorker implements WorkerPort {
  private entry: Worker | undefined;
  /** Requests that it received and has not answered. */
  readonly open: Key[] = [];
  /** Keys that it has answered. */
  readonly used: Key[] = [];
  accepts = true;
  blocked = false;
  draining = false;
  /** Whether it was asked to drain, and how often the broker reported that it had drained. */
  asked = false;
  gone = false;
  drained = 0;

  events: readonly string[] | undefined;
  concurrency: number;

  constructor(
    readonly world: World,
    readonly info: WorkerInfo,
  ) {
    this.events = info.events;
    this.concurrency = info.concurrency;
  }

  join(): void {
    this.entry = this.world.core.addWorker(this, this.info, this.world.now);
  }

  get worker(): Worker {
    assert.ok(this.entry, 'has not joined');
    return this.entry;
  }

  dispatch(pending: RouterRequest, timeLeft: number): boolean {
    const { world } = this;
    const seen = world.seenOf(pending);
    assert.ok(pending.worker instanceof Worker);
    this.entry = pending.worker;
    if (!this.accepts) {
      this.blocked = true;
      return false;
    }
    assert.ok(!this.gone && !this.draining && !this.blocked, 'given a request while it takes none');
    assert.ok(seen.settled === undefined && !seen.cancelled, 'given a request that is over');
    assert.ok(seen.at === undefined, 'given a request that another worker holds');
    assert.ok(world.servesEvent(this, seen.eventName), 'given a request it does not serve');
    assert.ok(pending.deadline > world.now, 'given a request after its deadline');
    assert.ok(timeLeft >= 1 && timeLeft - 1 <= pending.deadline - world.now, 'given too much time');
    assert.equal(pending.message.timeLeft, timeLeft);
    seen.runs++;
    assert.ok(seen.runs <= (seen.idempotent ? 1 + REDISPATCHES : 1), `dispatched ${seen.runs} times`);
    seen.at = this;
    seen.givenAt = world.now;
    this.open.push({ id: pending.id, generation: pending.generation, seen });
    if (this.worker.cancels) assert.ok(this.open.length <= this.concurrency, 'given more than its credit');
    assert.ok(this.worker.held <= this.concurrency, 'holds more than its credit');
    return true;
  }

  cancel(id: number, generation: number): void {
    assert.ok(this.worker.cancels, 'a classic worker received a cancel');
    assert.ok(this.open.some((key) => key.id === id && key.generation === generation));
  }

  /** Whether it may receive a request, judging from outside. */
  get ready(): boolean {
    const { gone, draining, blocked, worker } = this;
    if (gone || draining || blocked || worker.unresponsive || worker.suspended) return false;
    return worker.held < this.concurrency;
  }
}

export class World {
  now = 5000;
  readonly core: Broker;
  readonly requests: Seen[] = [];
  readonly workers: ModelWorker[] = [];
  readonly clients: readonly Origin[];
  readonly queueLimit: number;
  draining = false;
  idle = 0;
  /** Events that any worker has announced. */
  readonly announced = new Set<string>();
  /** Longest time to a reply by event, in milliseconds. */
  private readonly slowest = new Map<string, number>();
  private readonly byPending = new Map<RouterRequest, Seen>();
  private submitting: Seen | undefined;

  constructor(private readonly options: BrokerOptions) {
    this.queueLimit = options.queueLimit ?? 10_000;
    this.core = new Broker({ redispatches: REDISPATCHES, startupGrace: 0, ...options }, this.now);
    this.clients = [0, 1, 2].map(() => ({
      settle: (pending: RouterRequest, reply: ReplyMessage) => this.settle(pending, reply),
    }));
  }

  /** Connected workers. */
  get present(): ModelWorker[] {
    return this.workers.filter(({ gone }) => !gone);
  }

  join(info: WorkerInfo): void {
    const port = new ModelWorker(this, info);
    this.workers.push(port);
    this.announce(info.events);
    port.join();
  }

  announce(events: readonly string[] | undefined): void {
    for (const name of events ?? []) this.announced.add(name);
  }

  seenOf(pending: RouterRequest): Seen {
    const seen = this.byPending.get(pending) ?? this.submitting;
    assert.ok(seen, 'an unknown request');
    return seen;
  }

  /** A worker replies to a request that it holds. */
  replies({ eventName, givenAt }: Seen): void {
    this.slowest.set(eventName, Math.max(this.slowest.get(eventName) ?? 0, this.now - givenAt));
  }

  /**
   * Whether a worker may serve an event: it announced the event, or announces nothing and the event
   * is unannounced.
   */
  servesEvent(worker: ModelWorker, eventName: string): boolean {
    if (worker.events !== undefined) return worker.events.includes(eventName);
    return !this.announced.has(eventName);
  }

  submit(eventName: string, client: number, idempotent: boolean, timeLeft: number, size: number): void {
    const origin = this.clients[client];
    assert.ok(origin);
    const seen = new Seen(eventName, idempotent, this.now + timeLeft);
    this.requests.push(seen);
    const expected = this.expectation(eventName);
    this.submitting = seen;
    const body = Buffer.alloc(size, 1);
    const message = { eventName, body, timeLeft, idempotent, requestId: 'r', extras: NO_BYTES };
    const pending = this.core.submit(message, origin, this.now);
    this.submitting = undefined;
    this.byPending.set(pending, seen);
    seen.pending = pending;
    const outcome = seen.settled?.code ?? (seen.at === undefined ? 'queued' : 'dispatched');
    assert.ok(expected.includes(outcome), `submit: ${outcome}, expected ${expected.join(' or ')}`);
  }

  /** Possible outcomes of a request that is submitted now. */
  private expectation(eventName: string): string[] {
    if (this.draining) return ['SHUTTING_DOWN'];
    const serving = this.present.filter((worker) => this.servesEvent(worker, eventName));
    if (serving.length === 0)
      return this.options.workerGrace ? ['NO_WORKER', 'queued', 'QUEUE_FULL'] : ['NO_WORKER'];
    const waiting = this.requests.filter((seen) => seen.waits && seen.eventName === eventName).length - 1;
    const free = serving.filter((worker) => worker.ready && (worker.accepts || waiting > 0));
    if (this.options.breaker !== false) return ['dispatched', 'queued', 'QUEUE_FULL'];
    if (free.length > 0 && waiting === 0) return ['dispatched'];
    const room = this.core.stats().queuedBytes + 4000 <= (this.options.queueBytes ?? Infinity);
    return waiting < this.queueLimit && room ? ['queued'] : ['queued', 'QUEUE_FULL'];
  }

  private settle(pending: RouterRequest, reply: ReplyMessage): void {
    const seen = this.seenOf(pending);
    assert.equal(seen.settled, undefined, 'settled twice');
    assert.equal(seen.cancelled, false, 'settled though cancelled');
    if (reply.more) {
      seen.parts++;
      return;
    }
    seen.settled = reply;
    seen.settledAt = this.now;
    if (pending.message.body.length > 0) assert.equal(pending.message.body[0], 1, 'payload was overwritten');
    const { code } = reply;
    if (code === 'EXPIRED' || code === 'TIMEOUT') {
      const hopeless = pending.deadline - this.now < (this.slowest.get(seen.eventName) ?? 0);
      assert.ok(this.now >= pending.deadline || (hopeless && seen.at === undefined), 'too early');
    }
    if (code === 'NO_WORKER' || code === 'QUEUE_FULL' || code === 'EXPIRED' || code === 'SHUTTING_DOWN') {
      assert.equal(seen.runs, 0, `${code} of a request that may have run`);
      assert.equal(reply.dispatched, false);
    }
    if (code === 'TIMEOUT' || code === 'WORKER_LOST') {
      assert.ok(seen.runs > 0, `${code} of a request that no worker had`);
      assert.equal(reply.dispatched, true);
    }
    seen.at = undefined;
  }

  /** Checks the invariants after a step. */
  check(): void {
    const stats = this.core.stats();
    const waiting = this.requests.filter((seen) => seen.waits);
    assert.equal(stats.queued, waiting.length, 'count of waiting requests');
    const bytes = waiting.reduce(
      (sum, { pending }) => sum + (pending ? sizeOf(pending.message, undefined) : 0),
      0,
    );
    assert.equal(stats.queuedBytes, bytes, 'bytes of waiting requests');
    const atWorkers = this.requests.filter((seen) => seen.at !== undefined && !seen.cancelled);
    assert.equal(stats.dispatched, atWorkers.length, 'count of dispatched requests');
    const settled = this.requests.filter((seen) => seen.settled !== undefined || seen.cancelled).length;
    const counted = Object.values(stats.failures).reduce(
      (sum, count) => sum + count,
      stats.ok + stats.replyErrors,
    );
    assert.equal(counted, settled, 'count of settled requests');
    assert.equal(stats.submitted, this.requests.length);
    this.checkQueues();
    this.checkWorkers();
    if (this.options.breaker === false) this.checkNothingIdles(waiting);
  }

  /** Checks that every request has an outcome and nothing is left. */
  checkEnd(): void {
    this.core.shutDown();
    this.now += 1e6;
    this.core.tick(this.now);
    for (const seen of this.requests)
      assert.ok(seen.settled !== undefined || seen.cancelled, 'never settled');
    const { queued, queuedBytes, dispatched, abandoned, unannouncedEvents } = this.core.stats();
    assert.deepEqual([queued, queuedBytes, dispatched, abandoned, unannouncedEvents], [0, 0, 0, 0, 0]);
  }

  /** Checks that no expired request is left after a tick. */
  checkExpired(): void {
    for (const { settled, cancelled, deadline } of this.requests) {
      assert.ok(settled !== undefined || cancelled || deadline > this.now - LATENESS, 'not noticed in time');
    }
  }

  private checkQueues(): void {
    let total = 0;
    for (const event of this.core.events) {
      total += event.queue.length;
      if (event.unannounced) assert.ok(event.queue.length > 0 || event.inGrace, 'an empty event was kept');
      for (const group of event.groups) assert.ok(group.workers.size > 0, 'a group without workers');
    }
    assert.equal(total, this.core.stats().queued);
  }

  private checkWorkers(): void {
    for (const { worker, open, gone, asked, drained } of this.workers) {
      if (gone) assert.equal(worker.held, 0);
      else if (worker.cancels) assert.equal(worker.held, open.length, 'credit in use');
      else assert.ok(worker.held <= open.length, 'credit in use');
      assert.ok(drained <= 1, 'drained was reported twice');
      if (asked && worker.held === 0) assert.equal(drained, 1, 'drained was not reported');
      const ready = worker.group instanceof Group && worker.group.ready[worker.readyIndex] === worker;
      assert.equal(ready, !gone && worker.eligible, 'place in the ready list');
    }
  }

  /** Checks that no request is queued while a worker that serves it has credit. */
  private checkNothingIdles(waiting: readonly Seen[]): void {
    const names = new Set(waiting.map(({ eventName }) => eventName));
    for (const worker of this.present) {
      if (!worker.ready) continue;
      for (const name of names)
        assert.ok(!this.servesEvent(worker, name), `${name} waits, ${worker.info.id} is free`);
    }
  }
}
