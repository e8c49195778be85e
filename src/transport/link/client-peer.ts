/**
 * A client of a frontend: its requests, checked against the permissions of its key, and the channel
 * that sends its replies.
 */

import { identityOf } from '../../core/identity/identity.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import { failure, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import { isProgress } from '../../core/messages/progress.ts';
import type { UnreadReplies } from '../../core/messages/unread-replies.ts';
import type { DiagnosticsSource, DropCause } from '../../core/observability/diagnostics.ts';
import type { Clock } from '../../core/time/clock.ts';
import { replyFrames } from '../../wire/classic.ts';
import { controlFrames } from '../../wire/control.ts';
import { isPacked, type PackedSink, readPacked } from '../../wire/packed.ts';
import type { AuthenticatedPeer } from '../curve/authenticated-peer.ts';
import type { MessageSocket } from '../socket/message-socket.ts';
import {
  type ChannelLimits,
  type ChannelOwner,
  DEFAULT_CHANNEL_LIMITS,
  type Messages,
  PeerChannel,
} from './peer-channel.ts';

/** Created once, because it answers clients that flood the socket. */
const TOO_MANY_UNREAD = failure('BUSY', 'the client has too many unread replies');

/** The end of a stream that lost a chunk. */
const CHUNKS_DROPPED = failure(
  'CANCELLED',
  'the client did not read its replies for too long: chunks of the stream were dropped',
  { dispatched: true },
);

/** Callbacks of a frontend to its owner. */
export interface ClientFrontendOwner {
  /**
   * A request arrived. `id`, `generation` and `envelope` are for `ClientPeer.reply`: the slot at
   * the client (generation 0: none), and the frames to return before event name and data
   * (undefined: the request was packed).
   */
  request(
    peer: ClientPeer,
    message: RequestMessage,
    id: number,
    generation: number,
    envelope: Buffer[] | undefined,
  ): void;
  /** The client no longer waits for the request of that slot. */
  cancel(peer: ClientPeer, id: number, generation: number, why: CancelReason): void;
  /**
   * A chunk of the body of the request of that slot arrived. `end`: it is the last one. Absent: the
   * owner takes no streams.
   */
  chunk?(peer: ClientPeer, id: number, generation: number, body: Buffer, end: boolean): void;
  /** The client takes `bytes` more of the reply to the request of that slot. */
  window?(peer: ClientPeer, id: number, generation: number, bytes: number): void;
  /** The client has left and waits for no reply. */
  clientLeft(peer: ClientPeer): void;
  /** Whether the client has no request in flight. */
  idle(peer: ClientPeer): boolean;
}

/** Options of a client. */
export interface ClientPeerOptions {
  readonly source: DiagnosticsSource;
  readonly channelLimits?: ChannelLimits;
  readonly clock?: Clock;
}

/** The frontend, as seen by its clients. */
export interface PeerFrontend {
  readonly socket: MessageSocket;
  /** Replies that clients have not read. */
  readonly unread: UnreadReplies;
  /** Counts a dropped message. */
  drop(cause: DropCause, peer: string | undefined): void;
  /** Forgets a client. */
  remove(peer: ClientPeer): void;
}

/** A client of the frontend. */
export class ClientPeer implements ChannelOwner, PackedSink {
  /** Data that the owner keeps for the client. */
  state: unknown;
  /** The client is native: it understands metadata. */
  native = false;
  /** A message has arrived since the last sweep. */
  active = true;
  /** The client was asked to stop sending requests, and has not confirmed yet. */
  goodbyePending = false;
  /** Identity of the client. */
  readonly node: string;
  /** Its routing id, in Latin-1. */
  readonly key: string;
  private readonly channel: PeerChannel;
  /** Streams that lost a chunk because the client read nothing: generations by slot. */
  private readonly cut = new Map<number, number>();
  /** Receives records that were dropped. */
  private readonly unsent: PackedSink = {
    packedReply: (id, generation, reply) => {
      if (reply.more && !isProgress(reply)) this.cutStream(id, generation);
    },
    packedRequest: () => undefined,
    packedCancel: () => undefined,
    packedWindow: () => undefined,
  };
  private readonly authenticatedPeer: AuthenticatedPeer | undefined;

