/**
 * Keeps every request of a client from `request()` to its outcome, across all connections. It works
 * on connections and a clock only and does no I/O. Each request is settled exactly once.
 */

import { ServingList } from '../core/collections/serving-list.ts';
import { SlotTable } from '../core/collections/slot-table.ts';
import { connectionLoss } from '../core/messages/connection-loss.ts';
import {
  failure,
  type ReplyMessage,
  type RequestMessage,
  type Settle,
  type StreamPort,
  settleSafely,
} from '../core/messages/message.ts';
import { isOutcomeCode, type OutcomeCode } from '../core/messages/outcome.ts';
import { redispatchedReply } from '../core/messages/redispatched-reply.ts';
import type { DropCause } from '../core/observability/diagnostics.ts';
import { type Clock, systemClock } from '../core/time/clock.ts';
import { DeadlineTimer } from '../core/time/deadline-timer.ts';
import { cannotFinish } from '../core/time/lateness.ts';
import {
  ClientStreams,
  isOverdue,
  mayRestart,
  OUTCOME_GRACE,
  streamTo,
  timeoutOf,
} from './client-streams.ts';
import { type ClientConnection, type ClientConnectionOwner, PendingRequest } from './pending-request.ts';
import { ConnectionSelector } from './select-connection.ts';
import { StallDetector, type StallDetectorOwner } from './stall-detector.ts';

/** Options of a request table. Durations are in milliseconds. */
export interface RequestTableOptions {
  /** How long a request waits for a connection before it fails with `NO_ROUTER`. */
  readonly connectTimeout: number;
  /** Maximum number of requests in flight. */
  readonly maxInFlight: number;
  /** Returns the endpoints of the client and why they are not connected, for messages. */
  readonly endpoints: () => string;
  /** How long a stream may be silent. */
  readonly streamIdleTimeout: number;
  /** Called when a connection has no request in flight left. */
  readonly onIdle?: (connection: ClientConnection) => void;
  readonly drop: (cause: DropCause) => void;
  readonly clock?: Clock;
}

/** How often an idempotent request is sent if its connections are lost. */
const MAX_ATTEMPTS = 2;

/** How often a request is sent if peers refuse it because they shut down. */
const MAX_REFUSALS = 3;

const NOT_RECONNECTED =
  'the connection was lost and no other was established in time; the request may have run';
const POOL_TOO_SMALL = 'no socket of the pool was free before the deadline; consider a larger poolSize';

export class RequestTable implements ClientConnectionOwner, StallDetectorOwner {
  private readonly slots = new SlotTable<PendingRequest>();
  private readonly waiting = new ServingList<PendingRequest>();
  private readonly deadlines: DeadlineTimer<PendingRequest>;
  private readonly clock: Clock;
  private readonly stallDetector: StallDetector;
  readonly streams: ClientStreams;
  private readonly selector = new ConnectionSelector();
  /** Whether a connection was ever established. If so, requests without one fail as disconnected. */
  private hadConnection = false;

  /** @param onChange called when a connection is established or lost */
  constructor(
    private readonly options: RequestTableOptions,
    private readonly onChange: () => void,
  ) {
    this.clock = options.clock ?? systemClock;
    this.deadlines = new DeadlineTimer((pending) => this.expired(pending), this.clock);
    this.stallDetector = new StallDetector(this, this.clock);
    this.streams = new ClientStreams(options, this.clock, (pending, reply) => this.settle(pending, reply));
  }

  /** Number of requests in flight. */
  get size(): number {
    return this.slots.size;
  }

  /** Whether any connection is established. */
  get connected(): boolean {
    return this.selector.connections.some((connection) => connection.connected);
  }

  /** Sends requests on these connections from now on. Requests in flight on others stay there. */
  useConnections(connections: readonly ClientConnection[]): void {
    const { connected } = this;
    this.selector.connections = connections;
    this.sendWaiting();
    if (connected && !this.connected) this.onRetired();
    else if (connected !== this.connected) this.onChange();
  }

  /** Adds a request. `settle` is never called before this returns. */
  add(message: RequestMessage, timeout: number, settle: Settle, port?: StreamPort): PendingRequest {
    const now = this.clock.now();
    const pending = new PendingRequest(message, now, now + timeout, settle);
    if (port !== undefined) pending.stream = streamTo(port, now, timeout);
    if (this.slots.size >= this.options.maxInFlight) {
      queueMicrotask(() => this.rejectExcess(pending));
      return pending;
    }
    this.slots.add(pending);
    const connection = this.waiting.first === undefined ? this.selector.select() : undefined;
    if (connection === undefined) this.enqueue(pending, now);
    else this.send(pending, connection);
    return pending;
  }

