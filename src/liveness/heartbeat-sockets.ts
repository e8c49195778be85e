/**
 * Heartbeats over ZeroMQ: a DEALER socket sends, and a ROUTER socket receives and never answers.
 */

import { Emitter } from '../core/collections/emitter.ts';
import type { NodeIdentity } from '../core/identity/identity.ts';
import { type Logger, silentLogger } from '../core/logging/logging.ts';
import {
  type DiagnosticsSource,
  type DropCause,
  diagnostics,
  type HeartbeatMissed,
} from '../core/observability/diagnostics.ts';
import { logFact } from '../core/observability/node-facts.ts';
import { type Clock, systemClock } from '../core/time/clock.ts';
import type { ZeroMQConnection } from '../transport/addressing/connection.ts';
import { Discovery, type DiscoveryOwner, type DnsOptions } from '../transport/addressing/discovery.ts';
import type { CurveClient, CurveEndpoint } from '../transport/curve/curve-options.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';
import { MessageSocket, type SendHandler, type SocketReceiver } from '../transport/socket/message-socket.ts';
import { decodeHeartbeat, type HeartbeatNodeType } from './heartbeat.ts';
import type { ZeroMQHeartbeatConfig } from './heartbeat-config.ts';
import { type HeartbeatListener, HeartbeatMonitor, type HeartbeatNode } from './heartbeat-monitor.ts';
import { HeartbeatSender } from './heartbeat-schedule.ts';

/** Heartbeats queued for an unreachable receiver. More would only report outdated facts. */
const MAX_QUEUED = 1;

/** Maximum size of a message that a receiver accepts, in bytes. */
const MAX_MESSAGE_BYTES = 64 * 1024;

/** Options of a {@link ZeroMQHeartbeatSender}. */
export interface ZeroMQHeartbeatSenderOptions {
  readonly config: ZeroMQHeartbeatConfig;
  readonly identity: NodeIdentity;
  readonly nodeType: HeartbeatNodeType;
  /** The sending node, for diagnostics. */
  readonly source: DiagnosticsSource;
  readonly curve?: CurveClient;
  /** How names of receivers are resolved. */
  readonly dns?: DnsOptions;
  /**
   * Logger for connections to receivers and for failed DNS lookups. Without one they are not
   * logged.
   */
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/**
 * Sends a node's heartbeats: at once, once per interval, and whenever a receiver connects or
 * reconnects.
 */
export class ZeroMQHeartbeatSender implements SocketReceiver, SendHandler, DiscoveryOwner {
  /** One socket per receiver, by connection string. */
  private readonly sockets = new Map<string, MessageSocket>();
  private readonly discovery: Discovery;
  private readonly sender: HeartbeatSender;
  private readonly options: ZeroMQHeartbeatSenderOptions;

  /** @throws {ZeroMQConfigError} for an invalid interval between DNS lookups. */
  constructor(options: ZeroMQHeartbeatSenderOptions) {
    const { config, identity, nodeType, dns, logger = silentLogger, clock = systemClock } = options;
    this.options = options;
    const send = (frames: Buffer[]): void => {
      for (const socket of this.sockets.values()) socket.send(frames, this);
    };
    this.sender = new HeartbeatSender({ identity, nodeType, interval: config.interval, clock, send });
    this.discovery = new Discovery(config.destinations, { dns, logger, clock }, this);
  }

  /**
   * Connects and starts sending.
   *
   * @throws {ZeroMQSocketInvalid} when the address is unusable.
   */
  start(): void {
    this.discovery.start();
    this.sender.start();
  }

  /** Closes the sockets. The sender cannot start again. */
  stop(): void {
    this.sender.stop();
    this.discovery.stop();
    for (const socket of this.sockets.values()) socket.close();
  }

  appeared(connection: ZeroMQConnection): void {
    const { curve } = this.options;
    const socket = new MessageSocket(
      { type: 'dealer', sendHighWaterMark: MAX_QUEUED, linger: 0, pings: 'seldom', curve },
      this,
    );
    this.sockets.set(connection.toString(), socket);
    socket.connect(connection);
    const { logger = silentLogger } = this.options;
    const endpoint = connection.getConnectionString();
    socket.monitor.on('handshake', () => this.sender.beat());
    socket.monitor.on('handshake', () =>
      logFact(logger, { endpoint }, 'connected to the heartbeat receiver'),
    );
    socket.monitor.on('disconnect', () =>
      logFact(logger, { endpoint }, 'disconnected from the heartbeat receiver'),
    );
  }

  vanished(connection: ZeroMQConnection): void {
    const key = connection.toString();
    this.sockets.get(key)?.close();
    this.sockets.delete(key);
  }

  message(): void {
    dropped(this.options.source, 'bad-heartbeat');
  }

