/** A node's line to one peer that it connects to: a DEALER, the channel that sends on it, and the watch on its connection. */

import { newSessionIdentity } from '../../core/identity/identity.ts';
import { type DiagnosticsSource, type DropCause, diagnostics } from '../../core/observability/diagnostics.ts';
import { type ZeroMQConnection, ZeroMQProtocol } from '../addressing/connection.ts';
import type { CurveClient } from '../curve/curve-options.ts';
import { ConnectionWatch } from '../socket/connection-watch.ts';
import { MessageSocket, type SocketReceiver } from '../socket/message-socket.ts';
import { publishReconnects } from '../socket/reconnect-diagnostics.ts';
import { type ChannelOwner, DEFAULT_CHANNEL_LIMITS, PeerChannel } from './peer-channel.ts';

/** Options of a line. Durations in ms. */
export interface DealerLinkOptions {
  readonly connection: ZeroMQConnection;
  /** Identity of the socket on its first connection; further ones are of the same node. */
  readonly identity: string;
  readonly nodeId: string;
  readonly maxMessageSize: number;
  readonly speaker: DiagnosticsSource;
  readonly curve?: CurveClient;
  /** How long a socket that is closed may take to send what waits. Default 0. */
  readonly linger?: number;
  /** How long a peer of this process may take nothing before it counts as stalled. Default: as any other. */
  readonly inprocStall?: number;
}

/** What a line tells. */
export interface DealerLinkOwner extends SocketReceiver, ChannelOwner {
  /** The connection stands. Never told of INPROC. */
  lineUp(): void;
  /** The connection is lost, and everything that it brought is told. Never told of INPROC. */
  lineDown(): void;
}

export class DealerLink {
  readonly endpoint: string;
  /** libzmq tells nothing of the peer, and does not connect to it again. */
  readonly inproc: boolean;
  readonly socket: MessageSocket;
  readonly channel: PeerChannel;

  constructor(
    private readonly options: DealerLinkOptions,
    owner: DealerLinkOwner,
  ) {
    const { connection, identity: routingId, maxMessageSize, linger, speaker, curve } = options;
    const { stallTimeout } = DEFAULT_CHANNEL_LIMITS;
    this.endpoint = connection.getConnectionString();
    this.inproc = connection.protocol === ZeroMQProtocol.INPROC;
    this.socket = new MessageSocket({ type: 'dealer', routingId, maxMessageSize, linger, curve }, owner);
    this.channel = new PeerChannel(this.socket, undefined, owner, speaker, {
      ...DEFAULT_CHANNEL_LIMITS,
      stallTimeout: (this.inproc ? options.inprocStall : undefined) ?? stallTimeout,
    });
    publishReconnects(this.socket.monitor, speaker, this.endpoint);
    new ConnectionWatch(
      this.socket,
      () => owner.lineUp(),
      () => owner.lineDown(),
    );
  }

  /** Connects, now and whenever the connection is lost. */
  open(): void {
    this.socket.connect(this.options.connection);
  }

  /** Gives a lost connection up: what waits on it must not go out on the next one, which is begun after a while. */
  renew(): void {
    const { connection, nodeId } = this.options;
    if (!this.inproc) this.socket.renew(connection, newSessionIdentity(nodeId));
  }

  /** Gives the connection up, and begins another one at once. */
  reconnect(): void {
    this.socket.reconnect(this.options.connection);
  }

  /** Counts something that was not used. */
  drop(cause: DropCause): void {
    if (diagnostics.frameDropped.hasSubscribers) {
      diagnostics.frameDropped.publish({ ...this.options.speaker, cause, peer: this.endpoint });
    }
  }
}
