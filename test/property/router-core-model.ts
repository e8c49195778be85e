/**
 * A broker with fake workers and clients, and its invariants.
 *
 * The world knows only what workers and clients observe, and the documented rules. It derives
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
export class ModelRequest {
  pending: RouterRequest | undefined;
  settled: ReplyMessage | undefined;
  settledAt = 0;
  chunks = 0;
  /** Time of its last dispatch. */
  dispatchedAt = 0;
  cancelled = false;
  /** Workers that received it and may have run it. */
  runs = 0;
  /** The worker that holds it. */
  holder: ModelWorker | undefined;
  /** Of a call: the worker that sent it, and the request of its handler. */
  caller: ModelWorker | undefined;
  parent: ModelRequest | undefined;
  depth = 0;

  constructor(
    readonly eventName: string,
    readonly idempotent: boolean,
    readonly deadline: number,
  ) {}

  get queued(): boolean {
    return this.settled === undefined && !this.cancelled && this.holder === undefined;
  }
}

/** The token of a request that a worker received, and the request. */
interface Token {
  readonly id: number;
  readonly generation: number;
  readonly request: ModelRequest;
}

export class ModelWorker implements WorkerPort {
  private entry: Worker | undefined;
  /** Requests that it received and has not replied to. */
  readonly open: Token[] = [];
  /** The clients that its calls count as, by depth. */
  private readonly clients: object[] = [];
  /** Requests that it has replied to. */
  readonly replied: Token[] = [];
  accepts = true;
  blocked = false;
  draining = false;
  /** Whether it was asked to drain, and how often the broker reported that it had drained. */
  drainRequested = false;
  left = false;
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

  clientOf(depth: number): object {
    return (this.clients[depth] ??= {});
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
    const request = world.requestOf(pending);
    assert.ok(pending.worker instanceof Worker);
    this.entry = pending.worker;
    if (!this.accepts) {
      this.blocked = true;
      return false;
    }
    const lends = request.depth > 0 && this.mayTakeCall(request.depth);
    assert.ok(
      !this.left && (!this.draining || lends) && !this.blocked,
      'dispatched to a worker that accepts no requests',
    );
    assert.ok(
      request.settled === undefined && !request.cancelled,
      'dispatched after it was settled or cancelled',
    );
    assert.ok(request.holder === undefined, 'dispatched while another worker holds it');
    assert.ok(
      world.servesEvent(this, request.eventName),
      'dispatched to a worker that does not serve the event',
    );
    assert.ok(pending.deadline > world.now, 'dispatched after the deadline');
    assert.ok(timeLeft >= 1 && timeLeft - 1 <= pending.deadline - world.now, 'dispatched with too much time');
    assert.equal(pending.message.timeLeft, timeLeft);
    request.runs++;
    assert.ok(
      request.runs <= (request.idempotent ? 1 + REDISPATCHES : 1),
      `dispatched ${request.runs} times`,
    );
    request.holder = this;
    request.dispatchedAt = world.now;
    this.open.push({ id: pending.id, generation: pending.generation, request });
    if (lends) return true;
    if (this.worker.cancels) assert.ok(this.open.length <= this.concurrency, 'dispatched beyond the credit');
    assert.ok(this.worker.held <= this.concurrency, 'holds more than its credit');
    return true;
  }

  /** Number of requests that it holds whose handlers wait on calls. */
  get lent(): number {
    return this.open.filter(({ request }) => this.world.callsOf(request).some((one) => one.caller === this))
      .length;
  }

  /** Whether it may receive a call of a depth in a slot that it lends. */
  mayTakeCall(depth: number): boolean {
    const { lent, open, concurrency, left, blocked, worker } = this;
    if (lent === 0 || left || blocked || worker.unresponsive || worker.suspended) return false;
    const sameDepth = open.filter(({ request }) => request.depth === depth).length;
    return open.length - lent < concurrency && sameDepth < concurrency;
  }

