/**
 * The side of the router that workers connect to: a ROUTER socket. Finds out who is there (hello, notifications of
 * the socket, messages, heartbeats), gives the core a `Worker` for each, and hands it their replies.
 *
 * What the socket says of its peers, `[identity, ""]`, is the same when one comes and when it goes, and a peer can say
 * it of itself. So one that we know goes, and one that we do not know comes. Two things are looked into by a message
 * that finds somebody or nobody: whether a peer went that is said to have gone, and whether one is there that is known
 * from heartbeats only, or of which the end is yet to be told.
 */
import { type Cancel, type Clock, systemClock } from '../core/clock.ts';
import { type DropCause, diagnostics, type LeaveReason, type Speaker } from '../core/diagnostics.ts';
import type { Logger } from '../core/logging.ts';
import { failure, type ReplyMessage } from '../core/message.ts';
import type { ZeroMQConnection } from '../transport/connection.ts';
import type { CurveDoor } from '../transport/curve/security.ts';
import { type Messages, PeerChannel } from '../transport/peer-channel.ts';
import { MessageSocket, type SocketReceiver } from '../transport/socket.ts';
import { turnNow } from '../transport/turn.ts';
import { MalformedFrames, readClassic, toReply } from '../wire/classic.ts';
import {
  CONTROL_ADDRESS,
  type Credit,
  controlData,
  type Hello,
  isControl,
  readCredit,
  readHello,
} from '../wire/control.ts';
import { isJson } from '../wire/json-check.ts';
import { PROTOCOL_VERSION } from '../wire/metadata.ts';
import { isPacked, readPacked } from '../wire/packed.ts';
import { isToken, tokenGeneration, tokenId } from '../wire/token.ts';
import type { AnnouncedContracts } from './contracts.ts';
import type { RouterCore } from './core.ts';
import { announcementRefusal, classicEventsOf } from './permits.ts';
import { findUndelivered } from './undelivered.ts';
import { WorkerPeer, type WorkerPeerOwner } from './worker-peer.ts';

/** A worker, as much of it as the router tells others. */
export type JoinedPeer = Pick<WorkerPeer, 'key' | 'ours' | 'worker'>;

/** What a backend tells the router. */
export interface BackendOwner {
  /** A worker came, or one that was taken for a classic one said what it is. */
  workerJoined(peer: JoinedPeer): void;
  workerLeft(peer: JoinedPeer, reason: LeaveReason, held: number): void;
  /** A worker was heard of, whatever it said. */
  signOfLife(key: string): void;
  /** Something happened at a worker: the core may have something to do earlier than before. */
  touched(): void;
}

/** Options of a backend. Durations in ms. */
export interface BackendOptions {
  readonly identity: string;
  readonly maxMessageSize: number;
  readonly speaker: Speaker;
  readonly logger: Logger;
  /** Requests that a classic worker is given at a time. */
  readonly classicConcurrency: number;
  /** Events that classic workers serve; undefined: every event that nobody announced. */
  readonly classicEvents: readonly string[] | undefined;
  /** How long a peer that connected has for its hello before it counts as classic. */
  readonly helloGrace: number;
  readonly contracts: AnnouncedContracts;
  readonly curve?: CurveDoor;
  readonly clock?: Clock;
}

/** Peers whose end is yet to be told, as many as are remembered. */
const MAX_ENDING = 1024;

/** How long libzmq takes to forget a connection, so that a message for it is refused, in ms. */
const PROBE_TIME = 20;

/** What finds out whether somebody is there: a classic worker drops a message of fewer than four frames. */
const PROBE: Buffer = CONTROL_ADDRESS;

export class Backend implements SocketReceiver, WorkerPeerOwner {
  readonly socket: MessageSocket;
  private readonly clock: Clock;
  private readonly peers = new Map<string, WorkerPeer>();
  /** Peers that are forgotten, but of which the socket has not told the end; the oldest first. */
  private readonly ending = new Set<string>();
  private readonly checks = new Set<Cancel>();

