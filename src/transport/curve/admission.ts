/**
 * The gate of a socket that binds with CURVE: lets in whom the authenticator knows, and knows whose key is behind a
 * ROUTER's peer.
 *
 * libzmq keeps these two apart: it asks (ZAP) about a key before it reads the peer's routing id, and a message says
 * nothing of the key. So peers of a ROUTER are let in one at a time: the next one is told to come in when the one
 * before has shown up with its routing id, or cannot any more. A routing id that shows up while one is awaited is
 * hence his. That holds because
 *
 * - the first thing read of a connection is what the socket says of it, `[id, ""]` (ZMQ_ROUTER_NOTIFY);
 * - the last thing is `[id, farewell]` (ZMQ_DISCONNECT_MSG), where the farewell is random bytes that no peer knows: none
 *   can say of itself that it is gone, and come back as somebody else;
 * - a routing id that is taken changes hands (ZMQ_ROUTER_HANDOVER) only to somebody with the same key, who is back
 *   before he was missed. Whoever else takes one over is cut.
 *
 * To cut somebody, a socket of our own takes his routing id over: libzmq then reads nothing more from the connection,
 * and closes it when it answers no ping.
 */

import { randomBytes } from 'node:crypto';
import { Dealer, Router } from 'zeromq';
import { Ring } from '../../core/collections/ring.ts';
import { ZeroMQSocketInvalid } from '../../core/messages/errors.ts';
import { NO_BYTES } from '../../core/messages/message.ts';
import { type Cancel, systemClock } from '../../core/time/clock.ts';
import { setRoutingId } from '../libzmq/options.ts';
import type { ZeroMQSocketMonitor } from '../libzmq/socket-monitor.ts';
import type { CurveEndpoint } from './curve-options.ts';
import { noPermissions, type PeerPermissions } from './permissions.ts';
import { type AdmissionHandler, type ConnectingPeer, Zap } from './zap.ts';

/** Peers that may wait to be let in; more are turned away for now. */
const MOST_WAITING = 1000;

/** How long one that was let in may take to show up, in ms; then, and this often, it is seen to whether it still can. */
const PATIENCE = 100;

/** How long one whose key was taken off the list is still told so, before he is cut, in ms. */
const LAST_WORDS = 1000;

/** Somebody behind a routing id. */
export class AuthenticatedPeer {
  /** What he may do now. */
  rights: PeerPermissions;
  /** His key was taken off the list. */
  revoked = false;
  /** Nothing of his is read any more. */
  cut = false;

  constructor(
    readonly identity: Buffer,
    readonly publicKey: string,
    rights: PeerPermissions,
  ) {
    this.rights = rights;
  }
}

/** What a gate tells the socket. */
export interface AdmissionOwner {
  /** Nothing more of a peer will be delivered. */
  gone(key: string): void;
  /** A peer may do other things than before. */
  rightsChanged(key: string): void;
}

let gates = 0;

export class AdmissionGate implements AdmissionHandler {
  private readonly guests = new Map<string, AuthenticatedPeer>();
  /** Connections by public key. */
  private readonly connections = new Map<string, number>();
  private readonly waiting = new Ring<ConnectingPeer>();
  /** Told to come in, and not there yet. */
  private awaited: ConnectingPeer | undefined;
  private cancelCheck: Cancel | undefined;
  /** Handshakes that succeeded, and how many of them are those of peers who showed up or whose routing id was taken. */
  private handshakes = 0;
  private explained = 0;
  private readonly nobody = randomBytes(32);
  private readonly domain = `zeromq-gateway-${++gates}`;
  private readonly timers = new Set<Cancel>();
  private readonly endReviews: () => void;
  /** Where sockets that take routing ids over connect to. */
  private cuttingPlace: string | undefined;
  private closed = false;

  private zap: Zap | undefined;

