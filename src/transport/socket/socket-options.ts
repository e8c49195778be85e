/** Options and callbacks of a socket. */
import type { CurveClient, CurveEndpoint } from '../curve/curve-options.ts';
import type { Pings } from '../libzmq/heartbeat-options.ts';

/** Options of a socket. Durations are in milliseconds. */
export interface MessageSocketOptions {
  readonly type: 'router' | 'dealer';
  /** ZMQ_ROUTING_ID, at most 255 bytes. */
  readonly routingId?: string;
  /** ZMQ_MAXMSGSIZE in bytes; a peer that sends a larger message is cut. Default: 16 MiB. */
  readonly maxMessageSize?: number;
  /** ZMQ_SNDHWM in messages per peer. Default: 100 for a ROUTER, 1,000 for a DEALER. */
  readonly sendHighWaterMark?: number;
  /** ZMQ_RCVHWM in messages per peer. Default: 100 for a ROUTER, 1,000 for a DEALER. */
  readonly receiveHighWaterMark?: number;
  /**
   * ZMQ_LINGER: how long unsent messages keep the socket open after it is closed. Default: 1,000.
   */
  readonly linger?: number;
  /** How often libzmq pings the peers. Default: `often`, which detects a dead peer within 10 s. */
  readonly pings?: Pings;
  /** Reports when a peer of a ROUTER connects or leaves; see `PeerNotices`. */
  readonly notify?: boolean;
  /**
   * A new connection with the routing id of another peer replaces it. Default: it is ignored,
   * except with CURVE.
   */
  readonly handover?: boolean;
  /** Encryption and authentication of a socket that connects or binds. INPROC supports neither. */
  readonly curve?: CurveClient | CurveEndpoint;
}

/** Callbacks of a socket to its owner. */
export interface SocketReceiver {
  /** A message arrived. On a ROUTER, the first frame is the identity of the peer. */
  message(frames: Buffer[]): void;
  /**
   * A peer of a ROUTER with notices connected. If its id is already known, the peer has another
   * connection or forged the notice.
   */
  peerConnected?(key: string, identity: Buffer): void;
  /** The connection of a peer is lost, and all its messages were delivered. */
  peerLeft?(key: string): void;
  /** The permissions of a peer have changed; see `MessageSocket.authenticatedPeer`. */
  permissionsChanged?(key: string): void;
}

/**
 * Why a message was not sent: the queue of the peer is full, the peer does not exist, or the socket
 * is closed.
 */
export type Refusal = 'EAGAIN' | 'EHOSTUNREACH' | 'CLOSED';

/** Receives the result of a send. */
export interface SendHandler {
  /** The message was not sent. */
  refused(frames: Buffer[], reason: Refusal): void;
  /** libzmq accepted the message. */
  sent?(): void;
}
