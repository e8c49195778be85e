/**
 * A link to a peer to which the node connects: a DEALER, the channel that sends on it, and the
 * watch of its connection.
 */

import { newSessionIdentity } from '../../core/identity/identity.ts';
import { type DiagnosticsSource, type DropCause, diagnostics } from '../../core/observability/diagnostics.ts';
import { type ZeroMQConnection, ZeroMQProtocol } from '../addressing/connection.ts';
import type { CurveClient } from '../curve/curve-options.ts';
import { ConnectionWatch } from '../socket/connection-watch.ts';
import { MessageSocket, type SocketReceiver } from '../socket/message-socket.ts';
import { publishReconnects } from '../socket/reconnect-diagnostics.ts';
import { type ChannelOwner, DEFAULT_CHANNEL_LIMITS, PeerChannel } from './peer-channel.ts';

/** Options of a link. Durations are in milliseconds. */
export interface DealerLinkOptions {
  readonly connection: ZeroMQConnection;
  /** Identity of the socket on its first connection; later ones belong to the same node. */
  readonly identity: string;
  readonly nodeId: string;
  readonly maxMessageSize: number;
  readonly source: DiagnosticsSource;
  readonly curve?: CurveClient;
  /** How long a closed socket may take to send waiting messages. Default: 0. */
  readonly linger?: number;
  /**
   * How long an INPROC peer may accept nothing before it counts as stalled. Default: as for other
   * peers.
   */
  readonly inprocStall?: number;
}

/** Callbacks of a link. */
export interface DealerLinkOwner extends SocketReceiver, ChannelOwner {
  /** The connection is established. Never called for INPROC. */
  linkUp(): void;
  /** The connection is lost, and all its messages were delivered. Never called for INPROC. */
  linkDown(): void;
}

export class DealerLink {
  readonly endpoint: string;
  /** libzmq reports nothing about the peer and does not reconnect to it. */
  readonly inproc: boolean;
  readonly socket: MessageSocket;
  readonly channel: PeerChannel;

  constructor(
    private readonly options: DealerLinkOptions,
    owner: DealerLinkOwner,
  ) {
    const { connection, identity: routingId, maxMessageSize, linger, source, curve } = options;
    const { stallTimeout } = DEFAULT_CHANNEL_LIMITS;
    this.endpoint = connection.getConnectionString();
    this.inproc = connection.protocol === ZeroMQProtocol.INPROC;
    this.socket = new MessageSocket({ type: 'dealer', routingId, maxMessageSize, linger, curve }, owner);
    const limits = {
      ...DEFAULT_CHANNEL_LIMITS,
      stallTimeout: (this.inproc ? options.inprocStall : undefined) ?? stallTimeout,
    };
    this.channel = new PeerChannel({ socket: this.socket, identity: undefined, owner, source, limits });
    publishReconnects(this.socket.monitor, source, this.endpoint);
    new ConnectionWatch(
      this.socket,
      () => owner.linkUp(),
      () => owner.linkDown(),
    );
  }

  /** Connects, and reconnects whenever the connection is lost. */
  open(): void {
    this.socket.connect(this.options.connection);
  }

  /**
   * Discards a lost connection, so that its waiting messages are not sent on the next one. The next
   * one starts after a delay.
   */
  renew(): void {
    const { connection, nodeId } = this.options;
    if (!this.inproc) this.socket.renew(connection, newSessionIdentity(nodeId));
  }

  /** Discards the connection and starts another one immediately. */
  reconnect(): void {
    this.socket.reconnect(this.options.connection);
  }

  /** Counts a dropped message. */
  drop(cause: DropCause): void {
    if (diagnostics.frameDropped.hasSubscribers) {
      diagnostics.frameDropped.publish({ ...this.options.source, cause, peer: this.endpoint });
    }
  }
}