  /**
   * Makes a socket, which is not bound yet, speak CURVE only.
   *
   * @param notified whether the socket says which peers come and go; see `PeerNotices`.
   * @throws ZeroMQSocketInvalid when the library lacks what it takes.
   */
  constructor(
    private readonly socket: Router | Dealer,
    private readonly door: CurveEndpoint,
    notified: boolean,
    monitor: ZeroMQSocketMonitor,
    private readonly owner: AdmissionOwner,
  ) {
    const { server } = door;
    server.applyTo(socket);
    socket.zapDomain = this.domain;
    socket.zapEnforceDomain = true;
    if (socket instanceof Router && !notified) {
      const message =
        'CURVE needs a ZeroMQ library with draft options (ZMQ_ROUTER_NOTIFY, ZMQ_DISCONNECT_MSG)';
      throw new ZeroMQSocketInvalid('ENOTSUP', message);
    }
    monitor.on('handshake', () => this.shookHands());
    this.endReviews = server.authenticator.onChange(() => this.review());
  }

  /**
   * Begins to answer for the socket; nobody is let in before.
   *
   * @throws ZeroMQSocketInvalid when something else in this process handles ZAP.
   */
  async open(): Promise<void> {
    const zap = await Zap.open(this.domain, this);
    this.zap = zap;
    if (this.closed) zap.close(this.domain);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.cancelCheck?.();
    for (const cancel of this.timers) cancel();
    this.endReviews();
    this.zap?.close(this.domain);
  }

  guest(key: string): AuthenticatedPeer | undefined {
    return this.guests.get(key);
  }

  asked(applicant: ConnectingPeer): void {
    const { publicKey } = applicant;
    const reason = this.objection(publicKey);
    if (reason !== undefined) {
      this.zap?.answer(applicant, 400);
      this.door.turnedAway(publicKey, applicant.address, reason);
    } else if (!(this.socket instanceof Router)) this.zap?.answer(applicant, 200);
    else if (this.waiting.length >= MOST_WAITING) this.zap?.answer(applicant, 400);
    else if (this.count(publicKey) >= this.door.server.connectionsPerKey) {
      this.zap?.answer(applicant, 400);
      this.door.turnedAway(publicKey, applicant.address, 'it has as many connections as it may');
    } else {
      this.connections.set(publicKey, this.count(publicKey) + 1);
      this.waiting.push(applicant);
      this.letIn();
    }
  }

  /** Whether a message is for whoever reads the socket. What comes of an unknown peer was read late, from a lost connection. */
  passes([identity]: Buffer[]): boolean {
    if (identity === undefined || !(this.socket instanceof Router)) return identity !== undefined;
    return this.guests.get(identity.toString('latin1'))?.cut === false;
  }

  /** The socket says that a peer comes; or a peer says it of itself. @returns whether it is there for whoever reads. */
  came(key: string, identity: Buffer): boolean {
    const guest = this.guests.get(key);
    if (guest === undefined) return this.cameIn(key, identity);
    if (this.awaited?.publicKey !== guest.publicKey) {
      this.cut(guest);
      return false;
    }
    if (this.left(key)) this.owner.gone(key);
    return this.cameIn(key, identity);
  }

  /** The socket says that a peer is gone. @returns whether it was there for whoever reads. */
  left(key: string): boolean {
    const guest = this.guests.get(key);
    if (guest === undefined) return false;
    this.guests.delete(key);
    this.forgetConnection(guest.publicKey);
    return !guest.cut;
  }

  private objection(publicKey: string): string | undefined {
    const { server, side } = this.door;
    const rights = server.authenticator.rightsOf(publicKey, server.domain);
    if (rights === undefined) return 'its key is not on the allow list';
    return rights.mayConnect(side)
      ? undefined
      : `${rights.name} is a ${rights.role}, which has no business at a ${side}`;
  }

  private count(publicKey: string): number {
    return this.connections.get(publicKey) ?? 0;
  }

  private forgetConnection(publicKey: string): void {
    const left = this.count(publicKey) - 1;
    if (left > 0) this.connections.set(publicKey, left);
    else this.connections.delete(publicKey);
  }

  /** Tells the next one to come in. */
  private letIn(): void {
    if (this.awaited !== undefined || this.closed) return;
    const next = this.waiting.shift();
    if (next === undefined) return;
    this.awaited = next;
    this.zap?.answer(next, 200);
    this.checkLater(next);
  }

