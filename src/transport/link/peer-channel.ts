/**
 * The sending side towards one peer: records for our own nodes are gathered in a turn and leave as one packed
 * message; messages for classic peers leave one by one. Messages wait for a peer that takes nothing, within bounds of
 * bytes and time. Beyond them the channel gives all of them up. Where unread messages are counted (`ChannelLimits.unread`),
 * it keeps the oldest one, to find out whether the peer reads again, and drops what comes meanwhile.
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

/** Messages as they were handed to the socket: on a ROUTER the first frame is the peer's identity. */
export type Messages = readonly Buffer[][];

/** What a channel tells its owner. */
export interface ChannelOwner {
  /** The peer is not there any more, or the socket is closed. `unsent` never left. */
  channelGone(unsent: Messages): void;
  /** The peer took nothing for too long, or too much waits for it: `unsent` was dropped and never left. */
  channelStalled(unsent: Messages): void;
  /** The peer takes messages again. */
  channelWritable(): void;
}

/** Bounds on waiting for a peer that takes nothing. */
export interface ChannelLimits {
  /** Bytes that may wait; the message that crosses the bound still does. Default 16 MiB. */
  readonly backlogBytes: number;
  /** How long the peer may take nothing, in ms. Default 5,000. */
  readonly stallTimeout: number;
  /** Counts the bytes of messages that peers do not read. Default: they are not counted. */
  readonly unread?: UnreadReplies;
}

export const DEFAULT_CHANNEL_LIMITS: ChannelLimits = { backlogBytes: 16 * 1024 * 1024, stallTimeout: 5000 };

/** Between attempts to send to a peer that takes nothing, in ms: the first, and the longest. */
const FIRST_RETRY = 1;
const LONGEST_RETRY = 16;
/** The same once the peer has taken nothing for longer than it may, in ms. */
const STALLED_RETRY = 250;

/** The way to one peer; see the head of this file. */
export class PeerChannel implements SendHandler, Flushable {
  private readonly batch = new PackedBatch();
  /** What the peer did not take, in order. */
  private readonly stuck = new Ring<Buffer[]>();
  private stuckBytes = 0;
  private stuckSince = 0;
  /** The first of them, while the socket has it: it may leave yet. */
  private trying: Buffer[] | undefined;
  private retry: Cancel | undefined;
  private retryDelay = FIRST_RETRY;
  private dirty = false;
  private gone = false;
  private readonly unread: UnreadShare | undefined;
  /** The peer took nothing for too long, and does not yet again. Only where unread messages are counted. */
  private stalled = false;
  /** What was refused because the peer is gone. */
  private unsent: Buffer[][] = [];

  /**
   * @param identity first frame of every message on a ROUTER; undefined on a DEALER.
   */
  constructor(
    private readonly socket: MessageSocket,
    private readonly identity: Buffer | undefined,
    private readonly owner: ChannelOwner,
    private readonly speaker: DiagnosticsSource,
    private readonly limits: ChannelLimits = DEFAULT_CHANNEL_LIMITS,
    private readonly clock: Clock = systemClock,
  ) {
    this.unread = limits.unread && new UnreadShare(limits.unread);
  }

  /** False while earlier messages wait for the peer. */
  get writable(): boolean {
    return this.stuck.length === 0 && !this.gone;
  }

  /** Whether so much waits for the peer that it should not ask for more: messages for it are about to be dropped. */
  get crowded(): boolean {
    return (
      this.stalled ||
      (this.stuck.length > 0 && (this.stuckBytes * 2 >= this.limits.backlogBytes || this.full))
    );
  }

  /** Sends frames as a message of their own. */
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

  /** Sends the records gathered so far. Called at the end of the turn, or before the socket is closed. */
  flush(): void {
    this.dirty = false;
    if (this.batch.size === 0) return;
    if (diagnostics.batchSent.hasSubscribers) {
      diagnostics.batchSent.publish({ ...this.speaker, records: this.batch.size, bytes: this.batch.bytes });
    }
    this.post(this.batch.take());
  }

  /** Forgets what waits: the connection that it was for is lost. */
  reset(): void {
    if (this.batch.size > 0) this.batch.take();
    this.dropWaiting();
  }

  /** The peer is gone, or is to be sent nothing more: forgets what waits. */
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

  /** The peer is gone. Other messages of this turn are refused right after this one: they are told of together. */
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

  /** Whether another message has no room to wait. One always has. */
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

  /** Sends what waits one after the other, up to the first that is refused again. */
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

  /** The peer did not take the first message that waits. */
  private tookNothing(): void {
    const late = !this.stalled && this.clock.now() - this.stuckSince > this.limits.stallTimeout;
    if (late && this.unread === undefined) return this.stall([]);
    if (late) this.keepFirst();
    this.retryLater();
  }

  /** Drops what waits but for the first message. */
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

  /** Gives up what waits, and `last`. */
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
