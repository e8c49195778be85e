/**
 * Every request of a client, from `request()` to its outcome, on whatever lane: pure bookkeeping over lanes and a
 * clock. Each request is settled exactly once.
 */

import { ServingList } from '../core/collections/serving-list.ts';
import { SlotTable } from '../core/collections/slot-table.ts';
import {
  failure,
  type ReplyMessage,
  type RequestMessage,
  type Settle,
  settleSafely,
} from '../core/messages/message.ts';
import { isOutcomeCode, type OutcomeCode } from '../core/messages/outcome.ts';
import { redispatchedReply } from '../core/messages/redispatched-reply.ts';
import type { DropCause } from '../core/observability/diagnostics.ts';
import { type Clock, systemClock } from '../core/time/clock.ts';
import { DeadlineTimer } from '../core/time/deadline-timer.ts';
import { cannotFinish } from '../core/time/lateness.ts';
import { connectionLoss } from './connection-loss.ts';
import { type ClientConnection, type ClientConnectionOwner, PendingRequest } from './pending-request.ts';
import { StallDetector, type StallDetectorOwner } from './stall-detector.ts';

/** Options of a table. Durations in ms. */
export interface RequestTableOptions {
  /** How long a request waits for a connection before it fails with NO_ROUTER. */
  readonly connectTimeout: number;
  /** Most requests under way. */
  readonly maxInFlight: number;
  /** Where it tries to connect, for people. */
  readonly places: string;
  /** Called when nothing is in flight on a lane any more. */
  readonly idle?: (lane: ClientConnection) => void;
  readonly drop: (cause: DropCause) => void;
  readonly clock?: Clock;
}

/**
 * How much longer than its deadline a request waits for the word of a peer that settles it by then itself: it
 * knows whether the request ran.
 */
const HONEST_GRACE = 100;

/** Times an idempotent request is sent, when connections are lost under it. */
const MAX_ATTEMPTS = 2;

/** Times a request is sent that peers refuse because they shut down. */
const MAX_REFUSALS = 3;

export class RequestTable implements ClientConnectionOwner, StallDetectorOwner {
  private readonly slots = new SlotTable<PendingRequest>();
  private readonly waiting = new ServingList<PendingRequest>();
  private readonly deadlines: DeadlineTimer<PendingRequest>;
  private readonly clock: Clock;
  private readonly vigil: StallDetector;
  private lanes: readonly ClientConnection[] = [];
  /** Whether there was ever a connection: without one, a request fails because it was lost. */
  private hadConnection = false;

  /** @param onChange called when a lane came up or was lost. */
  constructor(
    private readonly options: RequestTableOptions,
    private readonly onChange: () => void,
  ) {
    this.clock = options.clock ?? systemClock;
    this.deadlines = new DeadlineTimer((pending) => this.expired(pending), this.clock);
    this.vigil = new StallDetector(this, this.clock);
  }

  /** Requests under way. */
  get size(): number {
    return this.slots.size;
  }

  /** Whether any lane is connected. */
  get connected(): boolean {
    return this.lanes.some((lane) => lane.connected);
  }

  /** From now on requests are sent on these lanes; what is in flight on others stays there. */
  use(lanes: readonly ClientConnection[]): void {
    const { connected } = this;
    this.lanes = lanes;
    this.pump();
    if (connected && !this.connected) this.laneRetired();
    else if (connected !== this.connected) this.onChange();
  }

  /** Takes a request. `settle` is never called before this returns. */
  add(message: RequestMessage, timeout: number, settle: Settle): PendingRequest {
    const now = this.clock.now();
    const pending = new PendingRequest(message, now, now + timeout, settle);
    if (this.slots.size >= this.options.maxInFlight) {
      queueMicrotask(() => this.refuse(pending));
      return pending;
    }
    this.slots.add(pending);
    const lane = this.waiting.first === undefined ? this.pick() : undefined;
    if (lane === undefined) this.hold(pending, now);
    else this.send(pending, lane);
    return pending;
  }

  /** Nobody waits any more; `settle` is not called. False when it was settled already. */
  cancel(pending: PendingRequest): boolean {
    if (pending.state === 'settled') return false;
    pending.lane?.abandon(pending, 'cancelled');
    this.finish(pending);
    return true;
  }

