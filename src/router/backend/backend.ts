/**
 * backend: the workers' side of the router. A ROUTER socket detects peers (socket notifications,
 * messages, heartbeats) and passes their replies to the broker; `WorkerRegistry` decides which
 * peers join as workers.
 *
 * The socket reports each connection that opens or closes, so there is one peer per connection. A
 * connection under the routing id of another one replaces it: the old peer is lost together with
 * its requests, and replies to them over the new connection are dropped. If the socket reports
 * nothing, peers are known from their messages and heartbeats, and a probe message detects whether
 * a peer known from heartbeats only is still connected.
 */

import { routingIdOf } from '../../core/identity/identity.ts';
import type { ReplyMessage } from '../../core/messages/message.ts';
import { type DiagnosticsSource, type DropCause, diagnostics } from '../../core/observability/diagnostics.ts';
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import type { ZeroMQConnection } from '../../transport/addressing/connection.ts';
import type { CurveEndpoint } from '../../transport/curve/curve-options.ts';
import { type Messages, PeerChannel } from '../../transport/link/peer-channel.ts';
import { turnNow } from '../../transport/link/turn.ts';
import { MessageSocket, type SocketReceiver } from '../../transport/socket/message-socket.ts';
import { MalformedFrames, readClassic } from '../../wire/classic.ts';
import { CONTROL_ADDRESS, controlData, isControl, readCredit } from '../../wire/control.ts';
import { isPacked, readPacked } from '../../wire/packed.ts';
import { isToken, tokenGeneration, tokenId } from '../../wire/token.ts';
import type { Broker } from '../broker/broker.ts';
import type { ClientLimits } from '../broker/client-limits.ts';
import { CallHandler } from './call-handler.ts';
import { HelloQueue } from './hello-queue.ts';
import { readPlainReply } from './plain-reply.ts';
import { SilentWorkers } from './silent-workers.ts';
import { requeueUndelivered } from './undelivered.ts';
import { WorkerPeer, type WorkerPeerOwner } from './worker-peer.ts';
import {
  type PeerDirectory,
  WorkerRegistry,
  type WorkerRegistryOptions,
  type WorkerRegistryOwner,
} from './worker-registry.ts';

/** Callbacks of the backend. */
export interface BackendOwner extends WorkerRegistryOwner {
  /** A message of a worker arrived. */
  peerActive(key: string): void;
  /** Something happened at a worker: the broker may have something to do earlier than before. */
  rearmTimer(): void;
}

/** Options of {@link Backend}. Durations in milliseconds. */
export interface BackendOptions extends WorkerRegistryOptions {
  readonly maxMessageSize: number;
  readonly source: DiagnosticsSource;
  /** How long a connected peer may take to send its hello before it counts as classic. */
  readonly helloTimeout: number;
  /** Limits on the calls of a worker. */
  readonly clientLimits: Required<ClientLimits>;
  readonly curve?: CurveEndpoint;
  readonly clock?: Clock;
}

/** Maximum time until libzmq rejects a message without a connection, in ms. */
const PROBE_TIME = 20;

/**
 * For which share of the startup grace workers that were refused before wait: as long as possible, and so that they are
 * taken in before requests without a worker fail.
 */
const REFUSED_WAIT = 15 / 16;

/**
 * Message that detects whether a peer is connected: classic workers drop messages of fewer than
 * four frames.
 */
const PROBE: Buffer = CONTROL_ADDRESS;

export class Backend implements SocketReceiver, WorkerPeerOwner, PeerDirectory {
  readonly socket: MessageSocket;
  readonly calls: CallHandler;
  private readonly registry: WorkerRegistry;
  private readonly hellos: HelloQueue<WorkerPeer>;
  private readonly silentWorkers: SilentWorkers<WorkerPeer>;
  private readonly clock: Clock;
  private readonly peers = new Map<string, WorkerPeer>();

  /** Ends the time in which workers that were refused before wait. */
  private readonly startup: Cancel | undefined;

  private readonly onContractFreed = (): void => {
    for (const peer of this.peers.values()) this.registry.retryRefusedContract(peer);
  };

  private readonly readHello = (peer: WorkerPeer, frame: Buffer | undefined): void => {
    this.registry.hello(peer, frame);
    if (peer.pings) this.silentWorkers.start();
  };

  private readonly onSilent = ({ worker }: WorkerPeer): void => {
    if (worker !== undefined) this.broker.workerSilent(worker, turnNow());
    this.owner.rearmTimer();
  };

