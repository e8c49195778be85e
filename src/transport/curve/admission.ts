/**
 * curve: keys, the allow list, permissions, and the admission of peers.
 *
 * Admission of peers to a socket that binds with CURVE. It admits the peers that the authenticator
 * knows, and records which key belongs to each peer of a ROUTER.
 *
 * libzmq reports the two separately: it asks about a key (ZAP) before it reads the peer's routing
 * id, and a message does not carry the key. The peers of a ROUTER are therefore admitted one at a
 * time. The next one is accepted when the previous one has appeared with its routing id, or can no
 * longer appear. A routing id that appears while a peer is awaited belongs to that peer, because:
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
import { AuthenticatedPeer } from './authenticated-peer.ts';
import type { CurveEndpoint } from './curve-options.ts';
import { noPermissions } from './permissions.ts';
import { type AdmissionHandler, type ConnectingPeer, Zap } from './zap.ts';

/** Maximum number of peers that wait for admission. Further ones are rejected and retry later. */
const MAX_WAITING = 1000;

/** Interval, in ms, of checks whether an accepted peer can still appear with its routing id. */
const APPEARANCE_CHECK = 100;

/**
 * How long a peer whose key was revoked stays connected, in ms. It receives the rejections of its
 * requests in that time.
 */
const REVOCATION_GRACE = 1000;

/** Callbacks of an admission to the socket. */
export interface AdmissionOwner {
  /** No further message of the peer is delivered. */
  peerLeft(key: string): void;
  /** The permissions of a peer have changed. */
  permissionsChanged(key: string): void;
}

/** The socket of an admission. */
export interface AdmissionSocket {
  readonly raw: Router | Dealer;
  readonly monitor: ZeroMQSocketMonitor;
  /** Whether the socket reports peers that connect and leave; see `PeerNotices`. */
  readonly reportsPeers: boolean;
}

let admissions = 0;

/** Admits the peers of one socket; see the head of this file. */
export class Admission implements AdmissionHandler {
  private readonly socket: Router | Dealer;
  private readonly peers = new Map<string, AuthenticatedPeer>();
  /** Number of connections by public key. */
  private readonly connections = new Map<string, number>();
  private readonly waiting = new Ring<ConnectingPeer>();
  /** The peer that was accepted and has not appeared yet. */
  private awaited: ConnectingPeer | undefined;
  private cancelCheck: Cancel | undefined;
  /**
   * Number of successful handshakes, and how many of them belong to peers that have appeared, or that
   * were cut because their routing id was in use.
   */
  private handshakes = 0;
  private accountedFor = 0;
  /** A routing id that no peer has. */
  private readonly unknownId = randomBytes(32);
  private readonly domain = `zeromq-gateway-${++admissions}`;
  private readonly timers = new Set<Cancel>();
  private readonly stopReviews: () => void;
  /** Endpoint to which the sockets that take over routing ids connect. */
  private takeoverEndpoint: string | undefined;
  private closed = false;

  private zap: Zap | undefined;

  /**
   * Makes a socket that is not bound yet accept only CURVE.
   *
   * @throws {ZeroMQSocketInvalid} when the library lacks a required option
   */
  constructor(
    { raw: socket, monitor, reportsPeers }: AdmissionSocket,
    private readonly endpoint: CurveEndpoint,
    private readonly owner: AdmissionOwner,
  ) {
    const { server } = endpoint;
    this.socket = socket;
    server.applyTo(socket);
    socket.zapDomain = this.domain;
    socket.zapEnforceDomain = true;
    if (socket instanceof Router && !reportsPeers) {
      const message =
        'CURVE needs a ZeroMQ library with draft options (ZMQ_ROUTER_NOTIFY, ZMQ_DISCONNECT_MSG)';
      throw new ZeroMQSocketInvalid('ENOTSUP', message);
    }
    monitor.on('handshake', () => this.handshakeSucceeded());
    this.stopReviews = server.authenticator.onChange(() => this.review());
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
    this.stopReviews();
    this.zap?.close(this.domain);
  }

  /** Returns the peer with a routing id, in Latin-1. */
  peer(key: string): AuthenticatedPeer | undefined {
    return this.peers.get(key);
  }

  authenticate(connecting: ConnectingPeer): void {
    const { publicKey } = connecting;
    const reason = this.rejectionReason(publicKey);
    if (reason !== undefined) {
      this.zap?.answer(connecting, 400);
      this.endpoint.peerRejected(publicKey, connecting.address, reason);
    } else if (!(this.socket instanceof Router)) this.zap?.answer(connecting, 200);
    else if (this.waiting.length >= MAX_WAITING) this.zap?.answer(connecting, 400);
    else if (this.count(publicKey) >= this.endpoint.server.connectionsPerKey) {
      this.zap?.answer(connecting, 400);
      this.endpoint.peerRejected(
        publicKey,
        connecting.address,
        'its key has the maximum number of connections',
      );
    } else {
      this.connections.set(publicKey, this.count(publicKey) + 1);
      this.waiting.push(connecting);
      this.acceptNext();
    }
  }

  /**
   * Whether a message is delivered. A message from an unknown peer was read late, from a lost
   * connection.
   */
  isAdmitted([identity]: Buffer[]): boolean {
    if (identity === undefined || !(this.socket instanceof Router)) return identity !== undefined;
    return this.peers.get(identity.toString('latin1'))?.cut === false;
  }