  /** Settles everything, and stops the timer. */
  close(message: string): void {
    for (const pending of this.slots.values()) {
      this.fail(pending, 'CANCELLED', message, pending.attempts > 0);
    }
    this.deadlines.close();
    this.vigil.close();
  }

  laneReply(lane: ClientConnection, id: number, generation: number, reply: ReplyMessage): void {
    const pending = this.slots.get(id, generation);
    if (pending === undefined) {
      this.options.drop(this.slots.wasIssued(id, generation) ? 'late-reply' : 'unknown-token');
    } else if (pending.lane !== lane) this.options.drop('foreign-reply');
    // Parts before the last are for callers that take parts; there are none yet.
    else if (!reply.more && !this.sendElsewhere(pending, lane, reply)) this.answered(pending, reply);
  }

  laneReady(): void {
    this.hadConnection = true;
    this.pump();
    this.onChange();
  }

  laneRetired(): void {
    const now = this.clock.now();
    for (const pending of this.slots.values()) {
      if (pending.state === 'waiting') this.beImpatient(pending, now);
    }
    this.onChange();
  }

  laneLost(lane: ClientConnection): void {
    const now = this.clock.now();
    for (const pending of this.slots.values()) {
      if (pending.state === 'waiting') this.beImpatient(pending, now);
      else if (pending.lane === lane) this.lost(pending, lane, now);
    }
    this.pump();
    this.onChange();
  }

  /** A worker's reply that comes after the deadline is late, even if the caller still waits for the peer's own word. */
  private answered(pending: PendingRequest, reply: ReplyMessage): void {
    if (pending.deadline <= this.clock.now() && !isOutcomeCode(reply.code)) {
      this.options.drop('late-reply');
      this.fail(pending, 'TIMEOUT', 'the reply came after the time given', true);
      return;
    }
    this.finish(pending);
    settleSafely(pending.settle, redispatchedReply(reply, pending.attempts > 1));
  }

  /** A peer answers nothing, though its connection stands: what may run twice need not wait for it to be lost. */
  laneSilent(lane: ClientConnection): void {
    const now = this.clock.now();
    const elsewhere = this.lanes.some((other) => other.hasRoom && !other.suspect);
    if (!elsewhere) return;
    for (const pending of this.slots.values()) {
      if (pending.lane !== lane || !this.mayRepeat(pending, now)) continue;
      lane.abandon(pending, 'cancelled');
      this.release(pending);
      this.hold(pending, now);
    }
    this.pump();
  }

  /** A request that was not run, for a reason that need not hold elsewhere, is sent elsewhere. */
  private sendElsewhere(pending: PendingRequest, lane: ClientConnection, reply: ReplyMessage): boolean {
    if (reply.dispatched) return false;
    if (reply.code === 'NO_WORKER') return this.askOther(pending, lane);
    return reply.code === 'SHUTTING_DOWN' && this.leaveTo(pending, lane);
  }

  /** A router without workers, such as one that has just started: each of the others is asked once. */
  private askOther(pending: PendingRequest, lane: ClientConnection): boolean {
    pending.tried ??= new Set();
    pending.tried.add(lane);
    const other = pending.deadline > this.clock.now() ? this.pick(pending.tried) : undefined;
    if (other === undefined) return false;
    this.release(pending);
    pending.attempts -= 1;
    this.send(pending, other);
    return true;
  }

  /** A peer that shuts down: another one may run the request, or the same one when it is back. */
  private leaveTo(pending: PendingRequest, lane: ClientConnection): boolean {
    lane.retire();
    pending.refusals += 1;
    const now = this.clock.now();
    if (pending.refusals >= MAX_REFUSALS || pending.deadline <= now) return false;
    this.release(pending);
    pending.attempts -= 1;
    this.hold(pending, now);
    this.pump();
    return true;
  }

  /** Its connection is gone, and with it any reply. */
  private lost(pending: PendingRequest, lane: ClientConnection, now: number): void {
    if (this.mayRepeat(pending, now)) {
      this.release(pending);
      this.hold(pending, now);
      return;
    }
    const message = `the connection to ${lane.endpoint} was lost under the request`;
    this.settle(pending, connectionLoss('WORKER_LOST', message, true));
  }

