/** The server: serves clients directly, without a router. */
import type { EventDefinitions } from '../contract/index.ts';
import { atCallerOf } from '../core/messages/caller-stack.ts';
import { ZeroMQConfigError } from '../core/messages/errors.ts';
import type { Requester } from '../core/messages/message.ts';
import type { ZeroMQHeartbeatConfig } from '../liveness/index.ts';
import type { HandlerOptions } from '../runtime/handlers.ts';
import { ServerEndpoint, type ServerEndpoints } from '../runtime/server-endpoint.ts';
import { localParts, type RuntimeLink, ServiceNode, type ServiceOptions } from '../runtime/service-node.ts';
import {
  type ConnectionLike,
  toConnection,
  type ZeroMQConnection,
} from '../transport/addressing/connection.ts';
import { CurveServer, type CurveServerOptions } from '../transport/curve/curve-options.ts';

/**
 * Options of {@link ZeroMQServer}.
 *
 * @typeParam Events events of the contract, from which the handlers get their types.
 */
export type ZeroMQServerOptions<Events extends EventDefinitions = EventDefinitions> =
  ZeroMQServerBaseOptions & HandlerOptions<Events>;

/** Options of {@link ZeroMQServer}, apart from its handlers. */
export interface ZeroMQServerBaseOptions extends ServiceOptions {
  /** Address to bind. */
  connection: ConnectionLike;
  /**
   * Where the server receives heartbeats of clients.
   *
   * @defaultValue none: the server receives no heartbeats
   */
  heartbeatConfig?: ZeroMQHeartbeatConfig;
  /**
   * CURVE keys of the socket, and the permissions of clients. INPROC connections are neither
   * encrypted nor checked.
   *
   * @defaultValue none: connections are not encrypted, and every client may call every event
   */
  curve?: CurveServerOptions;
  /**
   * Where calls of handlers go (`call` of {@link HandlerContext}): a {@link ZeroMQClient}, or a
   * {@link ZeroMQRouter} in this process. The server does not close it.
   *
   * @defaultValue the handlers of this server; calls of other events fail with `NO_HANDLER`
   */
  calls?: Requester;
}

interface ServerEvents {
  /** Emitted on the first heartbeat of a client, and on the first after the client was lost. */
  peerConnected: [identity: string];
  /** Emitted when a client missed too many heartbeats. */
  peerLost: [identity: string];
}

/**
 * Serves classic and native clients directly, without a router. Handlers run concurrently, and an
 * invalid message does not affect the next one.
 *
 * @example
 * ```ts
 * const server = new ZeroMQServer({
 *   connection: 'tcp://*:5555',
 *   handlers: { 'tasks.get': ({ id }: { id: number }) => ({ id, title: 'Write docs' }) },
 * });
 * await server.start();
 * ```
 */
export class ZeroMQServer<const Events extends EventDefinitions = EventDefinitions> extends ServiceNode<
  ServerEndpoints,
  ServerEvents
> {
  private readonly connection: ZeroMQConnection;
  private readonly heartbeatConfig: ZeroMQHeartbeatConfig | undefined;
  private readonly curve: CurveServer | undefined;
  private readonly calls: Requester | undefined;
  private link: ServerEndpoint | undefined;

  /**
   * Creates a server. It opens no socket before `start()`.
   *
   * @param options {@link ZeroMQServerOptions}
   * @throws {ZeroMQConfigError} when an option is invalid; the message names the option
   */
  constructor(options: ZeroMQServerOptions<Events>) {
    try {
      super('server', localParts('server', options as ZeroMQServerOptions));
      this.connection = toConnection(options.connection);
      this.heartbeatConfig = options.heartbeatConfig;
      this.curve = options.curve && new CurveServer(options.curve);
      this.calls = options.calls && checkRequester(options.calls);
    } catch (error) {
      throw atCallerOf(ZeroMQServer, error);
    }
  }

  protected open(): Promise<ServerEndpoints> {
    const { source, maxMessageSize, heartbeatConfig, curve, calls } = this;
    const { identity } = this.identity;
    const onPeer = this.notify.bind(this);
    this.link = new ServerEndpoint(this, {
      identity,
      maxMessageSize,
      source,
      curve,
      heartbeatConfig,
      calls,
      onPeer,
    });
    return this.link.open(this.connection);
  }

  protected links(): readonly RuntimeLink[] {
    return this.link === undefined ? [] : [this.link];
  }
}

function checkRequester(calls: Requester): Requester {
  if (typeof calls.request === 'function') return calls;
  throw new ZeroMQConfigError('calls must be a ZeroMQClient, a ZeroMQRouter or another Requester');
}