  constructor(
    private readonly options: BackendOptions,
    private readonly broker: Broker,
    private readonly owner: BackendOwner,
  ) {
    const { identity: routingId, maxMessageSize, curve, clock = systemClock } = options;
    this.clock = clock;
    this.calls = new CallHandler(broker, options.clientLimits);
    this.silentWorkers = new SilentWorkers(() => this.peers.values(), clock, this.onSilent);
    this.registry = new WorkerRegistry(options, broker, this, owner);
    this.hellos = new HelloQueue<WorkerPeer>(clock, this.readHello, () => this.rearmTimer());
    options.contracts.on('freed', this.onContractFreed);
    const hold = broker.startupGrace * REFUSED_WAIT;
    this.registry.starting = hold > 0;
    if (hold > 0) this.startup = clock.after(hold, () => this.started());
    this.socket = new MessageSocket(
      { type: 'router', routingId, maxMessageSize, curve, notify: true, handover: true },
      this,
    );
  }

  bind(connection: ZeroMQConnection): Promise<string> {
    return this.socket.bind(connection);
  }

  /** Says goodbye to the workers, sends batched messages and closes the socket. */
  close(): void {
    this.startup?.();
    this.silentWorkers.stop();
    this.options.contracts.off('freed', this.onContractFreed);
    for (const peer of this.peers.values()) {
      peer.helloTimer?.();
      peer.delayedHello?.();
      this.registry.abandonCheck(peer);
      peer.channel.flush();
      if (peer.native) peer.control('$bye', {});
    }
    this.socket.close();
    for (const peer of this.peers.values()) peer.channel.close();
    this.peers.clear();
  }

  message(frames: Buffer[]): void {
    const identity = frames[0];
    const first = frames[1];
    if (identity === undefined || first === undefined) return this.drop('too-few-frames', undefined);
    const key = identity.toString('latin1');
    const peer = this.peers.get(key) ?? (this.socket.reportsPeers ? undefined : this.add(key, identity));
    // A message left over from a closed connection.
    if (peer === undefined) return this.drop('late-reply', key);
    this.receive(peer, frames, first);
    this.owner.rearmTimer();
  }

  peerConnected(key: string, identity: Buffer): void {
    const before = this.peers.get(key);
    if (before !== undefined) this.replace(before);
    this.awaitHello(this.add(key, identity), false);
    this.owner.rearmTimer();
  }

  peerLeft(key: string): void {
    const peer = this.peers.get(key);
    if (peer !== undefined) this.removePeer(peer, []);
    this.owner.rearmTimer();
  }

  /**
   * Handles the heartbeat of a worker that may have been lost before, or whose connection the
   * socket did not report.
   */
  heartbeatHeard(key: string): void {
    const known = this.peerOf(key);
    if (known === undefined) {
      const id = routingIdOf(key);
      if (!this.socket.reportsPeers) this.awaitHello(this.add(id.toString('latin1'), id), true);
    } else if (known.worker === undefined && !known.leaving) {
      if (known.native) this.registry.requestHello(known);
      else if (known.helloTimer === undefined) this.awaitHello(known, true);
    }
  }

  /** Removes a worker that missed too many heartbeats, until it sends a message again. */
  heartbeatLost(key: string): void {
    const peer = this.peerOf(key);
    if (peer !== undefined) this.registry.leave(peer, 'heartbeat');
  }

  /** Another allow list: a worker may serve less than before, nothing at all, or what it was refused. */
  permissionsChanged(key: string): void {
    const peer = this.peers.get(key);
    if (peer === undefined) return;
    this.registry.permissionsChanged(peer);
    this.owner.rearmTimer();
  }

  peerOf(key: string): WorkerPeer | undefined {
    for (const peer of this.peers.values()) if (peer.key === key) return peer;
    return undefined;
  }

  replied(peer: WorkerPeer, id: number, generation: number, reply: ReplyMessage): void {
    if (peer.worker === undefined) return this.drop('late-reply', peer.key);
    const drop = this.broker.reply(peer.worker, id, generation, reply, turnNow());
    if (drop !== undefined) this.drop(drop, peer.key);
  }

  granted({ worker }: WorkerPeer, id: number, generation: number, bytes: number): void {
    if (worker !== undefined) this.broker.streams.grantBody(worker, id, generation, bytes, turnNow());
  }

  lost(peer: WorkerPeer, unsent: Messages): void {
    if (this.removePeer(peer, unsent)) this.owner.rearmTimer();
  }

  stalled(peer: WorkerPeer, unsent: Messages): void {
    if (!this.reset(peer, unsent)) return;
    this.owner.rearmTimer();
  }

  superseded(peer: WorkerPeer): void {
    this.reset(peer, []);
  }

  writable(peer: WorkerPeer): void {
    if (peer.worker !== undefined) this.broker.unblock(peer.worker, turnNow());
    this.owner.rearmTimer();
  }