  refused(): void {
    // The receiver is unreachable and will count missed heartbeats, as intended.
  }
}

/** Options of a {@link ZeroMQHeartbeatReceiver}. */
export interface ZeroMQHeartbeatReceiverOptions {
  readonly config: ZeroMQHeartbeatConfig;
  /** The receiving node, for diagnostics. */
  readonly source: DiagnosticsSource;
  readonly curve?: CurveEndpoint;
  /** Logger for nodes that connect or are lost. Without one they are not logged. */
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/** Events of a receiver. Durations are in milliseconds. */
export interface HeartbeatReceiverEvents {
  /** The first heartbeat of a node, or its first message after it was lost (`returned`). */
  connected: [node: HeartbeatNode];
  /** A check found the node silent for longer than its timeout. */
  missed: [node: HeartbeatNode, silentFor: number];
  /** The node missed more heartbeats than are tolerated and counts as lost. */
  lost: [node: HeartbeatNode, silentFor: number];
}

/** Receives heartbeats and reports which nodes connect, are lost and return. */
export class ZeroMQHeartbeatReceiver
  extends Emitter<HeartbeatReceiverEvents>
  implements SocketReceiver, HeartbeatListener
{
  private readonly socket: MessageSocket;
  private readonly watcher: HeartbeatMonitor;
  private readonly options: ZeroMQHeartbeatReceiverOptions;
  private readonly logger: Logger;

  constructor(options: ZeroMQHeartbeatReceiverOptions) {
    super();
    this.options = options;
    this.logger = options.logger ?? silentLogger;
    const { curve } = options;
    this.socket = new MessageSocket(
      { type: 'router', maxMessageSize: MAX_MESSAGE_BYTES, pings: 'seldom', curve },
      this,
    );
    this.watcher = new HeartbeatMonitor(options.config, this, options.clock ?? systemClock);
  }

  /** Monitor of the socket. */
  get monitor(): ZeroMQSocketMonitor {
    return this.socket.monitor;
  }

  /** Live nodes, and lost ones that are remembered. */
  get nodes(): readonly HeartbeatNode[] {
    return this.watcher.nodes;
  }

  /**
   * Binds the socket, receives and starts checking.
   *
   * @returns the endpoint in use, with the assigned port where port 0 was requested.
   * @throws {ZeroMQSocketInvalid} when the address is in use, not an address of this host, or not
   * writable.
   */
  async start(): Promise<string> {
    const endpoint = await this.socket.bind(this.options.config.connection);
    this.watcher.start();
    return endpoint;
  }

  /** Closes the socket. The receiver cannot start again. */
  stop(): void {
    this.watcher.stop();
    this.socket.close();
  }

  /** Records another message of a node, by its key: the node is not silent. */
  alive(key: string): void {
    this.watcher.alive(key);
  }

  /**
   * Consecutive missed checks, and milliseconds since the last message; undefined for a node
   * without heartbeats.
   */
  reportOf(key: string): { missed: number; silentFor: number } | undefined {
    return this.watcher.reportOf(key);
  }

  /** Forgets a node that left, so that its silence does not count as a loss. */
  forget(key: string): void {
    this.watcher.forget(key);
  }

  message(frames: Buffer[]): void {
    const heartbeat = decodeHeartbeat(frames);
    const peer = this.socket.authenticates
      ? this.socket.authenticatedPeer(frames[0]?.toString('latin1') ?? '')
      : undefined;
    if (heartbeat === undefined) dropped(this.options.source, 'bad-heartbeat');
    else if (peer?.permissions.maySendHeartbeatsAs(heartbeat.nodeType) === false)
      dropped(this.options.source, 'unknown-peer');
    else if (!this.watcher.beat(heartbeat, peer?.publicKey)) dropped(this.options.source, 'overflow');
  }

  nodeConnected(node: HeartbeatNode): void {
    const { key: peer, nodeType, returned } = node;
    logFact(this.logger, { peer, nodeType, returned }, 'heartbeat connected');
    this.notify('connected', node);
  }

  heartbeatMissed(node: HeartbeatNode, silentFor: number): void {
    const { heartbeatMissed } = diagnostics;
    if (heartbeatMissed.hasSubscribers) heartbeatMissed.publish(this.missedPayload(node, silentFor));
    this.notify('missed', node, silentFor);
  }

  nodeLost(node: HeartbeatNode, silentFor: number): void {
    const { heartbeatLost } = diagnostics;
    if (heartbeatLost.hasSubscribers) heartbeatLost.publish(this.missedPayload(node, silentFor));
    const { key: peer, nodeType, missed } = node;
    logFact(this.logger, { peer, nodeType, missed, silentFor }, 'heartbeat lost');
    this.notify('lost', node, silentFor);
  }

  private missedPayload(node: HeartbeatNode, silentFor: number): HeartbeatMissed {
    const { kind, node: self } = this.options.source;
    return { kind, node: self, peer: node.key, peerType: node.nodeType, missed: node.missed, silentFor };
  }
}

function dropped({ kind, node }: DiagnosticsSource, cause: DropCause): void {
  const { frameDropped } = diagnostics;
  if (frameDropped.hasSubscribers) frameDropped.publish({ kind, node, cause });
}
