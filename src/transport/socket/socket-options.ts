/** What a socket is given, and what it tells. */
import type { CurveClient, CurveEndpoint } from '../curve/curve-options.ts';
import type { Pings } from '../libzmq/heartbeat-options.ts';

/** Options of a socket. Durations in ms. */
export interface MessageSocketOptions {
  readonly type: 'router' | 'dealer';
  /** ZMQ_ROUTING_ID, at most 255 bytes. */
  readonly routingId?: string;
  /** ZMQ_MAXMSGSIZE in bytes; a peer that sends more is cut. Default 16 MiB. */
  readonly maxMessageSize?: number;
  /** ZMQ_SNDHWM in messages for each peer. Default: of a ROUTER 100, of a DEALER 1,000. */
  readonly sendHighWaterMark?: number;
  /** ZMQ_RCVHWM in messages for each peer. Default: of a ROUTER 100, of a DEALER 1,000. */
  readonly receiveHighWaterMark?: number;
  /** ZMQ_LINGER: how long unsent messages keep the socket after close. Default 1,000. */
  readonly linger?: number;
  /** How often libzmq asks the peers whether they are there. Default: often, so that a dead one is found within 10 s. */
  readonly pings?: Pings;
  /** Tell when a peer of a ROUTER comes or goes; see `PeerNotices`. */
  readonly notify?: boolean;
  /** A connection under the routing id of another peer takes its place. Default: it is not heard, except with CURVE. */
  readonly handover?: boolean;
  /** Encryption and authentication: of a socket that connects, or of one that binds. INPROC knows neither. */
  readonly curve?: CurveClient | CurveEndpoint;
}

/** What a socket tells its owner. */
export interface SocketReceiver {
  /** A message came. On a ROUTER the first frame is the peer's identity. */
  message(frames: Buffer[]): void;
  /** A peer of a ROUTER that tells connected. One that is known by this id has another connection now, or lied. */
  came?(key: string, identity: Buffer): void;
  /** The connection of a peer is lost, and everything that it brought was delivered. */
  gone?(key: string): void;
  /** A peer may do other things than before; see `MessageSocket.guest`. */
  rightsChanged?(key: string): void;
}

/** Why a message was not sent: no room at the peer, no such peer, or the socket is closed. */
export type Refusal = 'EAGAIN' | 'EHOSTUNREACH' | 'CLOSED';

/** Told what became of a message. */
export interface SendHandler {
  /** It was not sent. */
  refused(frames: Buffer[], reason: Refusal): void;
  /** libzmq took it. */
  sent?(): void;
}