  constructor(
    private readonly options: BackendOptions,
    private readonly core: RouterCore,
    private readonly owner: BackendOwner,
  ) {
    const { identity: routingId, maxMessageSize, curve, clock = systemClock } = options;
    this.clock = clock;
    this.socket = new MessageSocket({ type: 'router', routingId, maxMessageSize, curve, notify: true }, this);
  }

  bind(connection: ZeroMQConnection): Promise<string> {
    return this.socket.bind(connection);
  }

  /** Tells the workers, sends what is gathered, and closes the socket. */
  close(): void {
    for (const cancel of this.checks) cancel();
    for (const peer of this.peers.values()) {
      peer.grace?.();
      peer.channel.flush();
      if (peer.ours) peer.control('$bye', {});
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
    if (frames.length === 2 && first.length === 0) this.notified(key, identity);
    else this.heard(this.peers.get(key) ?? this.add(key, identity), frames, first);
    this.owner.touched();
  }

  /** A worker was heard of through its heartbeat: perhaps one that was lost, or of which the socket says nothing. */
  heartbeatHeard(key: string): void {
    const known = this.peerOf(key);
    if (known === undefined) {
      if (!this.socket.notifies) this.awaitHello(this.add(key, Buffer.from(key, 'latin1')), true);
    } else if (known.worker === undefined && !known.excused) {
      if (known.ours) this.askWho(known);
      else if (known.grace === undefined) this.awaitHello(known, true);
    }
  }

  /** A worker missed too many heartbeats: it gets nothing more, until it is heard of again. */
  heartbeatLost(key: string): void {
    const peer = this.peerOf(key);
    if (peer !== undefined) this.leave(peer, 'heartbeat');
  }

  /** Another allow list: a worker may serve less than before, nothing at all, or what it was refused. */
  rightsChanged(key: string): void {
    const peer = this.peers.get(key);
    if (peer?.guest === undefined || peer.excused) return;
    const refusal = peer.guest.revoked ? 'its key was taken off the allow list' : this.forbidden(peer);
    if (refusal !== undefined) this.refuse(peer, refusal);
    else if (peer.ours && peer.worker === undefined) this.askWho(peer);
    else if (!peer.ours && peer.grace === undefined) {
      peer.barred = false;
      this.leave(peer, 'replaced');
      this.joinClassic(peer);
    }
    this.owner.touched();
  }

  private peerOf(key: string): WorkerPeer | undefined {
    for (const peer of this.peers.values()) if (peer.key === key) return peer;
    return undefined;
  }

  replied(peer: WorkerPeer, id: number, generation: number, reply: ReplyMessage): void {
    if (peer.worker === undefined) {
      this.drop('late-reply', peer.key);
      return;
    }
    const drop = this.core.reply(peer.worker, id, generation, reply, turnNow());
    if (drop !== undefined) this.drop(drop, peer.key);
  }

  gone(peer: WorkerPeer, unsent: Messages): void {
    if (!this.forget(peer, unsent)) return;
    this.expectEnd(peer.address);
    this.owner.touched();
  }

  writable(peer: WorkerPeer): void {
    if (peer.worker !== undefined) this.core.unblock(peer.worker, turnNow());
    this.owner.touched();
  }

  /** Counts something that was not used. */
  drop(cause: DropCause, peer: string | undefined): void {
    if (diagnostics.frameDropped.hasSubscribers) {
      diagnostics.frameDropped.publish({ ...this.options.speaker, cause, peer });
    }
  }

  private heard(peer: WorkerPeer, frames: Buffer[], first: Buffer): void {
    this.owner.signOfLife(peer.key);
    if (isPacked(first)) {
      if (peer.worker === undefined) this.askWho(peer);
      if (!readPacked(frames, 1, peer)) this.drop('bad-batch', peer.key);
    } else if (isControl(frames, 1)) this.control(peer, frames);
    else this.classicReply(peer, frames, first);
  }

  private notified(key: string, identity: Buffer): void {
    const known = this.peers.get(key);
    if (known === undefined) this.awaitHello(this.add(key, identity), this.ending.delete(key));
    else if (this.forget(known, [])) this.checkEnd(key, identity);
  }

  private forget(peer: WorkerPeer, unsent: Messages): boolean {
    if (this.peers.get(peer.address) !== peer) return false;
    this.peers.delete(peer.address);
    peer.grace?.();
    peer.channel.close();
    this.giveBack(peer, unsent);
    this.leave(peer, 'disconnected');
    return true;
  }

  private add(key: string, identity: Buffer): WorkerPeer {
    const { speaker } = this.options;
    const guest = this.socket.guest(key);
    const channel = (owner: WorkerPeer): PeerChannel =>
      new PeerChannel(this.socket, identity, owner, speaker);
    const peer = new WorkerPeer(key, channel, this, guest);
    this.peers.set(key, peer);
    return peer;
  }

  /** A peer is said to have gone: if it is still there it said so itself, and its end will be told once more. */
  private checkEnd(key: string, identity: Buffer): void {
    const cancel = this.clock.after(PROBE_TIME, () => {
      this.checks.delete(cancel);
      if (this.peers.has(key)) return;
      void this.socket.deliver([identity, PROBE]).then((refusal) => {
        if (refusal === undefined && !this.peers.has(key)) this.expectEnd(key);
      });
    });
    this.checks.add(cancel);
  }

  private expectEnd(key: string): void {
    this.ending.add(key);
    if (this.ending.size <= MAX_ENDING) return;
    const [oldest] = this.ending;
    if (oldest !== undefined) this.ending.delete(oldest);
  }

  /** A peer came: if it is one of ours its hello is on the way. @param doubtful perhaps nobody is there. */
  private awaitHello(peer: WorkerPeer, doubtful: boolean): void {
    peer.grace = this.clock.after(this.options.helloGrace, () => {
      if (doubtful) this.probe(peer);
      else this.joinClassic(peer);
    });
  }

  /** Where nobody is, the message is refused before the time is over. */
  private probe(peer: WorkerPeer): void {
    peer.channel.post([PROBE]);
    peer.grace = this.clock.after(PROBE_TIME, () => this.joinClassic(peer));
  }

  private joinClassic(peer: WorkerPeer): void {
    const { classicConcurrency: concurrency, classicEvents } = this.options;
    const events = peer.guest ? classicEventsOf(peer.guest.rights, classicEvents) : classicEvents;
    peer.grace = undefined;
    if (peer.barred) return;
    if (peer.guest !== undefined && events?.length === 0) {
      peer.barred = true;
      return this.refuse(
        peer,
        `the key of ${peer.guest.rights.name} names no event that a classic worker could serve`,
      );
    }
    peer.worker = this.core.addWorker(peer, { id: peer.key, events, concurrency, cancels: false }, turnNow());
    this.owner.workerJoined(peer);
  }

  private askWho(peer: WorkerPeer): void {
    if (peer.asked || peer.excused) return;
    peer.asked = true;
    peer.control('$who', {});
  }

  private control(peer: WorkerPeer, frames: Buffer[]): void {
    const name = frames[3]?.toString();
    const data = controlData(frames[4]);
    if (name === '$hello') this.hello(peer, data);
    else if (name === '$credit') this.credit(peer, readCredit(data));
    else if (name === '$bye') this.goodbye(peer);
    else if (name === '$gone') this.leave(peer, 'goodbye');
    else this.drop('bad-control', peer.key);
  }

  private hello(peer: WorkerPeer, data: Record<string, unknown> | undefined): void {
    peer.grace?.();
    peer.grace = undefined;
    peer.ours = true;
    peer.asked = false;
    peer.excused = false;
    const hello = readHello(data);
    if (typeof hello === 'string') {
      this.drop('bad-control', peer.key);
      return this.refuse(peer, hello);
    }
    if (!this.succeed(peer, hello)) return this.drop('bad-control', peer.key);
    if (peer.connection !== undefined && peer.connection !== hello.connection) this.leave(peer, 'replaced');
    peer.connection = hello.connection;
    peer.announced = hello;
    const refusal = this.forbidden(peer) ?? this.acquire(peer, hello);
    if (refusal !== undefined) return this.refuse(peer, refusal);
    peer.control('$welcome', { v: PROTOCOL_VERSION, pack: 1, router: this.options.identity });
    this.takeIn(peer, hello);
  }

  private forbidden({ guest, announced }: WorkerPeer): string | undefined {
    return guest && announced && announcementRefusal(guest.rights, announced);
  }

  /** A worker that comes back takes the place of its lost connection. False: it is that one, late, or another's name. */
  private succeed(peer: WorkerPeer, { node, connection = 0 }: Hello): boolean {
    if (node === undefined || node === peer.node) return true;
    const before = this.peerOf(node);
    if (before !== undefined && before !== peer) {
      const stranger = before.guest?.publicKey !== peer.guest?.publicKey;
      if (stranger || (before.connection ?? 0) > connection) return false;
      this.leave(before, 'replaced');
      if (this.forget(before, [])) this.expectEnd(before.address);
    }
    peer.node = node;
    return true;
  }

  private acquire(peer: WorkerPeer, { contract }: Hello): string | undefined {
    if (contract === undefined || peer.contract !== undefined) return undefined;
    const refusal = this.options.contracts.acquire(contract.name, contract.fragment);
    if (refusal === undefined) peer.contract = contract.name;
    return refusal;
  }

  private takeIn(peer: WorkerPeer, { events, concurrency, share: shares }: Hello): void {
    const now = turnNow();
    const { worker } = peer;
    if (worker === undefined) {
      const info = { id: peer.key, events, concurrency, shares, cancels: true };
      peer.worker = this.core.addWorker(peer, info, now);
      this.owner.workerJoined(peer);
      return;
    }
    const wasClassic = !worker.cancels;
    this.core.updateWorker(worker, { events, concurrency, shares, cancels: true }, now);
    if (wasClassic) this.owner.workerJoined(peer);
  }

  /** A worker takes more or less from now on. The answer is behind all that it was given before. */
  private credit(peer: WorkerPeer, concurrency: number | undefined): void {
    if (concurrency === undefined) return this.drop('bad-control', peer.key);
    if (peer.worker === undefined) return this.askWho(peer);
    this.core.updateWorker(peer.worker, { concurrency, shares: true }, turnNow());
    peer.control('$credit', { concurrency } satisfies Credit);
  }

  private refuse(peer: WorkerPeer, reason: string): void {
    this.options.logger.warn({ worker: peer.key, reason }, 'a worker was refused');
    if (peer.ours) peer.control('$refused', { reason });
    this.leave(peer, 'refused');
  }

  /** The worker wants nothing more; what it holds it will still answer. */
  private goodbye(peer: WorkerPeer): void {
    peer.excused = true;
    if (peer.worker !== undefined) this.core.drainWorker(peer.worker, () => this.leave(peer, 'goodbye'));
    peer.control('$bye', {});
  }

  private leave(peer: WorkerPeer, reason: LeaveReason): void {
    const { worker } = peer;
    if (peer.contract !== undefined) this.options.contracts.release(peer.contract);
    peer.contract = undefined;
    if (worker === undefined) return;
    peer.worker = undefined;
    const { held } = worker;
    this.core.removeWorker(worker, turnNow());
    this.owner.workerLeft(peer, reason, held);
  }

  /** Requests that never left go to other workers: nobody has run them. */
  private giveBack(peer: WorkerPeer, unsent: Messages): void {
    const { worker } = peer;
    if (worker === undefined) return;
    findUndelivered(unsent, (id, generation) => {
      const pending = this.core.held(worker, id, generation);
      if (pending !== undefined) this.core.giveBack(pending, turnNow());
    });
  }

  private classicReply(peer: WorkerPeer, frames: Buffer[], token: Buffer): void {
    const classic = readClassic(frames, 1);
    if (classic instanceof MalformedFrames) return this.drop(classic.cause, peer.key);
    if (!classic.delimited || !isToken(token)) return this.drop('unknown-token', peer.key);
    const { message, broken } = toReply(classic);
    if (broken) this.drop('bad-metadata', peer.key);
    const trusted = peer.ours || isJson(message.body);
    if (!trusted) this.drop('bad-json', peer.key);
    const reply = trusted ? message : failure('BAD_REPLY', 'the reply of the classic worker is no JSON');
    if (peer.worker === undefined && !peer.ours && peer.grace === undefined) this.joinClassic(peer);
    this.replied(peer, tokenId(token), tokenGeneration(token), reply);
  }
}