  private mayRepeat(pending: PendingRequest, now: number): boolean {
    return pending.message.idempotent && pending.attempts < MAX_ATTEMPTS && pending.deadline > now;
  }

  private hold(pending: PendingRequest, now: number): void {
    pending.state = 'waiting';
    this.waiting.push(pending);
    this.deadlines.add(pending, this.patience(pending, now));
  }

  /** A connection was lost: if it was the last one, a request waits for the next one no longer than for the first. */
  private beImpatient(pending: PendingRequest, now: number): void {
    if (this.connected) return;
    this.deadlines.cancel(pending);
    this.deadlines.add(pending, this.patience(pending, now));
  }

  private patience(pending: PendingRequest, now: number): number {
    return this.connected ? pending.deadline : Math.min(pending.deadline, now + this.options.connectTimeout);
  }

  private send(pending: PendingRequest, lane: ClientConnection): void {
    pending.state = 'sent';
    pending.lane = lane;
    pending.attempts += 1;
    lane.inFlight += 1;
    pending.message.timeLeft = Math.max(1, pending.deadline - this.clock.now());
    this.deadlines.add(pending, pending.deadline + (lane.honest ? HONEST_GRACE : 0));
    lane.send(pending);
    this.vigil.sent(lane);
  }

  /** Sends what waits and can still be answered, as long as a lane has room. */
  private pump(): void {
    while (this.waiting.length > 0) {
      const lane = this.pick();
      const now = this.clock.now();
      const pending = lane && this.waiting.next(now);
      if (lane === undefined || pending === undefined) return;
      this.waiting.remove(pending);
      this.deadlines.cancel(pending);
      if (cannotFinish(pending, now)) this.expired(pending);
      else {
        this.waiting.turns++;
        this.send(pending, lane);
      }
    }
  }

  /** The lane with room that has fewest requests in flight; a suspect one only where there is no other. */
  private pick(tried?: ReadonlySet<ClientConnection>): ClientConnection | undefined {
    let best: ClientConnection | undefined;
    for (const lane of this.lanes) {
      if (tried?.has(lane) === true) continue;
      if (lane.hasRoom && (best === undefined || isBetter(lane, best))) best = lane;
    }
    return best;
  }

  private expired(pending: PendingRequest): void {
    if (pending.state === 'sent') {
      pending.lane?.abandon(pending, 'expired');
      this.fail(pending, 'TIMEOUT', 'no reply came within the time given', true);
    } else if (this.connected && this.clock.now() < pending.deadline) {
      this.deadlines.add(pending, pending.deadline);
    } else if (pending.attempts > 0) {
      const message =
        'the connection was lost, and there was no other in time; check whether the request ran';
      this.settle(pending, connectionLoss('WORKER_LOST', message, true));
    } else if (this.connected) {
      this.fail(pending, 'EXPIRED', 'no socket was free within the time given', false);
    } else {
      const message = `no router or server is reachable at ${this.options.places}`;
      const reply = this.hadConnection
        ? connectionLoss('NO_ROUTER', message, false)
        : failure('NO_ROUTER', message);
      this.settle(pending, reply);
    }
  }

  /** There are too many; the caller is told once it has its handle. */
  private refuse(pending: PendingRequest): void {
    if (pending.state === 'settled') return;
    pending.state = 'settled';
    const { maxInFlight } = this.options;
    settleSafely(pending.settle, failure('BUSY', `more than ${maxInFlight} requests are in flight`));
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

  /** Takes a request off its lane, or out of the waiting line. */
  private release(pending: PendingRequest): void {
    this.deadlines.cancel(pending);
    const { lane } = pending;
    pending.lane = undefined;
    if (lane !== undefined) {
      lane.inFlight -= 1;
      if (lane.inFlight === 0) this.options.idle?.(lane);
    } else if (pending.state === 'waiting' && pending.generation !== 0) this.waiting.remove(pending);
  }
}

function isBetter(lane: ClientConnection, other: ClientConnection): boolean {
  return lane.suspect === other.suspect ? lane.inFlight < other.inFlight : other.suspect;
}