  /** @param identity routing id of the client. */
  constructor(
    identity: Buffer,
    private readonly frontend: PeerFrontend,
    private readonly owner: ClientFrontendOwner,
    { source, channelLimits = DEFAULT_CHANNEL_LIMITS, clock }: ClientPeerOptions,
  ) {
    const { socket, unread } = frontend;
    const limits = { ...channelLimits, unread };
    this.key = identity.toString('latin1');
    this.node = identityOf(this.key);
    this.authenticatedPeer = socket.authenticatedPeer(this.key);
    this.channel = new PeerChannel({ socket, identity, owner: this, source, limits, clock });
  }

  /** Whether the client has presented a key, which determines its permissions. */
  get authenticated(): boolean {
    return this.authenticatedPeer !== undefined;
  }

  /** Name of its key in the allow list; undefined if it has no key. */
  get keyName(): string | undefined {
    return this.authenticatedPeer?.permissions.name;
  }

  /**
   * Sends a reply, or drops it if the client has left. `ClientFrontendOwner.request` describes the
   * last three parameters.
   */
  reply(
    eventName: string,
    reply: ReplyMessage,
    id: number,
    generation: number,
    envelope: Buffer[] | undefined,
  ): void {
    if (envelope === undefined) this.channel.addReply(id, generation, reply);
    else if (this.native) this.channel.post([...envelope, ...replyFrames(eventName, reply, 'packs')]);
    else if (!reply.more) this.channel.post([...envelope, ...replyFrames(eventName, reply, 'none')]);
  }

  /** Lets the client send `bytes` more of the body of the request of that slot. */
  grant(id: number, generation: number, bytes: number): void {
    this.channel.addWindow(id, generation, bytes);
  }

  /** Asks the client to stop sending requests. */
  sayGoodbye(): void {
    this.goodbyePending = true;
    this.channel.flush();
    this.channel.post(controlFrames('$bye', {}));
  }

  /** Whether the client has left so many replies unread that its requests are rejected. */
  get congested(): boolean {
    return this.channel.congested;
  }

  /** Sends gathered messages without waiting for the end of the turn. */
  flush(): void {
    this.channel.flush();
  }

  packedRequest(id: number, generation: number, message: RequestMessage): void {
    this.request(message, id, generation, undefined);
  }

  /**
   * Passes on a request. Rejects it if the client's key does not permit it, or if the client does
   * not read its replies.
   */
  request(message: RequestMessage, id: number, generation: number, envelope: Buffer[] | undefined): void {
    const { eventName } = message;
    if (this.congested) return this.reply(eventName, TOO_MANY_UNREAD, id, generation, envelope);
    if (this.authenticatedPeer === undefined || this.authenticatedPeer.permissions.mayCall(eventName)) {
      this.owner.request(this, message, id, generation, envelope);
      return;
    }
    const text = `the key of ${this.authenticatedPeer.permissions.name} does not allow calling ${JSON.stringify(eventName)}`;
    this.reply(eventName, failure('NOT_PERMITTED', text), id, generation, envelope);
  }

  packedReply(): void {
    this.frontend.drop('foreign-reply', this.key);
  }

  packedCancel(id: number, generation: number, why: CancelReason): void {
    this.owner.cancel(this, id, generation, why);
  }

  packedChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    if (this.owner.chunk === undefined) this.frontend.drop('foreign-reply', this.key);
    else this.owner.chunk(this, id, generation, body, end);
  }

  packedWindow(id: number, generation: number, bytes: number): void {
    if (this.owner.window === undefined) this.frontend.drop('foreign-reply', this.key);
    else this.owner.window(this, id, generation, bytes);
  }

  channelGone(): void {
    this.frontend.remove(this);
  }

  channelStalled(unsent: Messages): void {
    for (const frames of unsent) {
      this.frontend.drop('overflow', this.key);
      const first = frames[1];
      if (first !== undefined && isPacked(first)) readPacked(frames, 1, this.unsent);
    }
  }

  /** Sends the failures of streams that lost a chunk, so that their client does not take them as whole. */
  channelWritable(): void {
    for (const [id, generation] of this.cut) this.channel.addReply(id, generation, CHUNKS_DROPPED);
    this.cut.clear();
  }

  /** Counts a message of the client that the owner did not use. */
  dropped(cause: DropCause): void {
    this.frontend.drop(cause, this.key);
  }

  /** A chunk was dropped: the rest of its stream is useless. */
  private cutStream(id: number, generation: number): void {
    this.cut.set(id, generation);
    this.owner.cancel(this, id, generation, 'lost');
  }

  close(): void {
    this.channel.close();
  }
}
