/**
 * One connection to a classic router. A classic router drops frames before the delimiter, so
 * replies carry no token: the socket sends one request at a time, in the frames of a REQ socket.
 * When the caller of a request stops waiting, the socket is replaced. The late reply can then not
 * be mistaken for the reply to the next request.
 */

import { newSessionIdentity } from '../core/identity/identity.ts';
import { failure, NO_BYTES } from '../core/messages/message.ts';
import { type DiagnosticsSource, type DropCause, diagnostics } from '../core/observability/diagnostics.ts';
import { type ZeroMQConnection, ZeroMQProtocol } from '../transport/addressing/connection.ts';
import type { CurveClient } from '../transport/curve/curve-options.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';
import { ConnectionWatch } from '../transport/socket/connection-watch.ts';
import { MessageSocket, type Refusal } from '../transport/socket/message-socket.ts';
import { publishReconnects } from '../transport/socket/reconnect-diagnostics.ts';
import { MalformedFrames, readClassic, requestFrames, toReply } from '../wire/classic.ts';
import type { ConnectionLog } from './connection-log.ts';
import type { ClientConnection, ClientConnectionOwner, PendingRequest } from './pending-request.ts';

/** Options of a classic connection. */
export interface ClassicConnectionOptions {
  readonly connection: ZeroMQConnection;
  /** Each socket has its own identity, `<nodeId>_<16 random hex digits>`. */
  readonly nodeId: string;
  readonly maxMessageSize: number;
  readonly source: DiagnosticsSource;
  readonly curve?: CurveClient;
  readonly connectionLog: ConnectionLog;
}

export class ClassicConnection implements ClientConnection {
  readonly endpoint: string;
  readonly enforcesDeadlines = false;
  readonly received = 0;
  inFlight = 0;
  suspect = false;
  private readonly inproc: boolean;
  private socket: MessageSocket | undefined;
  private current: PendingRequest | undefined;
  private up = false;
  /** The log counts the connection as connected, even while its socket is replaced. */
  private logged = false;

  constructor(
    private readonly options: ClassicConnectionOptions,
    private readonly owner: ClientConnectionOwner,
  ) {
    this.endpoint = options.connection.getConnectionString();
    this.inproc = options.connection.protocol === ZeroMQProtocol.INPROC;
  }

  get monitor(): ZeroMQSocketMonitor | undefined {
    return this.socket?.monitor;
  }

  get connected(): boolean {
    return this.up;
  }

  get hasCapacity(): boolean {
    return this.up && this.current === undefined;
  }

  open(): void {
    this.openSocket();
    if (this.inproc) this.onConnected();
  }

  /** A classic router passes requests with a stream on as others: their reply is whole. */
  send(pending: PendingRequest): void {
    const { socket } = this;
    if (pending.message.upload === true) {
      queueMicrotask(() => this.refuseUpload(pending));
      return;
    }
    this.current = pending;
    const refused = (_frames: Buffer[], reason: Refusal): void => {
      if (this.socket === socket && this.current === pending && reason !== 'CLOSED') this.resend(pending);
    };
    socket?.send([NO_BYTES, ...requestFrames(pending.message, false)], { refused });
  }

  holds(): boolean {
    return false;
  }

  sendChunk(): void {
    // Requests whose body follows in chunks are refused.
  }

  sendWindow(): void {
    // Replies are whole.
  }

  private refuseUpload(pending: PendingRequest): void {
    if (pending.connection === this) {
      const refusal = failure(
        'STREAMS_UNSUPPORTED',
        `the classic router at ${this.endpoint} takes no streams`,
      );
      this.owner.onReply(this, pending.id, pending.generation, refusal);
    }
    this.owner.onReady(this);
  }

  /**
   * A classic router passes every event to a worker, so its silence says nothing about the router.
   */
  probe(): boolean {
    return false;
  }

  abandon(pending: PendingRequest): void {
    if (this.current === pending) this.replaceSocket();
  }

  retire(): void {
    // The worker behind the router is shutting down, not the router. The next request reaches
    // another one.
  }

  close(): void {
    this.logDisconnected();
    this.discard();
  }

  private discard(): void {
    this.up = false;
    this.current = undefined;
    this.socket?.close();
    this.socket = undefined;
  }

  private openSocket(): void {
    const { connection, nodeId, maxMessageSize, curve } = this.options;
    const routingId = newSessionIdentity(nodeId);
    // Ignores events of a socket that was replaced; its successor is another connection.
    const ifCurrent = (then: () => void): void => {
      if (this.socket === socket) then();
    };
    const socket = new MessageSocket(
      { type: 'dealer', routingId, maxMessageSize, linger: 0, curve },
      { message: (frames) => ifCurrent(() => this.onMessage(frames)) },
    );
    this.socket = socket;
    publishReconnects(socket.monitor, this.options.source, this.endpoint);
    new ConnectionWatch(
      socket,
      () => ifCurrent(() => this.onConnected()),
      () => ifCurrent(() => this.onDisconnected()),
    );
    socket.connect(connection);
  }

  /**
   * The socket has no peer and accepted nothing: an INPROC peer that has left. A new socket waits
   * for the next peer.
   */
  private resend(pending: PendingRequest): void {
    this.socket?.close();
    this.openSocket();
    this.send(pending);
  }

  private onMessage(frames: Buffer[]): void {
    const classic = readClassic(frames, 0);
    if (classic instanceof MalformedFrames) return this.drop(classic.cause);
    const { current } = this;
    if (current === undefined) return this.drop('late-reply');
    const { message, broken, badJson } = toReply(classic);
    if (broken) this.drop('bad-metadata');
    if (badJson) this.drop('bad-json');
    if (!message.more) this.current = undefined;
    this.owner.onReply(this, current.id, current.generation, message);
    if (!message.more) this.owner.onReady(this);
  }

  private replaceSocket(): void {
    this.discard();
    this.open();
  }

  private onConnected(): void {
    this.up = true;
    if (!this.logged) this.options.connectionLog.connected(this.endpoint);
    this.logged = true;
    this.owner.onReady(this);
  }

  private onDisconnected(): void {
    const { current } = this;
    this.up = false;
    this.logDisconnected();
    this.owner.onLost(this);
    // The reply may already be addressed to this identity, which libzmq uses again when it
    // reconnects. Only a new socket, with a new identity, cannot receive it.
    if (current !== undefined && this.current === current) this.replaceSocket();
  }

  private logDisconnected(): void {
    if (this.logged) this.options.connectionLog.disconnected(this.endpoint);
    this.logged = false;
  }

  private drop(cause: DropCause): void {
    if (diagnostics.frameDropped.hasSubscribers) {
      diagnostics.frameDropped.publish({ ...this.options.source, cause, peer: this.endpoint });
    }
  }
}
