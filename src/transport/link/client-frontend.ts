/**
 * link: sockets that carry records. A DEALER to one peer, the ROUTER of clients, and the batch of
 * records that each turn of the event loop sends.
 *
 * The socket of a router or server to which clients connect. This ROUTER serves classic clients,
 * native clients before they know their peer, and native clients with packed messages. It answers
 * each in its own format.
 *
 * A client is known from its first message until the socket reports that it has left
 * (ZMQ_ROUTER_NOTIFY), a reply cannot be delivered, or it was silent for a while with no request in
 * flight. Forgetting a client is harmless: its next message registers it again.
 */

import { failure, NO_BYTES } from '../../core/messages/message.ts';
import { UnreadReplies } from '../../core/messages/unread-replies.ts';
import { type DropCause, diagnostics } from '../../core/observability/diagnostics.ts';
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import { MalformedFrames, readClassic, toRequest } from '../../wire/classic.ts';
import { isControl } from '../../wire/control.ts';
import { isPacked, readPacked } from '../../wire/packed.ts';
import { isToken, tokenGeneration, tokenId } from '../../wire/token.ts';
import type { ZeroMQConnection } from '../addressing/connection.ts';
import { MessageSocket, type MessageSocketOptions, type SocketReceiver } from '../socket/message-socket.ts';
import {
  type ClientFrontendOwner,
  ClientPeer,
  type ClientPeerOptions,
  type PeerFrontend,
} from './client-peer.ts';

/** Interval of checks for clients that can be forgotten, in ms. */
const SWEEP_INTERVAL = 60_000;

/** How long clients have to answer a goodbye, in ms. */
const GOODBYE_WAIT = 1000;

/** Options of a frontend. */
export interface ClientFrontendOptions
  extends Omit<MessageSocketOptions, 'type' | 'notify'>,
    ClientPeerOptions {
  /**
   * Counts and limits replies that clients do not read. Default: 128 MiB for all clients of the
   * socket.
   */
  readonly unread?: UnreadReplies;
}

/** The socket to which clients connect, and the clients; see the head of this file. */
export class ClientFrontend implements SocketReceiver, PeerFrontend {
  readonly socket: MessageSocket;
  /** Replies that clients have not read. */
  readonly unread: UnreadReplies;
  private readonly peers = new Map<string, ClientPeer>();
  private readonly clock: Clock;
  private cancelSweep: Cancel | undefined;
  /** Called whenever the last client may have confirmed the goodbye. */
  private onGoodbyeConfirmed: (() => void) | undefined;

  constructor(
    private readonly options: ClientFrontendOptions,
    private readonly owner: ClientFrontendOwner,
  ) {
    this.clock = options.clock ?? systemClock;
    this.unread = options.unread ?? new UnreadReplies();
    this.socket = new MessageSocket({ ...options, type: 'router', notify: true }, this);
  }

  /** Number of known clients. */
  get size(): number {
    return this.peers.size;
  }

  /** Binds; see `MessageSocket.bind`. */
  async bind(connection: ZeroMQConnection): Promise<string> {
    const endpoint = await this.socket.bind(connection);
    this.sweepLater();
    return endpoint;
  }

  /**
   * Asks all native clients to stop sending requests, so that closing the socket loses none.
   * Resolves when all of them have confirmed or left, or after the timeout. Classic clients do not
   * know this message.
   */
  sayGoodbye(): Promise<void> {
    for (const peer of this.peers.values()) if (peer.native) peer.sayGoodbye();
    return new Promise((resolve) => {
      const cancelWait = this.clock.after(GOODBYE_WAIT, resolve);
      this.onGoodbyeConfirmed = () => {
        for (const peer of this.peers.values()) if (peer.goodbyePending) return;
        cancelWait();
        resolve();
      };
      this.onGoodbyeConfirmed();
    });
  }

  /** Sends all gathered replies, then closes the socket. */
  close(): void {
    this.cancelSweep?.();
    for (const peer of this.peers.values()) peer.flush();
    this.socket.close();
    for (const peer of this.peers.values()) peer.close();
    this.peers.clear();
  }

  message(frames: Buffer[]): void {
    const identity = frames[0];
    const first = frames[1];
    if (identity === undefined || first === undefined) return this.drop('too-few-frames', undefined);
    const key = identity.toString('latin1');
    const peer = this.peers.get(key) ?? this.add(key, identity);
    peer.active = true;
    if (isPacked(first)) {
      peer.native = true;
      if (!readPacked(frames, 1, peer)) this.drop('bad-batch', key);
    } else if (isControl(frames, 1)) this.control(peer, frames);
    else this.classicMessage(peer, frames);
  }

  /**
   * Another connection uses the routing id of a client. It must not get the replies to requests of
   * the old one.
   */
  peerConnected(key: string): void {
    this.peerLeft(key);
  }

  peerLeft(key: string): void {
    const peer = this.peers.get(key);
    if (peer !== undefined) this.remove(peer);
  }

  /** Counts a dropped message. */
  drop(cause: DropCause, peer: string | undefined): void {
    if (diagnostics.frameDropped.hasSubscribers) {
      diagnostics.frameDropped.publish({ ...this.options.source, cause, peer });
    }
  }

  /** Forgets a client. */
  remove(peer: ClientPeer): void {
    if (this.peers.get(peer.key) !== peer) return;
    this.peers.delete(peer.key);
    peer.close();
    this.owner.clientLeft(peer);
    this.onGoodbyeConfirmed?.();
  }

  private control(peer: ClientPeer, frames: Buffer[]): void {
    if (!peer.goodbyePending || frames[3]?.toString() !== '$bye') return this.drop('bad-control', peer.key);
    peer.goodbyePending = false;
    this.onGoodbyeConfirmed?.();
  }

  private classicMessage(peer: ClientPeer, frames: Buffer[]): void {
    const classic = readClassic(frames, 1);
    if (classic instanceof MalformedFrames) {
      this.rejectMalformed(peer, classic);
      return;
    }
    const { message, native, broken } = toRequest(classic);
    if (broken) this.drop('bad-metadata', peer.key);
    if (native) peer.native = true;
    const token = classic.envelope[0];
    const hasToken = token !== undefined && isToken(token);
    const id = hasToken ? tokenId(token) : 0;
    const generation = hasToken ? tokenGeneration(token) : 0;
    const envelope = classic.delimited ? [...classic.envelope, NO_BYTES] : classic.envelope;
    peer.request(message, id, generation, envelope);
  }

  /** Rejects a message that is not a request, if it has a return route. */
  private rejectMalformed(peer: ClientPeer, malformed: MalformedFrames): void {
    this.drop(malformed.cause, peer.key);
    if (malformed.envelope === undefined) return;
    const reply = failure('MALFORMED_MESSAGE', malformed.message);
    peer.reply('response', reply, 0, 0, [...malformed.envelope, NO_BYTES]);
  }

  private add(key: string, identity: Buffer): ClientPeer {
    const peer = new ClientPeer(identity, this, this.owner, this.options);
    this.peers.set(key, peer);
    return peer;
  }

  private sweepLater(): void {
    this.cancelSweep = this.clock.after(SWEEP_INTERVAL, () => {
      this.sweep();
      this.sweepLater();
    });
  }

  /** Forgets clients that were silent since the last sweep and have no request in flight. */
  private sweep(): void {
    for (const peer of this.peers.values()) {
      if (!peer.active && !peer.congested && this.owner.idle(peer)) this.remove(peer);
      peer.active = false;
    }
  }
}
