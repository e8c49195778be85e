/** A request of a client that is in flight, and the interface of the connections that carry it. */

import type { Linked } from '../core/collections/linked-list.ts';
import type { Slotted } from '../core/collections/slot-table.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import type { ReplyMessage, RequestMessage, Settle, StreamPort } from '../core/messages/message.ts';
import type { ChunkPort, StreamState } from '../core/messages/stream-state.ts';
import type { QueuedTimes } from '../core/time/lateness.ts';
import { NOT_TIMED, type Timed } from '../core/time/timing-wheel.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';

/**
 * State of a request. `waiting`: for a connection with capacity; `sent`: on a socket; `settled`:
 * done.
 */
export type PendingState = 'waiting' | 'sent' | 'settled';

/** The stream of a request: who receives it, and its windows. */
export interface PendingStream {
  readonly port: StreamPort;
  readonly state: StreamState;
}

export class PendingRequest implements Slotted, Timed<PendingRequest>, Linked<PendingRequest>, QueuedTimes {
  id = 0;
  generation = 0;
  dueTick = NOT_TIMED;
  dueBefore: PendingRequest | undefined = undefined;
  dueAfter: PendingRequest | undefined = undefined;
  state: PendingState = 'waiting';
  /** Undefined because the client cannot see how long a worker takes. */
  readonly pace = undefined;
  /** Neighbours in the list of waiting requests. */
  before: PendingRequest | undefined = undefined;
  after: PendingRequest | undefined = undefined;
  /** The connection on which it was sent. */
  connection: ClientConnection | undefined = undefined;
  /** How often it was sent, not counting refusals by a peer that shuts down. */
  attempts = 0;
  /** How often a peer refused it because the peer was shutting down. */
  refusals = 0;
  /** Connections whose peers reported that no worker serves the event. */
  tried: Set<ClientConnection> | undefined = undefined;
  /** Its stream, if its reply or its body may be one. */
  stream: PendingStream | undefined = undefined;

  /**
   * Creates a request in state `waiting`.
   *
   * @param enqueuedAt `now()` of the clock when the caller made the request
   * @param deadline `now()` of the clock at which the caller stops waiting
   * @param settle called exactly once
   */
  constructor(
    readonly message: RequestMessage,
    readonly enqueuedAt: number,
    readonly deadline: number,
    readonly settle: Settle,
  ) {}
}

/**
 * A connection that carries requests: to a native router or server, or a socket of a pool to a
 * classic router.
 */
export interface ClientConnection extends ChunkPort {
  readonly endpoint: string;
  /** Whether the connection is established and its peer accepts requests. */
  readonly connected: boolean;
  /** Whether the connection accepts a request now. */
  readonly hasCapacity: boolean;
  /**
   * Whether the peer settles every request by its deadline, so that its outcome is worth waiting
   * for.
   */
  readonly enforcesDeadlines: boolean;
  /** Monitor of the socket. */
  readonly monitor: ZeroMQSocketMonitor | undefined;
  /** Number of messages received so far. */
  readonly received: number;
  /** Number of requests in flight; maintained by the client. */
  inFlight: number;
  /** The peer sends nothing although its connection is established; maintained by the client. */
  suspect: boolean;
  /** The peer is known to be in another zone than the client, or may be. Default: it is not. */
  readonly far?: boolean;
  /** Connects, and reconnects whenever the connection is lost. */
  open(): void;
  send(pending: PendingRequest): void;
  /** Whether a request was passed to `send` and waits until the peer is known; it was not sent yet. */
  holds(pending: PendingRequest): boolean;
  /** Sends a chunk of the body of a request. */
  sendChunk(id: number, generation: number, body: Buffer, end: boolean): void;
  /** Lets the peer send `bytes` more of the reply to a request. */
  sendWindow(id: number, generation: number, bytes: number): void;
  /** Probes the peer; false if the connection cannot do that. */
  probe(): boolean;
  /** The caller no longer waits for the reply. */
  abandon(pending: PendingRequest, why: CancelReason): void;
  /** The peer is shutting down: the connection accepts no request until it is established again. */
  retire(): void;
  close(): void;
}

/** Callbacks of a connection to the client. */
export interface ClientConnectionOwner {
  onReply(connection: ClientConnection, id: number, generation: number, reply: ReplyMessage): void;
  /** The peer takes `bytes` more of the body of a request. */
  onWindow(connection: ClientConnection, id: number, generation: number, bytes: number): void;
  /** The connection may accept requests now. */
  onReady(connection: ClientConnection): void;
  /** The connection accepts no further request for now. Those in flight still get their replies. */
  onRetired(connection: ClientConnection): void;
  /** Requests in flight on the connection get no reply. */
  onLost(connection: ClientConnection): void;
}
