/**
 * One socket towards a classic router, which loses frames before the delimiter: one request at a time, in the frames
 * of a REQ socket. A request that nobody waits for any more takes its socket with it, so that its late reply cannot
 * be taken for the next one's.
 */

import { newSessionIdentity } from '../core/identity/identity.ts';
import { NO_BYTES } from '../core/messages/message.ts';
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

/** Options of a lane. */
export interface ClassicConnectionOptions {
  readonly connection: ZeroMQConnection;
  /** The sockets are `<nodeId>_<16 random hex digits>`, one identity each. */
  readonly nodeId: string;
  readonly maxMessageSize: number;
  readonly speaker: DiagnosticsSource;
  readonly curve?: CurveClient;
  readonly connections: ConnectionLog;
}

export class ClassicConnection implements ClientConnection {
  readonly endpoint: string;
  readonly honest = false;
  readonly received = 0;
  inFlight = 0;
  suspect = false;
  private readonly inproc: boolean;
  private socket: MessageSocket | undefined;
  private current: PendingRequest | undefined;
  private up = false;
  /** It counts as connected in the log, also while its socket is replaced. */
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

  get hasRoom(): boolean {
    return this.up && this.current === undefined;
  }

  open(): void {
    this.openSocket();
    if (this.inproc) this.cameUp();
  }

  send(pending: PendingRequest): void {
    const { socket } = this;
    this.current = pending;
    const refused = (_frames: Buffer[], reason: Refusal): void => {
      if (this.socket === socket && this.current === pending && reason !== 'CLOSED') this.sendAnew(pending);
    };
    socket?.send([NO_BYTES, ...requestFrames(pending.message, false)], { refused });
  }

  /** Whatever it is asked goes to a worker: its silence says nothing of the router. */
  ask(): boolean {
    return false;
  }

  abandon(pending: PendingRequest): void {
    if (this.current === pending) this.rebuild();
  }

  retire(): void {
    // Who shuts down is a worker behind the router; the next request goes to another one.
  }

  close(): void {
    this.logDown();
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
    // What a socket tells once it has been given up concerns nobody: its successor is another connection.
    const ifCurrent = (then: () => void): void => {
      if (this.socket === socket) then();
    };
    const socket = new MessageSocket(
      { type: 'dealer', routingId, maxMessageSize, linger: 0, curve },
      { message: (frames) => ifCurrent(() => this.replied(frames)) },
    );
    this.socket = socket;
    publishReconnects(socket.monitor, this.options.speaker, this.endpoint);
    new ConnectionWatch(
      socket,
      () => ifCurrent(() => this.cameUp()),
      () => ifCurrent(() => this.wentDown()),
    );
    socket.connect(connection);
  }

  /** The socket has nobody to send to, and took nothing: an INPROC peer that is gone. A new socket waits for the next. */
  private sendAnew(pending: PendingRequest): void {
    this.socket?.close();
    this.openSocket();
    this.send(pending);
  }

  private replied(frames: Buffer[]): void {
    const classic = readClassic(frames, 0);
    if (classic instanceof MalformedFrames) return this.drop(classic.cause);
    const { current } = this;
    if (current === undefined) return this.drop('late-reply');
    const { message, broken, badJson } = toReply(classic);
    if (broken) this.drop('bad-metadata');
    if (badJson) this.drop('bad-json');
    if (!message.more) this.current = undefined;
    this.owner.laneReply(this, current.id, current.generation, message);
    if (!message.more) this.owner.laneReady(this);
  }

  private rebuild(): void {
    this.discard();
    this.open();
  }

  private cameUp(): void {
    this.up = true;
    if (!this.logged) this.options.connections.cameUp(this.endpoint);
    this.logged = true;
    this.owner.laneReady(this);
  }

  private wentDown(): void {
    const { current } = this;
    this.up = false;
    this.logDown();
    this.owner.laneLost(this);
    // The request may have been answered, to a socket that libzmq connects again: only a new one is sure not to hear it.
    if (current !== undefined && this.current === current) this.rebuild();
  }

  private logDown(): void {
    if (this.logged) this.options.connections.wentDown(this.endpoint);
    this.logged = false;
  }

  private drop(cause: DropCause): void {
    if (diagnostics.frameDropped.hasSubscribers) {
      diagnostics.frameDropped.publish({ ...this.options.speaker, cause, peer: this.endpoint });
    }
  }
}
