/**
 * The sending side to one peer. Records for native nodes are gathered within a turn and sent as one
 * packed message; messages for classic peers are sent one by one. Messages for a peer that accepts
 * nothing wait, within limits of bytes and time. Beyond the limits, the channel drops all of them.
 * If unread messages are counted (`ChannelLimits.unread`), it keeps the oldest one, to detect when
 * the peer reads again, and drops those that follow.
 */

import { Ring } from '../../core/collections/ring.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import type { ReplyMessage, RequestMessage } from '../../core/messages/message.ts';
import { type UnreadReplies, UnreadShare } from '../../core/messages/unread-replies.ts';
import { type DiagnosticsSource, diagnostics } from '../../core/observability/diagnostics.ts';
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import { MAX_BATCH_BYTES } from '../../wire/limits.ts';
import { PackedBatch } from '../../wire/packed.ts';
import type { MessageSocket, Refusal, SendHandler } from '../socket/message-socket.ts';
import { type Flushable, flushAtEndOfTurn } from './turn.ts';

/**
 * Messages as they were passed to the socket: on a ROUTER, the first frame is the identity of the
 * peer.
 */
export type Messages = readonly Buffer[][];

/** Callbacks of a channel to its owner. */
export interface ChannelOwner {
  /** The peer has left, or the socket is closed. `unsent` was never sent. */
  channelGone(unsent: Messages): void;
  /**
   * The peer accepted nothing for too long, or too many bytes wait for it: `unsent` was dropped and
   * never sent.
   */
  channelStalled(unsent: Messages): void;
  /** The peer accepts messages again. */
  channelWritable(): void;
}

/** Limits for a peer that accepts nothing. */
export interface ChannelLimits {
  /** Bytes that may wait; the message that exceeds the limit still waits. Default: 16 MiB. */
  readonly backlogBytes: number;
  /** How long the peer may accept nothing, in ms. Default: 5,000. */
  readonly stallTimeout: number;
  /** Counts the bytes of messages that peers do not read. Default: they are not counted. */
  readonly unread?: UnreadReplies;
}

export const DEFAULT_CHANNEL_LIMITS: ChannelLimits = { backlogBytes: 16 * 1024 * 1024, stallTimeout: 5000 };

/** First and longest interval of attempts to send to a peer that accepts nothing, in ms. */
const FIRST_RETRY = 1;
const LONGEST_RETRY = 16;
/** Interval of attempts once the peer has stalled, in ms. */
const STALLED_RETRY = 250;

/** The channel to one peer; see the head of this file. */
export class PeerChannel implements SendHandler, Flushable {
  private readonly batch = new PackedBatch();
  /** Messages that the peer did not accept, in order. */
  private readonly stuck = new Ring<Buffer[]>();
  private stuckBytes = 0;
  private stuckSince = 0;
  /** The first of them while the socket has it; it may still be sent. */
  private trying: Buffer[] | undefined;
  private retry: Cancel | undefined;
  private retryDelay = FIRST_RETRY;
  private dirty = false;
  private gone = false;
  private readonly unread: UnreadShare | undefined;
  /**
   * The peer accepted nothing for too long, and still does not. Only if unread messages are
   * counted.
   */
  private stalled = false;
  /** Messages that were refused because the peer has left. */
  private unsent: Buffer[][] = [];

  /**
   * Creates a channel.
   * @param identity first frame of every message on a ROUTER; undefined on a DEALER
   */
  constructor(
    private readonly socket: MessageSocket,
    private readonly identity: Buffer | undefined,
    private readonly owner: ChannelOwner,
    private readonly source: DiagnosticsSource,
    private readonly limits: ChannelLimits = DEFAULT_CHANNEL_LIMITS,
    private readonly clock: Clock = systemClock,
  ) {
    this.unread = limits.unread && new UnreadShare(limits.unread);
  }

  /** False while earlier messages wait for the peer. */
  get writable(): boolean {
    return this.stuck.length === 0 && !this.gone;
  }

  /**
   * Whether so many bytes wait that the peer should send no further requests: its messages are
   * about to be dropped.
   */
  get crowded(): boolean {
    return (
      this.stalled ||
      (this.stuck.length > 0 && (this.stuckBytes * 2 >= this.limits.backlogBytes || this.full))
    );
  }

  /** Sends frames as a separate message. */
  post(frames: Buffer[]): void {
    if (this.gone) return;
    const message = this.identity === undefined ? frames : [this.identity, ...frames];
    if (this.stuck.length > 0) this.wait(message);
    else {
      this.unread?.sent(byteLength(message));
      this.socket.send(message, this);
    }
  }

  addRequest(id: number, generation: number, request: RequestMessage): void {
    this.batch.addRequest(id, generation, request);
    this.added();
  }

  addReply(id: number, generation: number, reply: ReplyMessage): void {
    this.batch.addReply(id, generation, reply);
    this.added();
  }

  addCancel(id: number, generation: number, why: CancelReason = 'cancelled'): void {
    this.batch.addCancel(id, generation, why);
    this.added();
  }

