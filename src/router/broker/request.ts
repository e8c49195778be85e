/** A request in the router. One class with one shape keeps the hot path monomorphic. */

import type { Linked } from '../../core/collections/linked-list.ts';
import type { ServingList } from '../../core/collections/serving-list.ts';
import type { Slotted } from '../../core/collections/slot-table.ts';
import { NO_BYTES, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import type { StreamState } from '../../core/messages/stream-state.ts';
import type { QueuedTimes } from '../../core/time/lateness.ts';
import type { Pace } from '../../core/time/pace.ts';
import { NOT_TIMED, type Timed } from '../../core/time/timing-wheel.ts';
import type { WorkerView } from '../strategies/strategy.ts';

/** The source of requests, which receives their replies. */
export interface Origin {
  /** The client that queues treat as one for fairness. Default: the origin itself. */
  readonly client?: object;
  /** Depth of a call; undefined for requests of clients. */
  readonly depth?: number;
  /** The request whose handler calls, if its worker holds it. */
  readonly parent?: RouterRequest | undefined;
  /**
   * Receives the reply to a request, possibly before `submit` returns. Called once unless the
   * request is cancelled, and before that once for each chunk or progress with `more`.
   */
  settle(request: RouterRequest, reply: ReplyMessage): void;
  /** The worker takes `bytes` more of the body of a request. */
  window?(request: RouterRequest, bytes: number): void;
}

/**
 * State of a request:
 *
 * | from | to | when |
 * |---|---|---|
 * | new | queued | no worker has credit |
 * | new | dispatched | a worker with credit takes it |
 * | new | settled | rejected: no worker serves the event, the queue is full, or the router is stopping |
 * | queued | dispatched | a worker has credit again |
 * | queued | settled | expired, cancelled, evicted, or no worker serves the event any longer |
 * | dispatched | settled | replied, timed out, cancelled, or the worker was lost |
 * | dispatched | queued | never sent, rejected by the worker, or the worker was lost and the request is idempotent |
 */
export type RequestState = 'new' | 'queued' | 'dispatched' | 'settled';

const LEGAL_TRANSITIONS: Readonly<Record<RequestState, readonly RequestState[]>> = {
  new: ['queued', 'dispatched', 'settled'],
  queued: ['dispatched', 'settled'],
  dispatched: ['queued', 'settled'],
  settled: [],
};

/** A request in the router. The fields from `id` on are written by the broker only. */
export class RouterRequest implements Slotted, Timed<RouterRequest>, Linked<RouterRequest>, QueuedTimes {
  message: RequestMessage;
  readonly origin: Origin;
  /** For the origin's own use, such as the client's slot number. */
  readonly refA: number;
  /** For the origin's own use, such as the client's generation. */
  readonly refB: number;
  /** Frames before the delimiter, to be restored in the reply. */
  readonly envelope: Buffer[] | undefined;

  /** Key that the worker's reply carries; `generation` is 0 while no worker holds the request. */
  id = 0;
  generation = 0;
  state: RequestState = 'new';
  /** Whether the caller no longer waits. */
  cancelled = false;
  /** Whether the payload has its own memory, and is not a slice of the batch it arrived in. */
  ownsPayload = false;
  /** Number of times it was dispatched. */
  attempts = 0;
  /** The worker that holds it, or held it last. */
  worker: WorkerView | undefined = undefined;
  /** Times in ms, on the broker's clock. */
  readonly enqueuedAt: number;
  dispatchedAt: number;
  readonly deadline: number;
  /** Usual duration of requests of its event; undefined while the event has no state. */
  pace: Pace | undefined = undefined;
  /** Lowest rank of workers that may receive it, while there are workers of that rank. */
  minRank = -Infinity;
  /** Version of the contract whose workers alone may receive it. */
  pin: string | undefined = undefined;
  /** Its stream, if its reply or its body may be one. */
  stream: StreamState | undefined = undefined;
  /** The worker's lending that counts the calls of its handler, and the number of those in flight. */
  lending: object | undefined = undefined;
  calls = 0;
  /** Bytes that it counts for in the bound on queued bytes. */
  size = 0;

  /** The queue of its client and event, while queued. */
  clientQueue: ServingList<RouterRequest> | undefined = undefined;
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

  /** Changes the state. Every transition passes here. */
  transition(state: RequestState): void {
    if (!LEGAL_TRANSITIONS[this.state].includes(state))
      throw new Error(`a ${this.state} request cannot be ${state}`);
    this.state = state;
  }

  /** Releases the payload of a request that is settled but whose worker has not replied yet. */
  dropPayload(): void {
    const { eventName, timeLeft, idempotent, requestId } = this.message;
    this.message = { eventName, body: NO_BYTES, timeLeft, idempotent, requestId, extras: NO_BYTES };
    this.ownsPayload = true;
  }
}