  private cameIn(key: string, identity: Buffer): boolean {
    const { awaited, door } = this;
    if (awaited === undefined) {
      const stranger = new AuthenticatedPeer(identity, '', noPermissions('unknown'));
      this.guests.set(key, stranger);
      this.cut(stranger);
      return false;
    }
    const { publicKey } = awaited;
    const rights = door.server.authenticator.rightsOf(publicKey, door.server.domain);
    const guest = new AuthenticatedPeer(identity, publicKey, rights ?? noPermissions('unknown'));
    this.guests.set(key, guest);
    this.explained += 1;
    this.settled();
    if (this.objection(publicKey) !== undefined) this.cut(guest);
    return !guest.cut;
  }

  /** The awaited one is there, or will never be. */
  private settled(): void {
    this.cancelCheck?.();
    this.awaited = undefined;
    this.letIn();
  }

  private shookHands(): void {
    this.handshakes += 1;
    if (this.awaited !== undefined) setImmediate(() => this.takenId(this.awaited));
  }

  private checkLater(applicant: ConnectingPeer): void {
    this.cancelCheck = systemClock.after(PATIENCE, () => setImmediate(() => void this.check(applicant)));
  }

  /** Where the connection is gone and nothing of it is left to read, nobody will come. */
  private async check(applicant: ConnectingPeer): Promise<void> {
    if (this.awaited !== applicant || this.closed || this.takenId(applicant)) return;
    const there = await this.zap?.isThere(applicant);
    if (this.awaited !== applicant || this.closed) return;
    if (there || this.readable()) this.checkLater(applicant);
    else this.givenUp(applicant);
  }

  /** One that shook hands and has not shown up came under another's routing id, and was cut. */
  private takenId(applicant: ConnectingPeer | undefined): boolean {
    if (applicant === undefined || this.awaited !== applicant || this.closed) return false;
    if (this.handshakes <= this.explained || this.readable()) return false;
    this.explained += 1;
    this.givenUp(applicant);
    return true;
  }

  private givenUp({ publicKey }: ConnectingPeer): void {
    this.forgetConnection(publicKey);
    this.settled();
  }

  /** Whether something is there to be read. The message to nobody makes zeromq.js look, too. */
  private readable(): boolean {
    const { readable } = this.socket;
    this.socket.send([this.nobody, NO_BYTES]).catch(() => undefined);
    return readable;
  }

  /** Looks at everybody's rights anew. */
  private review(): void {
    const { server, side } = this.door;
    for (const [key, guest] of this.guests) {
      if (guest.cut || guest.revoked) continue;
      const rights = server.authenticator.rightsOf(guest.publicKey, server.domain);
      if (rights === guest.rights) continue;
      if (rights?.mayConnect(side)) guest.rights = rights;
      else this.revoke(guest);
      this.owner.rightsChanged(key);
    }
  }

  /** He may do nothing more, is told so for a moment, and is cut. */
  private revoke(guest: AuthenticatedPeer): void {
    guest.revoked = true;
    guest.rights = noPermissions(guest.rights.name);
    const cancel = systemClock.after(LAST_WORDS, () => {
      this.timers.delete(cancel);
      this.cut(guest);
    });
    this.timers.add(cancel);
  }

  /** Reads nothing more of a peer, and lets libzmq end its connection; see the head of this file. */
  private cut(guest: AuthenticatedPeer): void {
    const { socket } = this;
    if (guest.cut || this.closed || !(socket instanceof Router)) return;
    guest.cut = true;
    this.owner.gone(guest.identity.toString('latin1'));
    this.cuttingPlace ??= bindInside(socket, this.domain);
    const successor = new Dealer({ linger: 0 });
    setRoutingId(successor, guest.identity);
    successor.connect(this.cuttingPlace);
    this.readable(); // makes libzmq take the connection in
    successor.close();
  }
}

function bindInside(socket: Router, name: string): string {
  const place = `inproc://${name}`;
  socket.bindSync(place);
  return place;
}