  /** Cancels a request without calling `settle`. Returns false if it was already settled. */
  cancel(pending: PendingRequest): boolean {
    if (pending.state === 'settled') return false;
    pending.connection?.abandon(pending, 'cancelled');
    this.finish(pending);
    return true;
  }

  /** Settles all requests and stops the timer. */
  close(message: string): void {
    for (const pending of this.slots.values()) {
      this.fail(pending, 'CANCELLED', message, pending.attempts > 0);
    }
    this.deadlines.close();
    this.stallDetector.close();
  }

  onReply(connection: ClientConnection, id: number, generation: number, reply: ReplyMessage): void {
    const pending = this.slots.get(id, generation);
    if (pending === undefined) {
      this.options.drop(this.slots.wasIssued(id, generation) ? 'late-reply' : 'unknown-token');
    } else if (pending.connection !== connection) this.options.drop('foreign-reply');
    // Only the last part of a reply settles a request. Callers without a stream do not receive chunks.
    else if (reply.more) this.streams.part(pending, reply);
    else if (!this.sendElsewhere(pending, connection, reply)) this.answered(pending, reply);
  }

  onWindow(connection: ClientConnection, id: number, generation: number, bytes: number): void {
    const pending = this.slots.get(id, generation);
    if (pending?.connection === connection) this.streams.window(pending, connection, bytes);
  }

  onReady(): void {
    this.hadConnection = true;
    this.sendWaiting();
    this.onChange();
  }

  onRetired(): void {
    const now = this.clock.now();
    for (const pending of this.slots.values()) {
      if (pending.state === 'waiting') this.limitWait(pending, now);
    }
    this.onChange();
  }

  onLost(connection: ClientConnection): void {
    const now = this.clock.now();
    for (const pending of this.slots.values()) {
      if (pending.state === 'waiting') this.limitWait(pending, now);
      else if (pending.connection === connection) this.lost(pending, connection, now);
    }
    this.sendWaiting();
    this.onChange();
  }

  /** A reply after the deadline is late, even though the client still waits for the outcome. */
  private answered(pending: PendingRequest, reply: ReplyMessage): void {
    if (isOverdue(pending, this.clock.now()) && !isOutcomeCode(reply.code)) {
      this.options.drop('late-reply');
      this.fail(pending, 'TIMEOUT', 'the reply arrived after the deadline', true);
      return;
    }
    this.finish(pending);
    settleSafely(pending.settle, redispatchedReply(reply, pending.attempts > 1));
  }

  /** The peer does not answer: sends idempotent requests elsewhere without waiting for a loss. */
  onSilent(connection: ClientConnection): void {
    const now = this.clock.now();
    const elsewhere = this.selector.connections.some((other) => other.hasCapacity && !other.suspect);
    if (!elsewhere) return;
    for (const pending of this.slots.values()) {
      if (pending.connection !== connection || !this.maySendAgain(pending, now)) continue;
      connection.abandon(pending, 'cancelled');
      this.release(pending);
      this.enqueue(pending, now);
    }
    this.sendWaiting();
  }

  /** Sends a request elsewhere if it did not run for a reason that may not apply to other peers. */
  private sendElsewhere(pending: PendingRequest, connection: ClientConnection, reply: ReplyMessage): boolean {
    if (reply.dispatched || !mayRestart(pending)) return false;
    if (reply.code === 'NO_WORKER') return this.tryOtherRouter(pending, connection);
    return reply.code === 'SHUTTING_DOWN' && this.sendAgainLater(pending, connection);
  }

  /** The router has no worker for the event: tries each other router once. */
  private tryOtherRouter(pending: PendingRequest, connection: ClientConnection): boolean {
    pending.tried ??= new Set();
    pending.tried.add(connection);
    const other = pending.deadline > this.clock.now() ? this.selector.select(pending.tried) : undefined;
    if (other === undefined) return false;
    this.release(pending);
    pending.attempts -= 1;
    this.send(pending, other);
    return true;
  }

  /** The peer is shutting down: another one, or the same one later, may run the request. */
  private sendAgainLater(pending: PendingRequest, connection: ClientConnection): boolean {
    connection.retire();
    pending.refusals += 1;
    const now = this.clock.now();
    if (pending.refusals >= MAX_REFUSALS || pending.deadline <= now) return false;
    this.release(pending);
    pending.attempts -= 1;
    this.enqueue(pending, now);
    this.sendWaiting();
    return true;
  }