  rearmTimer(): void {
    this.owner.rearmTimer();
  }

  /** Counts a dropped message. */
  drop(cause: DropCause, peer: string | undefined): void {
    if (diagnostics.frameDropped.hasSubscribers) {
      diagnostics.frameDropped.publish({ ...this.options.source, cause, peer });
    }
  }

  private receive(peer: WorkerPeer, frames: Buffer[], first: Buffer): void {
    peer.heard = true;
    this.owner.peerActive(peer.key);
    if (isPacked(first)) {
      if (peer.worker === undefined) this.registry.requestHello(peer);
      if (!readPacked(frames, 1, peer)) this.drop('bad-batch', peer.key);
    } else if (isControl(frames, 1)) this.control(peer, frames);
    else this.classicReply(peer, frames, first);
  }

  /** The router has been up for a while: workers that were refused before may come. */
  private started(): void {
    this.registry.starting = false;
    this.onContractFreed();
    this.owner.rearmTimer();
  }

  /**
   * Handles a second connection with the routing id of a peer: the same worker reconnected, or
   * another one uses its id.
   */
  private replace(peer: WorkerPeer): void {
    this.options.logger.warn(
      { worker: peer.name, workerId: peer.key },
      'a new connection uses the routing id of a worker: the old connection is closed',
    );
    this.removePeer(peer, []);
  }

  /**
   * Replaces a peer whose connection may still work: the worker joins again with its next message.
   */
  private reset(peer: WorkerPeer, unsent: Messages): boolean {
    if (!this.removePeer(peer, unsent)) return false;
    this.add(peer.address, Buffer.from(peer.address, 'latin1')).native ||= peer.native;
    return true;
  }

  private removePeer(peer: WorkerPeer, unsent: Messages): boolean {
    if (this.peers.get(peer.address) !== peer) return false;
    this.peers.delete(peer.address);
    peer.helloTimer?.();
    this.hellos.disconnected(peer);
    peer.channel.close();
    requeueUndelivered(this.broker, peer.worker, unsent, turnNow());
    this.registry.leave(peer, 'disconnected');
    return true;
  }

  private add(key: string, identity: Buffer): WorkerPeer {
    const { source } = this.options;
    const authenticated = this.socket.authenticatedPeer(key);
    const { socket } = this;
    const channel = (owner: WorkerPeer): PeerChannel => new PeerChannel({ socket, identity, owner, source });
    const peer = new WorkerPeer(key, channel, this, authenticated);
    this.peers.set(key, peer);
    this.hellos.connected(peer);
    return peer;
  }

  /**
   * Waits for the hello of a new peer. A peer whose routing id promises a hello has no time limit.
   *
   * @param doubtful whether the peer may not be connected.
   */
  private awaitHello(peer: WorkerPeer, doubtful: boolean): void {
    if (peer.native && !doubtful) return;
    peer.helloTimer = this.clock.after(this.options.helloTimeout, () => {
      if (doubtful) this.probe(peer);
      else this.registry.joinClassic(peer);
    });
  }

  /** If the peer is not connected, the socket rejects the message before the time is over. */
  private probe(peer: WorkerPeer): void {
    peer.channel.post([PROBE]);
    peer.helloTimer = peer.native
      ? undefined
      : this.clock.after(PROBE_TIME, () => this.registry.joinClassic(peer));
  }

  private control(peer: WorkerPeer, frames: Buffer[]): void {
    const name = frames[3]?.toString();
    if (name === '$pong') return;
    if (name === '$hello') return this.hellos.take(peer, frames[4]);
    const data = controlData(frames[4]);
    if (name === '$credit') return this.registry.credit(peer, readCredit(data));
    peer.delayedHello?.();
    if (name === '$bye') this.registry.goodbye(peer);
    else if (name === '$gone') this.registry.leave(peer, 'goodbye');
    else this.drop('bad-control', peer.key);
  }

  private classicReply(peer: WorkerPeer, frames: Buffer[], token: Buffer): void {
    const classic = readClassic(frames, 1);
    if (classic instanceof MalformedFrames) return this.drop(classic.cause, peer.key);
    if (!classic.delimited || !isToken(token)) return this.drop('unknown-token', peer.key);
    const reply = readPlainReply(peer, classic, (cause) => this.drop(cause, peer.key));
    if (peer.worker === undefined && peer.native) this.registry.requestHello(peer);
    else if (peer.worker === undefined && peer.helloTimer === undefined) this.registry.joinClassic(peer);
    this.replied(peer, tokenId(token), tokenGeneration(token), reply);
  }
}