  cancel(id: number, generation: number): void {
    assert.ok(this.worker.cancels, 'a classic worker received a cancel');
    assert.ok(this.open.some((key) => key.id === id && key.generation === generation));
  }

  /** Whether it may receive a request, by what is observable. */
  get ready(): boolean {
    const { left, draining, blocked, worker } = this;
    if (left || draining || blocked || worker.unresponsive || worker.suspended) return false;
    return worker.held < this.concurrency;
  }
}

export class World {
  now = 5000;
  readonly core: Broker;
  readonly requests: ModelRequest[] = [];
  readonly workers: ModelWorker[] = [];
  readonly clients: readonly Origin[];
  readonly queueLimit: number;
  draining = false;
  idle = 0;
  /** Events that any worker has announced. */
  readonly announced = new Set<string>();
  /** Longest time to a reply by event, in milliseconds. */
  private readonly slowest = new Map<string, number>();
  private readonly byPending = new Map<RouterRequest, ModelRequest>();
  private submitting: ModelRequest | undefined;

  constructor(private readonly options: BrokerOptions) {
    this.queueLimit = options.queueLimit ?? 10_000;
    this.core = new Broker({ redispatches: REDISPATCHES, startupGrace: 0, ...options }, this.now);
    this.clients = [0, 1, 2].map(() => ({
      settle: (pending: RouterRequest, reply: ReplyMessage) => this.settle(pending, reply),
    }));
  }