  /** The connection is lost, and with it any reply. */
  private lost(pending: PendingRequest, connection: ClientConnection, now: number): void {
    const unsent = connection.holds(pending);
    if (unsent) pending.attempts -= 1;
    if (unsent || this.maySendAgain(pending, now)) {
      this.release(pending);
      this.enqueue(pending, now);
      return;
    }
    const message = `the connection to ${connection.endpoint} was lost while the request was in flight`;
    this.settle(pending, connectionLoss('WORKER_LOST', message, true));
  }

  private maySendAgain(pending: PendingRequest, now: number): boolean {
    const { message, attempts, deadline } = pending;
    return message.idempotent && attempts < MAX_ATTEMPTS && deadline > now && mayRestart(pending);
  }

  private enqueue(pending: PendingRequest, now: number): void {
    pending.state = 'waiting';
    this.waiting.push(pending);
    this.deadlines.add(pending, this.waitUntil(pending, now));
  }

  /** Limits the wait after the loss of the last connection to `connectTimeout`. */
  private limitWait(pending: PendingRequest, now: number): void {
    if (this.connected) return;
    this.deadlines.cancel(pending);
    this.deadlines.add(pending, this.waitUntil(pending, now));
  }

  private waitUntil(pending: PendingRequest, now: number): number {
    return this.connected ? pending.deadline : Math.min(pending.deadline, now + this.options.connectTimeout);
  }

  private send(pending: PendingRequest, connection: ClientConnection): void {
    pending.state = 'sent';
    pending.connection = connection;
    pending.attempts += 1;
    connection.inFlight += 1;
    pending.message.timeLeft = Math.max(1, pending.deadline - this.clock.now());
    this.deadlines.add(pending, pending.deadline + (connection.enforcesDeadlines ? OUTCOME_GRACE : 0));
    connection.send(pending);
    this.stallDetector.sent(connection);
  }

  /** Sends waiting requests that can still be answered, while a connection has capacity. */
  private sendWaiting(): void {
    while (this.waiting.length > 0) {
      const connection = this.selector.select();
      const now = this.clock.now();
      const pending = connection && this.waiting.next(now);
      if (connection === undefined || pending === undefined) return;
      this.waiting.remove(pending);
      this.deadlines.cancel(pending);
      if (cannotFinish(pending, now)) this.expired(pending);
      else {
        this.waiting.turns++;
        this.send(pending, connection);
      }
    }
  }

  private expired(pending: PendingRequest): void {
    if (pending.state === 'sent') {
      if (this.streams.mayContinue(pending, this.deadlines)) return;
      pending.connection?.abandon(pending, 'expired');
      this.settle(pending, timeoutOf(pending));
    } else if (this.connected && this.clock.now() < pending.deadline) {
      this.deadlines.add(pending, pending.deadline);
    } else if (pending.attempts > 0) {
      this.settle(pending, connectionLoss('WORKER_LOST', NOT_RECONNECTED, true));
    } else if (this.connected) {
      this.fail(pending, 'EXPIRED', POOL_TOO_SMALL, false);
    } else {
      const message = `no connection to a router or server at ${this.options.endpoints()}`;
      const reply = this.hadConnection
        ? connectionLoss('NO_ROUTER', message, false)
        : failure('NO_ROUTER', message);
      this.settle(pending, reply);
    }
  }

  /** Rejects a request beyond the maximum, after the caller has received its handle. */
  private rejectExcess(pending: PendingRequest): void {
    if (pending.state === 'settled') return;
    pending.state = 'settled';
    const text = `${this.options.maxInFlight} requests are in flight, the maximum (maxInFlight)`;
    settleSafely(pending.settle, failure('BUSY', text));
  }

  private fail(pending: PendingRequest, code: OutcomeCode, message: string, dispatched: boolean): void {
    this.settle(pending, failure(code, message, { dispatched }));
  }

  private settle(pending: PendingRequest, reply: ReplyMessage): void {
    this.finish(pending);
    settleSafely(pending.settle, reply);
  }

  private finish(pending: PendingRequest): void {
    this.release(pending);
    pending.state = 'settled';
    this.slots.remove(pending);
  }

  /** Removes a request from its connection, or from the list of waiting requests. */
  private release(pending: PendingRequest): void {
    this.deadlines.cancel(pending);
    const { connection } = pending;
    pending.connection = undefined;
    pending.stream?.state.body?.returned();
    if (connection !== undefined) {
      connection.inFlight -= 1;
      if (connection.inFlight === 0) this.options.onIdle?.(connection);
    } else if (pending.state === 'waiting' && pending.generation !== 0) this.waiting.remove(pending);
  }
}
