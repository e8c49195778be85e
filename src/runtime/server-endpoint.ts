/**
 * The endpoint of a server: clients of any kind connect to it, and its node's handlers run their
 * requests.
 */

import type { CallSource } from '../core/messages/calls.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import { isReserved } from '../core/messages/event-name.ts';
import { failure, type ReplyMessage, type Requester, type RequestMessage } from '../core/messages/message.ts';
import type { DiagnosticsSource } from '../core/observability/diagnostics.ts';
import { logFact } from '../core/observability/node-facts.ts';
import { type ZeroMQHeartbeatConfig, ZeroMQHeartbeatReceiver } from '../liveness/index.ts';
import type { ZeroMQConnection } from '../transport/addressing/connection.ts';
import type { CurveServer } from '../transport/curve/curve-options.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';
import { ClientFrontend } from '../transport/link/client-frontend.ts';
import type { ClientFrontendOwner, ClientPeer } from '../transport/link/client-peer.ts';
import { type Execution, streamOf } from './execution.ts';
import { ExecutionTable } from './execution-table.ts';
import { OwnEvents, RequesterCalls } from './server-calls.ts';
import type { RuntimeLink, ServiceHost } from './service-node.ts';

/** A request of a client in flight. */
interface ServerRequest {
  readonly generation: number;
  execution: Execution | undefined;
}

/**
 * Requests of one client in flight, by their slot at the client, or by a negative number if they
 * have none.
 */
type ServerRequests = ExecutionTable<ServerRequest>;

/** Endpoints of a server in use, with the assigned ports where port 0 was requested. */
export interface ServerEndpoints {
  /** Endpoint for clients. */
  readonly endpoint: string;
  /** Endpoint for heartbeats of clients, if configured. */
  readonly heartbeat?: string;
}

/** Options of a {@link ServerEndpoint}. */
export interface ServerEndpointOptions {
  readonly identity: string;
  readonly maxMessageSize: number;
  readonly source: DiagnosticsSource;
  readonly curve?: CurveServer;
  /** Where to receive heartbeats of clients. */
  readonly heartbeatConfig?: ZeroMQHeartbeatConfig;
  /** Where calls of handlers go. Default: to the handlers of the server itself. */
  readonly calls?: Requester;
  /** Called at the first heartbeat of a client, and when it missed too many. */
  readonly onPeer: (event: 'peerConnected' | 'peerLost', identity: string) => void;
}

export class ServerEndpoint implements RuntimeLink, ClientFrontendOwner {
  private readonly frontend: ClientFrontend;
  private heartbeats: ZeroMQHeartbeatReceiver | undefined;
  private readonly calls: CallSource;
  private stopping = false;
  /** Number of requests without a slot at the client so far, negated. */
  private slotless = 0;

  constructor(
    private readonly host: ServiceHost,
    private readonly options: ServerEndpointOptions,
  ) {
    const { identity, maxMessageSize, source } = options;
    const curve = options.curve?.endpoint('frontend', host.logger);
    this.calls = options.calls === undefined ? new OwnEvents(host) : new RequesterCalls(options.calls);
    this.frontend = new ClientFrontend({ routingId: identity, maxMessageSize, source, curve }, this);
  }

  get monitor(): ZeroMQSocketMonitor {
    return this.frontend.socket.monitor;
  }

  /** Binds the sockets. */
  async open(connection: ZeroMQConnection): Promise<ServerEndpoints> {
    const { logger } = this.host;
    const endpoint = await this.frontend.bind(connection);
    logFact(logger, { endpoint }, 'frontend bound');
    const { heartbeatConfig: config, source, onPeer } = this.options;
    if (config === undefined) return { endpoint };
    const curve = this.options.curve?.endpoint('heartbeat', logger);
    this.heartbeats = new ZeroMQHeartbeatReceiver({ config, source, curve, logger });
    this.heartbeats.on('connected', (peer) => onPeer('peerConnected', peer.key));
    this.heartbeats.on('lost', (peer) => onPeer('peerLost', peer.key));
    const heartbeat = await this.heartbeats.start();
    logFact(logger, { endpoint: heartbeat }, 'heartbeat bound');
    return { endpoint, heartbeat };
  }

  leave(): Promise<void> {
    this.stopping = true;
    return this.frontend.sayGoodbye();
  }

  close(): void {
    this.heartbeats?.stop();
    this.frontend.close();
  }

  request(
    peer: ClientPeer,
    message: RequestMessage,
    id: number,
    generation: number,
    envelope: Buffer[] | undefined,
  ): void {
    const { eventName } = message;
    this.heartbeats?.alive(peer.node);
    const refusal = this.refusal(eventName);
    if (refusal !== undefined) {
      peer.reply(eventName, refusal, id, generation, envelope);
      return;
    }
    const requests = requestsOf(peer);
    const key = generation === 0 ? --this.slotless : id;
    const request: ServerRequest = { generation, execution: undefined };
    requests.set(key, request);
    const settle = (reply: ReplyMessage): void => {
      if (!reply.more && requests.get(key) === request) requests.delete(key);
      peer.reply(eventName, reply, id, generation, envelope);
    };
    const stream = streamOf(message, (bytes) => peer.grant(id, generation, bytes));
    request.execution = this.host.execute(message, settle, this.calls, stream);
  }

  chunk(peer: ClientPeer, id: number, generation: number, body: Buffer, end: boolean): void {
    requestsOf(peer).chunk(id, generation, body, end);
  }

  window(peer: ClientPeer, id: number, generation: number, bytes: number): void {
    requestsOf(peer).window(id, generation, bytes);
  }

  cancel(peer: ClientPeer, id: number, generation: number, why: CancelReason): void {
    requestsOf(peer).cancel(id, generation, why);
  }

  clientLeft(peer: ClientPeer): void {
    const requests = requestsOf(peer);
    for (const { execution } of [...requests.values()]) execution?.cancel('cancelled');
    requests.clear();
  }

  idle(peer: ClientPeer): boolean {
    return requestsOf(peer).size === 0;
  }

  private refusal(eventName: string): ReturnType<typeof failure> | undefined {
    if (this.stopping) return failure('SHUTTING_DOWN', 'the server is shutting down');
    if (!isReserved(eventName)) return undefined;
    return failure('NO_HANDLER', 'event names that start with $ are reserved; a server does not serve them');
  }
}

function requestsOf(peer: ClientPeer): ServerRequests {
  peer.state ??= new ExecutionTable<ServerRequest>();
  return peer.state as ServerRequests;
}
