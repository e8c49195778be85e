/** server: serves clients directly, without a router. */
import type { ZeroMQHeartbeatConfig } from '../liveness/index.ts';
import { type ServerEndpoints, ServerLink } from '../runtime/server-endpoint.ts';
import { localParts, type RuntimeLink, ServiceNode, type ServiceOptions } from '../runtime/service-node.ts';
import {
  type ConnectionLike,
  toConnection,
  type ZeroMQConnection,
} from '../transport/addressing/connection.ts';
import { CurveServer, type CurveServerOptions } from '../transport/curve/curve-options.ts';

/** Options of a server. */
export interface ZeroMQServerOptions extends ServiceOptions {
  /** Where to bind. */
  connection: ConnectionLike;
  /** Where to receive heartbeats of clients. Default: nowhere. */
  heartbeatConfig?: ZeroMQHeartbeatConfig;
  /** Encryption, and who may call what. Default: neither; INPROC never has them. */
  curve?: CurveServerOptions;
}

interface ServerEvents {
  /** A client's first heartbeat, or its first after it was lost. */
  peerConnected: [identity: string];
  /** A client missed too many heartbeats. */
  peerLost: [identity: string];
}

/** Serves classic REQ clients and ours; handlers run concurrently, one bad message never harms the next. */
export class ZeroMQServer extends ServiceNode<ServerEndpoints, ServerEvents> {
  private readonly connection: ZeroMQConnection;
  private readonly heartbeatConfig: ZeroMQHeartbeatConfig | undefined;
  private readonly curve: CurveServer | undefined;
  private link: ServerLink | undefined;

  /** @throws ZeroMQConfigError naming the option that is not acceptable. */
  constructor(options: ZeroMQServerOptions) {
    super('server', localParts('server', options));
    this.connection = toConnection(options.connection);
    this.heartbeatConfig = options.heartbeatConfig;
    this.curve = options.curve && new CurveServer(options.curve);
  }

  protected open(): Promise<ServerEndpoints> {
    const { speaker, maxMessageSize, heartbeatConfig, curve } = this;
    const { identity } = this.identity;
    const onPeer = this.notify.bind(this);
    this.link = new ServerLink(this, { identity, maxMessageSize, speaker, curve, heartbeatConfig, onPeer });
    return this.link.open(this.connection);
  }

  protected links(): readonly RuntimeLink[] {
    return this.link === undefined ? [] : [this.link];
  }
}
