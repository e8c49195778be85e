/** Heartbeats over ZeroMQ: a DEALER that sends, a ROUTER that receives and never answers. */

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

/** Heartbeats that may wait for a receiver that is away: more would only tell it the past. */
const WAITING = 1;

/** Largest message a receiver takes, in bytes. */
const LARGEST = 64 * 1024;

/** Options of a `ZeroMQHeartbeatSender`. */
export interface ZeroMQHeartbeatSenderOptions {
  readonly config: ZeroMQHeartbeatConfig;
  readonly identity: NodeIdentity;
  readonly nodeType: HeartbeatNodeType;
  /** Whose heartbeats these are, for diagnostics. */
  readonly speaker: DiagnosticsSource;
  readonly curve?: CurveClient;
  /** How names of receivers are looked up. */
  readonly dns?: DnsOptions;
  /** Where connections to receivers, and names that cannot be looked up, are logged. Default: nowhere. */
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/** Sends a node's heartbeats: at once, each interval, and whenever a receiver comes or comes back. */
export class ZeroMQHeartbeatSender implements SocketReceiver, SendHandler, DiscoveryOwner {
  /** One for each receiver, by connection string. */
  private readonly sockets = new Map<string, MessageSocket>();
  private readonly discovery: Discovery;
  private readonly sender: HeartbeatSender;
  private readonly options: ZeroMQHeartbeatSenderOptions;

  /** @throws ZeroMQConfigError for an interval between look-ups that is not acceptable. */
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
   * Connects and sends.
   *
   * @throws ZeroMQSocketInvalid when the address is not usable at all.
   */
  start(): void {
    this.discovery.start();
    this.sender.start();
  }

  /** Stops for good. */
  stop(): void {
    this.sender.stop();
    this.discovery.stop();
    for (const socket of this.sockets.values()) socket.close();
  }

  appeared(connection: ZeroMQConnection): void {
    const { curve } = this.options;
    const socket = new MessageSocket(
      { type: 'dealer', sendHighWaterMark: WAITING, linger: 0, pings: 'seldom', curve },
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
    dropped(this.options.speaker, 'bad-heartbeat');
  }

  refused(): void {
    // The receiver is away, and misses heartbeats; that is what they are for.
  }
}

/** Options of a `ZeroMQHeartbeatReceiver`. */
export interface ZeroMQHeartbeatReceiverOptions {
  readonly config: ZeroMQHeartbeatConfig;
  /** Who receives, for diagnostics. */
  readonly speaker: DiagnosticsSource;
  readonly curve?: CurveEndpoint;
  /** Where nodes that connect or are lost are logged. Default: nowhere. */
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/** Events of a receiver. Durations in ms. */
export interface HeartbeatReceiverEvents {
  /** The first heartbeat of a node, or its first sign of life after it was lost (`returned`). */
  connected: [node: HeartbeatNode];
  /** A check found the node silent for longer than its timeout. */
  missed: [node: HeartbeatNode, silentFor: number];
  /** It missed more heartbeats than are forgiven: it counts as dead. */
  lost: [node: HeartbeatNode, silentFor: number];
}

/** Receives heartbeats and tells which nodes come, go and return. */
export class ZeroMQHeartbeatReceiver
  extends Emitter<HeartbeatReceiverEvents>
  implements SocketReceiver, HeartbeatListener
{
  private readonly socket: MessageSocket;
  private readonly watch: HeartbeatMonitor;
  private readonly options: ZeroMQHeartbeatReceiverOptions;
  private readonly logger: Logger;

  constructor(options: ZeroMQHeartbeatReceiverOptions) {
    super();
    this.options = options;
    this.logger = options.logger ?? silentLogger;
    const { curve } = options;
    this.socket = new MessageSocket(
      { type: 'router', maxMessageSize: LARGEST, pings: 'seldom', curve },
      this,
    );
    this.watch = new HeartbeatMonitor(options.config, this, options.clock ?? systemClock);
  }

  /** Events of the socket. */
  get monitor(): ZeroMQSocketMonitor {
    return this.socket.monitor;
  }

  /** Nodes that live, and lost ones that are remembered. */
  get nodes(): readonly HeartbeatNode[] {
    return this.watch.nodes;
  }

  /**
   * Binds, receives and checks.
   *
   * @returns the endpoint in use, with the port that was picked where 0 was asked for.
   * @throws ZeroMQSocketInvalid when the address is in use, not of this host or not writable.
   */
  async start(): Promise<string> {
    const endpoint = await this.socket.bind(this.options.config.connection);
    this.watch.start();
    return endpoint;
  }

  /** Stops for good. */
  stop(): void {
    this.watch.stop();
    this.socket.close();
  }

  /** Another sign of life of a node, by its key: it is not silent. */
  alive(key: string): void {
    this.watch.alive(key);
  }

  /** Misses in a row of a node, and ms since its last sign of life; undefined for one that sends no heartbeats. */
  reportOf(key: string): { missed: number; silentFor: number } | undefined {
    return this.watch.reportOf(key);
  }

  /** The node said goodbye: its silence is no loss. */
  forget(key: string): void {
    this.watch.forget(key);
  }

  message(frames: Buffer[]): void {
    const heartbeat = decodeHeartbeat(frames);
    const guest = this.socket.guarded ? this.socket.guest(frames[0]?.toString('latin1') ?? '') : undefined;
    if (heartbeat === undefined) dropped(this.options.speaker, 'bad-heartbeat');
    else if (guest?.rights.mayBeatAs(heartbeat.nodeType) === false)
      dropped(this.options.speaker, 'unknown-peer');
    else if (!this.watch.beat(heartbeat, guest?.publicKey)) dropped(this.options.speaker, 'overflow');
  }

  nodeConnected(node: HeartbeatNode): void {
    const { key: peer, nodeType, returned } = node;
    logFact(this.logger, { peer, nodeType, returned }, 'heartbeat connected');
    this.notify('connected', node);
  }

  heartbeatMissed(node: HeartbeatNode, silentFor: number): void {
    const { heartbeatMissed } = diagnostics;
    if (heartbeatMissed.hasSubscribers) heartbeatMissed.publish(this.told(node, silentFor));
    this.notify('missed', node, silentFor);
  }

  nodeLost(node: HeartbeatNode, silentFor: number): void {
    const { heartbeatLost } = diagnostics;
    if (heartbeatLost.hasSubscribers) heartbeatLost.publish(this.told(node, silentFor));
    const { key: peer, nodeType, missed } = node;
    logFact(this.logger, { peer, nodeType, missed, silentFor }, 'heartbeat lost');
    this.notify('lost', node, silentFor);
  }

  private told(node: HeartbeatNode, silentFor: number): HeartbeatMissed {
    const { kind, node: self } = this.options.speaker;
    return { kind, node: self, peer: node.key, peerType: node.nodeType, missed: node.missed, silentFor };
  }
}

function dropped({ kind, node }: DiagnosticsSource, cause: DropCause): void {
  const { frameDropped } = diagnostics;
  if (frameDropped.hasSubscribers) frameDropped.publish({ kind, node, cause });
}