  /** Sends the gathered records. Called at the end of the turn, or before the socket is closed. */
  flush(): void {
    this.dirty = false;
    if (this.batch.size === 0) return;
    if (diagnostics.batchSent.hasSubscribers) {
      diagnostics.batchSent.publish({ ...this.source, records: this.batch.size, bytes: this.batch.bytes });
    }
    this.post(this.batch.take());
  }

  /** Drops waiting messages: their connection is lost. */
  reset(): void {
    if (this.batch.size > 0) this.batch.take();
    this.dropWaiting();
  }

  /** Drops waiting messages: the peer has left, or must receive nothing further. */
  close(): void {
    this.gone = true;
    this.reset();
  }

  /** Called by the socket. */
  refused(frames: Buffer[], reason: Refusal): void {
    if (this.unsent.length > 0) this.unsent.push(frames);
    else if (this.gone) return;
    else if (reason === 'EAGAIN') this.wait(frames);
    else this.lost(frames);
  }

  private added(): void {
    if (this.batch.bytes >= MAX_BATCH_BYTES) this.flush();
    else if (!this.dirty) {
      this.dirty = true;
      flushAtEndOfTurn(this);
    }
  }

  /**
   * The peer has left. Other messages of this turn are refused right after this one, and all are
   * reported together.
   */
  private lost(frames: Buffer[]): void {
    this.unsent = [frames, ...this.takeWaiting()];
    this.close();
    queueMicrotask(() => {
      const { unsent } = this;
      this.unsent = [];
      this.owner.channelGone(unsent);
    });
  }

  private wait(frames: Buffer[]): void {
    if (this.full) {
      if (this.unread === undefined) this.stall([frames]);
      else this.owner.channelStalled([frames]);
      return;
    }
    if (this.stuck.length === 0) {
      this.stuckSince = this.clock.now();
      this.retryDelay = FIRST_RETRY;
      this.retryLater();
    }
    this.push(frames);
  }

  /** Whether another message exceeds the limit. A single message never does. */
  private get full(): boolean {
    if (this.stalled || this.stuckBytes >= this.limits.backlogBytes) return true;
    return this.stuck.length > 0 && this.unread?.exceeded === true;
  }

  private push(frames: Buffer[]): void {
    const bytes = byteLength(frames);
    this.stuck.push(frames);
    this.stuckBytes += bytes;
    this.unread?.queued(bytes);
  }

  private shift(): Buffer[] | undefined {
    const frames = this.stuck.shift();
    if (frames === undefined) return undefined;
    const bytes = byteLength(frames);
    this.stuckBytes -= bytes;
    this.unread?.dequeued(bytes);
    return frames;
  }

  /** Sends waiting messages one after the other, until one is refused again. */
  private async tryAgain(): Promise<void> {
    for (let frames = this.stuck.at(0); frames !== undefined; frames = this.stuck.at(0)) {
      this.trying = frames;
      const refusal = await this.socket.deliver(frames);
      if (this.trying !== frames) return;
      this.trying = undefined;
      if (refusal === 'EAGAIN') {
        this.tookNothing();
        return;
      }
      this.shift();
      if (refusal !== undefined) {
        this.lost(frames);
        return;
      }
      this.stuckSince = this.clock.now();
      this.retryDelay = FIRST_RETRY;
      this.stalled = false;
    }
    this.unread?.release();
    this.owner.channelWritable();
  }

  /** The peer did not accept the first waiting message. */
  private tookNothing(): void {
    const late = !this.stalled && this.clock.now() - this.stuckSince > this.limits.stallTimeout;
    if (late && this.unread === undefined) return this.stall([]);
    if (late) this.keepFirst();
    this.retryLater();
  }

  /** Drops all waiting messages except the first. */
  private keepFirst(): void {
    this.stalled = true;
    const first = this.shift();
    const dropped: Buffer[][] = [];
    for (let frames = this.shift(); frames !== undefined; frames = this.shift()) dropped.push(frames);
    if (first !== undefined) this.push(first);
    this.owner.channelStalled(dropped);
  }

  private retryLater(): void {
    const delay = this.stalled ? STALLED_RETRY : this.retryDelay;
    this.retry = this.clock.after(delay, () => void this.tryAgain());
    this.retryDelay = Math.min(LONGEST_RETRY, this.retryDelay * 2);
  }

  /** Drops the waiting messages, and `last`. */
  private stall(last: Buffer[][]): void {
    const unsent = [...this.takeWaiting(), ...last];
    this.owner.channelStalled(unsent);
  }

  private takeWaiting(): Buffer[][] {
    const waiting: Buffer[][] = [];
    for (let frames = this.stuck.shift(); frames !== undefined; frames = this.stuck.shift()) {
      if (frames !== this.trying) waiting.push(frames);
    }
    if (this.batch.size > 0) {
      const frames = this.batch.take();
      waiting.push(this.identity === undefined ? frames : [this.identity, ...frames]);
    }
    this.dropWaiting();
    return waiting;
  }

  private dropWaiting(): void {
    this.retry?.();
    this.retry = undefined;
    this.trying = undefined;
    this.stuck.clear();
    this.stuckBytes = 0;
    this.stalled = false;
    this.unread?.release();
  }
}

function byteLength(frames: readonly Buffer[]): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes;
}
