/**
 * A request under way in the router: one class, one shape, so that the hot path stays monomorphic.
 */

import type { Linked } from '../../core/collections/linked-list.ts';
import type { ServingList } from '../../core/collections/serving-list.ts';
import type { Slotted } from '../../core/collections/slot-table.ts';
import { NO_BYTES, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import type { QueuedTimes } from '../../core/time/lateness.ts';
import type { Pace } from '../../core/time/pace.ts';
import { NOT_TIMED, type Timed } from '../../core/time/timing-wheel.ts';
import type { WorkerView } from '../strategies/strategy.ts';

/** Whoever sent requests, and gets the replies. */
export interface Origin {
  /** What queues are fair between: the client that the origin belongs to. Default: the origin is a client of its own. */
  readonly client?: object;
  /**
   * The reply to a request, possibly before `submit` has returned. Called once, unless the request is cancelled;
   * before that once for each part that says `more`.
   */
  settle(pending: RouterRequest, reply: ReplyMessage): void;
}

/**
 * Where a request is in its life:
 *
 * | from | to | when |
 * |---|---|---|
 * | new | queued | no worker with credit |
 * | new | dispatched | a worker with credit takes it |
 * | new | settled | refused: nobody serves it, no room, router stops |
 * | queued | dispatched | credit came back |
 * | queued | settled | expired, cancelled, pushed out, nobody serves it any more |
 * | dispatched | settled | replied, timed out, cancelled, worker lost |
 * | dispatched | queued | never sent after all, refused by the worker, or worker lost and the request idempotent |
 */
export type RequestState = 'new' | 'queued' | 'dispatched' | 'settled';

const LEGAL: Readonly<Record<RequestState, readonly RequestState[]>> = {
  new: ['queued', 'dispatched', 'settled'],
  queued: ['dispatched', 'settled'],
  dispatched: ['queued', 'settled'],
  settled: [],
};

/** A request under way. The fields from `id` on belong to the core; others may read them. */
export class RouterRequest implements Slotted, Timed<RouterRequest>, Linked<RouterRequest>, QueuedTimes {
  message: RequestMessage;
  readonly origin: Origin;
  /** For the origin's own use, such as the slot number the client gave. */
  readonly refA: number;
  /** For the origin's own use, such as the generation the client gave. */
  readonly refB: number;
  /** Frames before the delimiter, to be restored in the reply. */
  readonly envelope: Buffer[] | undefined;

  /** Key under which the worker's reply finds it; `generation` 0 while no worker holds it. */
  id = 0;
  generation = 0;
  state: RequestState = 'new';
  /** The caller does not wait any more. */
  cancelled = false;
  /** Its payload has memory of its own, rather than a slice of the batch it came in. */
  owned = false;
  /** How often a worker was given it. */
  attempts = 0;
  /** The worker that holds it, or held it last. */
  worker: WorkerView | undefined = undefined;
  /** Milliseconds on the core's clock. */
  readonly enqueuedAt: number;
  dispatchedAt: number;
  readonly deadline: number;
  /** How long requests of its event usually take; undefined while the event has no state. */
  pace: Pace | undefined = undefined;
  /** Lowest rank of workers that may be given it, while there are workers of that rank. */
  least = -Infinity;
  /** What it counts for in the bound on queued bytes. */
  size = 0;

  /** The queue of its client at its event, while queued. */
  lane: ServingList<RouterRequest> | undefined = undefined;
  /** Neighbours in that queue, or in the worker's list. */
  before: RouterRequest | undefined = undefined;
  after: RouterRequest | undefined = undefined;

  dueTick = NOT_TIMED;
  dueBefore: RouterRequest | undefined = undefined;
  dueAfter: RouterRequest | undefined = undefined;

  constructor(
    message: RequestMessage,
    origin: Origin,
    refA: number,
    refB: number,
    envelope: Buffer[] | undefined,
    now: number,
    deadline: number,
  ) {
    this.message = message;
    this.origin = origin;
    this.refA = refA;
    this.refB = refB;
    this.envelope = envelope;
    this.enqueuedAt = now;
    this.dispatchedAt = now;
    this.deadline = deadline;
  }

  /** The one place where the state changes. */
  enter(state: RequestState): void {
    if (!LEGAL[this.state].includes(state)) throw new Error(`a ${this.state} request cannot be ${state}`);
    this.state = state;
  }

  /** Lets go of the payload of a request whose caller was answered, but whose worker still has to say so. */
  dropPayload(): void {
    const { eventName, timeLeft, idempotent, requestId } = this.message;
    this.message = { eventName, body: NO_BYTES, timeLeft, idempotent, requestId, extras: NO_BYTES };
    this.owned = true;
  }
}
