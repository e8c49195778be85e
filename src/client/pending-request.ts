/** A request of a client under way, and the lanes that requests travel on. */

import type { Linked } from '../core/collections/linked-list.ts';
import type { Slotted } from '../core/collections/slot-table.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import type { ReplyMessage, RequestMessage, Settle } from '../core/messages/message.ts';
import type { QueuedTimes } from '../core/time/lateness.ts';
import { NOT_TIMED, type Timed } from '../core/time/timing-wheel.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';

/** Where a request is. `waiting`: for a connection with room; `sent`: on a socket; `settled`: the end. */
export type PendingState = 'waiting' | 'sent' | 'settled';

export class PendingRequest implements Slotted, Timed<PendingRequest>, Linked<PendingRequest>, QueuedTimes {
  id = 0;
  generation = 0;
  dueTick = NOT_TIMED;
  dueBefore: PendingRequest | undefined = undefined;
  dueAfter: PendingRequest | undefined = undefined;
  state: PendingState = 'waiting';
  /** Unknown: the client does not see how long a worker takes. */
  readonly pace = undefined;
  /** Neighbours in the waiting line. */
  before: PendingRequest | undefined = undefined;
  after: PendingRequest | undefined = undefined;
  /** The lane it was sent on. */
  lane: ClientConnection | undefined = undefined;
  /** Times it was sent, and not refused by a peer that shuts down. */
  attempts = 0;
  /** Times it was so refused. */
  refusals = 0;
  /** Lanes whose peers said that nobody serves its event. */
  tried: Set<ClientConnection> | undefined = undefined;

  /**
   * @param enqueuedAt the clock's `now()` at which the caller asked.
   * @param deadline the clock's `now()` at which the caller stops waiting.
   * @param settle called once.
   */
  constructor(
    readonly message: RequestMessage,
    readonly enqueuedAt: number,
    readonly deadline: number,
    readonly settle: Settle,
  ) {}
}

/** A socket that takes requests: a link to a router or server of ours, or one of a pool towards a classic router. */
export interface ClientConnection {
  readonly endpoint: string;
  /** Whether the peer is there. */
  readonly connected: boolean;
  /** Whether it takes a request now. */
  readonly hasRoom: boolean;
  /** Whether the peer settles every request by its deadline, so that its word is worth waiting for. */
  readonly honest: boolean;
  /** Events of its socket. */
  readonly monitor: ZeroMQSocketMonitor | undefined;
  /** Messages that came so far. */
  readonly received: number;
  /** Requests in flight; kept by the client. */
  inFlight: number;
  /** Nothing comes from the peer any more, although its connection stands; kept by the client. */
  suspect: boolean;
  /** Connects, now and whenever the connection is lost. */
  open(): void;
  send(pending: PendingRequest): void;
  /** Asks the peer for a sign of life; false where that cannot be done. */
  ask(): boolean;
  /** Nobody waits for the reply any more. */
  abandon(pending: PendingRequest, why: CancelReason): void;
  /** The peer shuts down: the lane takes nothing more before its next connection. */
  retire(): void;
  close(): void;
}

/** What a lane tells the client. */
export interface ClientConnectionOwner {
  laneReply(lane: ClientConnection, id: number, generation: number, reply: ReplyMessage): void;
  /** It may take requests now. */
  laneReady(lane: ClientConnection): void;
  /** It takes no more requests for now; those in flight will get their replies. */
  laneRetired(lane: ClientConnection): void;
  /** What was in flight on it will get no reply. */
  laneLost(lane: ClientConnection): void;
}
