/**
 * Admission of peers to a socket that binds with CURVE. It admits the peers that the authenticator
 * knows, and records which key belongs to each peer of a ROUTER.
 *
 * libzmq reports the two separately: it asks about a key (ZAP) before it reads the peer's routing
 * id, and a message does not carry the key. The peers of a ROUTER are therefore admitted one at a
 * time. The next one is accepted when the one before has appeared with its routing id, or no longer
 * can. A routing id that appears while a peer is awaited belongs to that peer, because:
 *
 * - The first message read from a connection is the notice of the socket, `[id, ""]`
 *   (ZMQ_ROUTER_NOTIFY).
 * - The last one is `[id, farewell]` (ZMQ_DISCONNECT_MSG). The farewell is random bytes that no
 *   peer knows, so a peer cannot claim to have left and return as another one.
 * - A routing id in use passes (ZMQ_ROUTER_HANDOVER) only to a peer with the same key, which
 *   reconnected before its loss was noticed. Any other peer that takes one over is cut.
 *
 * To cut a peer, an internal socket takes over its routing id. libzmq then reads nothing more from
 * the connection, and closes it when it answers no ping.
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

/** Maximum number of peers that may wait for admission; further ones are rejected for now. */
const MOST_WAITING = 1000;

/**
 * How long an accepted peer may take to appear, in ms. After that, and at this interval, the socket
 * checks whether it still can.
 */
const PATIENCE = 100;

/** How long a peer whose key was revoked still receives refusals before it is cut, in ms. */
const LAST_WORDS = 1000;

/** The peer behind a routing id. */
export class AuthenticatedPeer {
  /** Its current permissions. */
  rights: PeerPermissions;
  /** Its key was removed from the allow list. */
  revoked = false;
  /** Its messages are no longer read. */
  cut = false;

  constructor(
    readonly identity: Buffer,
    readonly publicKey: string,
    rights: PeerPermissions,
  ) {
    this.rights = rights;
  }
}

/** Callbacks of an admission to the socket. */
export interface AdmissionOwner {
  /** No further message of the peer is delivered. */
  gone(key: string): void;
  /** The permissions of a peer have changed. */
  rightsChanged(key: string): void;
}

let gates = 0;

export class AdmissionGate implements AdmissionHandler {
  private readonly guests = new Map<string, AuthenticatedPeer>();
  /** Number of connections by public key. */
  private readonly connections = new Map<string, number>();
  private readonly waiting = new Ring<ConnectingPeer>();
  /** The peer that was accepted and has not appeared yet. */
  private awaited: ConnectingPeer | undefined;
  private cancelCheck: Cancel | undefined;
  /**
   * Number of successful handshakes, and how many of them belong to peers that appeared or whose
   * routing id was taken.
   */
  private handshakes = 0;
  private explained = 0;
  private readonly nobody = randomBytes(32);
  private readonly domain = `zeromq-gateway-${++gates}`;
  private readonly timers = new Set<Cancel>();
  private readonly endReviews: () => void;
  /** Endpoint to which the sockets that take over routing ids connect. */
  private cuttingPlace: string | undefined;
  private closed = false;

  private zap: Zap | undefined;

  /**
   * Makes a socket that is not bound yet accept only CURVE.
   *
   * @param notified whether the socket reports peers that connect and leave; see `PeerNotices`
   * @throws {ZeroMQSocketInvalid} when the library lacks a required option
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
   * Starts to answer for the socket. No peer is admitted before.
   *
   * @throws {ZeroMQSocketInvalid} when other code in this process handles ZAP
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

  /**
   * Whether a message is delivered. A message from an unknown peer was read late, from a lost
   * connection.
   */
  passes([identity]: Buffer[]): boolean {
    if (identity === undefined || !(this.socket instanceof Router)) return identity !== undefined;
    return this.guests.get(identity.toString('latin1'))?.cut === false;
  }

  /**
   * Handles a notice that a peer connected, which the peer may have forged. Returns whether the
   * peer was admitted.
   */
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

  /** Handles the notice that a peer has left. Returns whether the peer had been admitted. */
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

  /** Accepts the next peer. */
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

  /** The awaited peer has appeared, or never will. */
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

  /**
   * If the connection is lost and none of its messages are left to read, the peer cannot appear.
   */
  private async check(applicant: ConnectingPeer): Promise<void> {
    if (this.awaited !== applicant || this.closed || this.takenId(applicant)) return;
    const there = await this.zap?.isThere(applicant);
    if (this.awaited !== applicant || this.closed) return;
    if (there || this.readable()) this.checkLater(applicant);
    else this.givenUp(applicant);
  }

  /**
   * A peer that completed its handshake but has not appeared used the routing id of another peer,
   * and was cut.
   */
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

  /** Whether a message can be read. The message to an unknown peer makes zeromq.js check. */
  private readable(): boolean {
    const { readable } = this.socket;
    this.socket.send([this.nobody, NO_BYTES]).catch(() => undefined);
    return readable;
  }

  /** Looks up the permissions of all peers again. */
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

  /**
   * Revokes all permissions of a peer and cuts it a moment later, so that it receives the refusals.
   */
  private revoke(guest: AuthenticatedPeer): void {
    guest.revoked = true;
    guest.rights = noPermissions(guest.rights.name);
    const cancel = systemClock.after(LAST_WORDS, () => {
      this.timers.delete(cancel);
      this.cut(guest);
    });
    this.timers.add(cancel);
  }

  /**
   * Reads nothing more from a peer, and lets libzmq end its connection; see the head of this file.
   */
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