  /**
   * Handles a notice that a peer connected, which the peer may have forged. Returns whether the
   * peer was admitted.
   */
  peerConnected(key: string, identity: Buffer): boolean {
    const peer = this.peers.get(key);
    if (peer === undefined) return this.register(key, identity);
    if (this.awaited?.publicKey !== peer.publicKey) {
      this.cut(peer);
      return false;
    }
    if (this.peerLeft(key)) this.owner.peerLeft(key);
    return this.register(key, identity);
  }

  /** Handles the notice that a peer has left. Returns whether the peer had been admitted. */
  peerLeft(key: string): boolean {
    const peer = this.peers.get(key);
    if (peer === undefined) return false;
    this.peers.delete(key);
    this.forgetConnection(peer.publicKey);
    return !peer.cut;
  }

  private rejectionReason(publicKey: string): string | undefined {
    const { server, side } = this.endpoint;
    const permissions = server.authenticator.permissionsOf(publicKey, server.domain);
    if (permissions === undefined) return 'its key is not on the allow list';
    return permissions.mayConnect(side)
      ? undefined
      : `${permissions.name} has the role ${permissions.role}, which may not connect to a ${side}`;
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
  private acceptNext(): void {
    if (this.awaited !== undefined || this.closed) return;
    const next = this.waiting.shift();
    if (next === undefined) return;
    this.awaited = next;
    this.zap?.answer(next, 200);
    this.checkLater(next);
  }

  private register(key: string, identity: Buffer): boolean {
    const { awaited, endpoint } = this;
    if (awaited === undefined) {
      const unknown = new AuthenticatedPeer(identity, '', noPermissions('unknown'));
      this.peers.set(key, unknown);
      this.cut(unknown);
      return false;
    }
    const { publicKey } = awaited;
    const permissions = endpoint.server.authenticator.permissionsOf(publicKey, endpoint.server.domain);
    const peer = new AuthenticatedPeer(identity, publicKey, permissions ?? noPermissions('unknown'));
    this.peers.set(key, peer);
    this.accountedFor += 1;
    this.stopAwaiting();
    if (this.rejectionReason(publicKey) !== undefined) this.cut(peer);
    return !peer.cut;
  }

  /** Accepts the next peer: the awaited one has appeared, or can no longer appear. */
  private stopAwaiting(): void {
    this.cancelCheck?.();
    this.awaited = undefined;
    this.acceptNext();
  }

  private handshakeSucceeded(): void {
    this.handshakes += 1;
    if (this.awaited !== undefined) setImmediate(() => this.dropIfIdTaken(this.awaited));
  }

  private checkLater(connecting: ConnectingPeer): void {
    this.cancelCheck = systemClock.after(APPEARANCE_CHECK, () =>
      setImmediate(() => void this.check(connecting)),
    );
  }

  /** Gives up on the awaited peer if its connection is lost and no message is left to read. */
  private async check(connecting: ConnectingPeer): Promise<void> {
    if (this.awaited !== connecting || this.closed || this.dropIfIdTaken(connecting)) return;
    const connected = await this.zap?.isConnected(connecting);
    if (this.awaited !== connecting || this.closed) return;
    if (connected || this.readable()) this.checkLater(connecting);
    else this.forgetAwaited(connecting);
  }

  /**
   * Gives up on the awaited peer if it completed its handshake but has not appeared: it used the
   * routing id of another peer and was cut. Returns whether that was the case.
   */
  private dropIfIdTaken(connecting: ConnectingPeer | undefined): boolean {
    if (connecting === undefined || this.awaited !== connecting || this.closed) return false;
    if (this.handshakes <= this.accountedFor || this.readable()) return false;
    this.accountedFor += 1;
    this.forgetAwaited(connecting);
    return true;
  }

  private forgetAwaited({ publicKey }: ConnectingPeer): void {
    this.forgetConnection(publicKey);
    this.stopAwaiting();
  }

  /** Whether a message can be read. The send to an unknown peer makes zeromq.js check. */
  private readable(): boolean {
    const { readable } = this.socket;
    this.socket.send([this.unknownId, NO_BYTES]).catch(() => undefined);
    return readable;
  }

  /** Looks up the permissions of all peers again. */
  private review(): void {
    const { server, side } = this.endpoint;
    for (const [key, peer] of this.peers) {
      if (peer.cut || peer.revoked) continue;
      const permissions = server.authenticator.permissionsOf(peer.publicKey, server.domain);
      if (permissions === peer.permissions) continue;
      if (permissions?.mayConnect(side)) peer.permissions = permissions;
      else this.revoke(peer);
      this.owner.permissionsChanged(key);
    }
  }

  /** Revokes all permissions of a peer, and cuts it after {@link REVOCATION_GRACE}. */
  private revoke(peer: AuthenticatedPeer): void {
    peer.revoked = true;
    peer.permissions = noPermissions(peer.permissions.name);
    const cancel = systemClock.after(REVOCATION_GRACE, () => {
      this.timers.delete(cancel);
      this.cut(peer);
    });
    this.timers.add(cancel);
  }

  /**
   * Reads nothing more from a peer, and lets libzmq end its connection; see the head of this file.
   */
  private cut(peer: AuthenticatedPeer): void {
    const { socket } = this;
    if (peer.cut || this.closed || !(socket instanceof Router)) return;
    peer.cut = true;
    this.owner.peerLeft(peer.identity.toString('latin1'));
    this.takeoverEndpoint ??= bindInproc(socket, this.domain);
    const replacement = new Dealer({ linger: 0 });
    setRoutingId(replacement, peer.identity);
    replacement.connect(this.takeoverEndpoint);
    this.readable(); // makes libzmq process the connection
    replacement.close();
  }
}

function bindInproc(socket: Router, name: string): string {
  const endpoint = `inproc://${name}`;
  socket.bindSync(endpoint);
  return endpoint;
}