  /** Connected workers. */
  get connected(): ModelWorker[] {
    return this.workers.filter(({ left }) => !left);
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

  requestOf(pending: RouterRequest): ModelRequest {
    const request = this.byPending.get(pending) ?? this.submitting;
    assert.ok(request, 'an unknown request');
    return request;
  }

  /** Records that a worker replies to a request that it holds. */
  recordReply({ eventName, dispatchedAt }: ModelRequest): void {
    this.slowest.set(eventName, Math.max(this.slowest.get(eventName) ?? 0, this.now - dispatchedAt));
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
    const request = new ModelRequest(eventName, idempotent, this.now + timeLeft);
    this.requests.push(request);
    const expected = this.expectedOutcomes(eventName);
    this.submitting = request;
    const body = Buffer.alloc(size, 1);
    const message = { eventName, body, timeLeft, idempotent, requestId: 'r', extras: NO_BYTES };
    const pending = this.core.submit(message, origin, this.now);
    this.submitting = undefined;
    this.byPending.set(pending, request);
    request.pending = pending;
    const outcome = request.settled?.code ?? (request.holder === undefined ? 'queued' : 'dispatched');
    assert.ok(expected.includes(outcome), `submit: ${outcome}, expected ${expected.join(' or ')}`);
  }

  /** A handler of a worker calls an event. */
  call(caller: ModelWorker, parent: ModelRequest, eventName: string, idempotent: boolean): void {
    const request = new ModelRequest(eventName, idempotent, this.now + 5000);
    Object.assign(request, { caller, parent, depth: parent.depth + 1 });
    this.requests.push(request);
    const held = parent.pending;
    assert.ok(held);
    const { depth } = request;
    const expected = this.expectedOfCall(request, held);
    const origin: Origin = {
      client: caller.clientOf(depth),
      depth,
      parent: held,
      settle: (pending, reply) => {
        this.settle(pending, reply);
        if (!reply.more) this.core.callEnded(caller.worker, held);
      },
    };
    this.submitting = request;
    const message = {
      eventName,
      body: NO_BYTES,
      timeLeft: 5000,
      idempotent,
      requestId: '',
      extras: NO_BYTES,
    };
    const pending = this.core.submitCall(caller.worker, origin, message, this.now);
    this.submitting = undefined;
    this.byPending.set(pending, request);
    request.pending = pending;
    const outcome = request.settled?.code ?? (request.holder === undefined ? 'queued' : 'dispatched');
    assert.ok(expected.includes(outcome), `call: ${outcome}, expected ${expected.join(' or ')}`);
  }

  /** Calls in flight of the handler of a request. */
  callsOf(request: ModelRequest): ModelRequest[] {
    return this.requests.filter(
      ({ parent, settled, cancelled }) => parent === request && settled === undefined && !cancelled,
    );
  }

  /** Cancels a request. */
  cancel(request: ModelRequest): void {
    if (request.pending === undefined || request.settled !== undefined || request.cancelled) return;
    request.cancelled = true;
    this.core.cancel(request.pending);
    const held = request.parent?.pending;
    if (request.caller !== undefined && held !== undefined) this.core.callEnded(request.caller.worker, held);
  }

  private expectedOfCall({ eventName, depth }: ModelRequest, parent: RouterRequest): string[] {
    if (this.draining && parent.state !== 'dispatched') return ['SHUTTING_DOWN'];
    const serving = this.connected.filter((worker) => this.servesEvent(worker, eventName));
    if (serving.length === 0)
      return this.options.workerGrace ? ['NO_WORKER', 'queued', 'QUEUE_FULL'] : ['NO_WORKER'];
    const lends = serving.some((worker) => worker.accepts && worker.mayTakeCall(depth));
    if (lends && this.options.breaker === false) return ['dispatched'];
    return ['dispatched', 'queued', 'QUEUE_FULL'];
  }

  /** Possible outcomes of a request that is submitted now. */
  private expectedOutcomes(eventName: string): string[] {
    if (this.draining) return ['SHUTTING_DOWN'];
    const serving = this.connected.filter((worker) => this.servesEvent(worker, eventName));
    if (serving.length === 0)
      return this.options.workerGrace ? ['NO_WORKER', 'queued', 'QUEUE_FULL'] : ['NO_WORKER'];
    const queued =
      this.requests.filter((request) => request.queued && request.eventName === eventName).length - 1;
    const free = serving.filter((worker) => worker.ready && (worker.accepts || queued > 0));
    if (this.options.breaker !== false) return ['dispatched', 'queued', 'QUEUE_FULL'];
    if (free.length > 0 && queued === 0) return ['dispatched'];
    const room = this.core.stats().queuedBytes + 4000 <= (this.options.queueBytes ?? Infinity);
    return queued < this.queueLimit && room ? ['queued'] : ['queued', 'QUEUE_FULL'];
  }

  private settle(pending: RouterRequest, reply: ReplyMessage): void {
    const request = this.requestOf(pending);
    assert.equal(request.settled, undefined, 'settled twice');
    assert.equal(request.cancelled, false, 'settled after it was cancelled');
    if (reply.more) {
      request.chunks++;
      return;
    }
    request.settled = reply;
    request.settledAt = this.now;
    if (pending.message.body.length > 0) assert.equal(pending.message.body[0], 1, 'payload was overwritten');
    const { code } = reply;
    if (code === 'EXPIRED' || code === 'TIMEOUT') {
      const tooLate = pending.deadline - this.now < (this.slowest.get(request.eventName) ?? 0);
      assert.ok(this.now >= pending.deadline || (tooLate && request.holder === undefined), 'too early');
    }
    if (code === 'NO_WORKER' || code === 'QUEUE_FULL' || code === 'EXPIRED' || code === 'SHUTTING_DOWN') {
      assert.equal(request.runs, 0, `${code} of a request that may have run`);
      assert.equal(reply.dispatched, false);
    }
    if (code === 'TIMEOUT' || code === 'WORKER_LOST') {
      assert.ok(request.runs > 0, `${code} of a request that no worker received`);
      assert.equal(reply.dispatched, true);
    }
    request.holder = undefined;
  }

  /** Checks the invariants after a step. */
  check(): void {
    const stats = this.core.stats();
    const queued = this.requests.filter((request) => request.queued);
    assert.equal(stats.queued, queued.length, 'number of queued requests');
    const bytes = queued.reduce(
      (sum, { pending }) => sum + (pending ? sizeOf(pending.message, undefined) : 0),
      0,
    );
    assert.equal(stats.queuedBytes, bytes, 'bytes of queued requests');
    const atWorkers = this.requests.filter((request) => request.holder !== undefined && !request.cancelled);
    assert.equal(stats.dispatched, atWorkers.length, 'number of dispatched requests');
    const settled = this.requests.filter(
      (request) => request.settled !== undefined || request.cancelled,
    ).length;
    const counted = Object.values(stats.failures).reduce(
      (sum, count) => sum + count,
      stats.ok + stats.replyErrors,
    );
    assert.equal(counted, settled, 'number of settled requests');
    assert.equal(stats.submitted, this.requests.length);
    assert.equal(stats.calls, this.requests.filter(({ depth }) => depth > 0).length);
    this.checkQueues();
    this.checkWorkers();
    if (this.options.breaker === false) this.checkNoIdleWorker(queued);
  }

  /** Checks that every request has an outcome and that the broker holds nothing. */
  checkEnd(): void {
    this.core.shutDown();
    this.now += 1e6;
    this.core.tick(this.now);
    for (const request of this.requests)
      assert.ok(request.settled !== undefined || request.cancelled, 'never settled');
    const { queued, queuedBytes, dispatched, abandoned, unannouncedEvents } = this.core.stats();
    assert.deepEqual([queued, queuedBytes, dispatched, abandoned, unannouncedEvents], [0, 0, 0, 0, 0]);
  }

  /** Checks that no expired request is left after a tick. */
  checkExpired(): void {
    for (const { settled, cancelled, deadline } of this.requests) {
      assert.ok(settled !== undefined || cancelled || deadline > this.now - LATENESS, 'expired too late');
    }
  }

  private checkQueues(): void {
    let total = 0;
    for (const event of this.core.eventTable.events.values()) {
      total += event.queue.length;
      if (event.unannounced) assert.ok(event.queue.length > 0 || event.inGrace, 'an empty event was kept');
      for (const group of event.groups) assert.ok(group.workers.size > 0, 'a group without workers');
    }
    assert.equal(total, this.core.stats().queued);
  }

  private checkWorkers(): void {
    for (const { worker, open, left, drainRequested, drained } of this.workers) {
      if (left) assert.equal(worker.held, 0);
      else if (worker.cancels) assert.equal(worker.held, open.length, 'credit in use');
      else assert.ok(worker.held <= open.length, 'credit in use');
      assert.ok(drained <= 1, 'drained was reported twice');
      if (drainRequested && worker.held === 0) assert.equal(drained, 1, 'drained was not reported');
      const ready = worker.group instanceof Group && worker.group.ready[worker.readyIndex] === worker;
      assert.equal(ready, !left && worker.eligible, 'place in the ready list');
    }
    for (const port of this.workers) {
      const { lent, worker } = port;
      assert.equal(worker.lending?.lent ?? 0, port.left ? 0 : lent, 'number of lent slots');
      assert.equal(worker.group?.lenders.has(worker) ?? false, !port.left && lent > 0, 'place among lenders');
    }
  }

  /** Checks that no request is queued while a worker that serves it has credit. */
  private checkNoIdleWorker(queued: readonly ModelRequest[]): void {
    for (const { eventName, depth } of queued.filter((request) => request.depth > 0)) {
      for (const worker of this.connected) {
        const idle = this.servesEvent(worker, eventName) && worker.mayTakeCall(depth);
        assert.ok(!idle, `a call of ${eventName} is queued while ${worker.info.id} lends a slot`);
      }
    }
    const names = new Set(queued.map(({ eventName }) => eventName));
    for (const worker of this.connected) {
      if (!worker.ready) continue;
      for (const name of names)
        assert.ok(!this.servesEvent(worker, name), `${name} is queued while ${worker.info.id} is free`);
    }
  }
}
