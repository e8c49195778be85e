/**
 * Sends to one peer. The records for a native node are collected within a turn and sent as one packed
 * message. Messages for classic peers are sent one by one. Messages for a peer that accepts none wait
 * in a backlog, which is limited in bytes and time. Beyond the limits, the channel drops all of them.
 * If it counts unread messages (`ChannelLimits.unread`), it keeps the oldest one, to detect when the
 * peer reads again, and drops the others.
 */

import { Ring } from '../../core/collections/ring.ts';
import { type UnreadReplies, UnreadShare } from '../../core/messages/unread-replies.ts';
import { type DiagnosticsSource, diagnostics } from '../../core/observability/diagnostics.ts';
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import { MAX_BATCH_BYTES } from '../../wire/limits.ts';
import { PackedBatch } from '../../wire/packed-batch.ts';
import type { MessageSocket, Refusal, SendHandler } from '../socket/message-socket.ts';
import { RecordSender } from './record-sender.ts';

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

/** Limits of the backlog for a peer that accepts no messages. */
export interface ChannelLimits {
  /** Bytes that may wait; the message that exceeds the limit still waits. Default: 16 MiB. */
  readonly backlogBytes: number;
  /** How long the peer may accept nothing, in ms. Default: 5,000. */
  readonly stallTimeout: number;
  /** Counts the bytes of messages that peers do not read. Default: they are not counted. */
  readonly unread?: UnreadReplies;
}

export const DEFAULT_CHANNEL_LIMITS: ChannelLimits = { backlogBytes: 16 * 1024 * 1024, stallTimeout: 5000 };

/** Initial and maximum interval of attempts to send to a peer that accepts nothing, in ms. */
const INITIAL_RETRY = 1;
const MAX_RETRY = 16;
/** Interval of attempts once the peer has stalled, in ms. */
const STALLED_RETRY = 250;

/** Options of {@link PeerChannel}. */
export interface PeerChannelOptions {
  readonly socket: MessageSocket;
  /** First frame of every message on a ROUTER; undefined on a DEALER. */
  readonly identity: Buffer | undefined;
  readonly owner: ChannelOwner;
  readonly source: DiagnosticsSource;
  readonly limits?: ChannelLimits;
  readonly clock?: Clock;
}

/** The channel to one peer; see the head of this file. */
export class PeerChannel extends RecordSender implements SendHandler {
  /** Messages that the peer did not accept, in order. */
  private readonly backlog = new Ring<Buffer[]>();
  private backlogSize = 0;
  private backlogSince = 0;
  /** The first message of the backlog while the socket has it; it may still be sent. */
  private sending: Buffer[] | undefined;
  private retry: Cancel | undefined;
  private retryDelay = INITIAL_RETRY;
  private gone = false;
  private readonly unread: UnreadShare | undefined;
  /**
   * The peer has accepted nothing for longer than the stall timeout. Set only if unread messages are
   * counted.
   */
  private stalled = false;
  /** Messages that were refused because the peer has left. */
  private unsent: Buffer[][] = [];

  private readonly socket: MessageSocket;
  private readonly identity: Buffer | undefined;
  private readonly owner: ChannelOwner;
  private readonly source: DiagnosticsSource;
  private readonly limits: ChannelLimits;
  private readonly clock: Clock;

  constructor(options: PeerChannelOptions) {
    const { socket, identity, owner, source, limits = DEFAULT_CHANNEL_LIMITS, clock = systemClock } = options;
    super(new PackedBatch(), MAX_BATCH_BYTES);
    this.socket = socket;
    this.identity = identity;
    this.owner = owner;
    this.source = source;
    this.limits = limits;
    this.clock = clock;
    this.unread = limits.unread && new UnreadShare(limits.unread);
  }

  /** False while earlier messages wait for the peer. */
  get writable(): boolean {
    return this.backlog.length === 0 && !this.gone;
  }

  /**
   * Whether so many bytes wait that further requests of the peer should be rejected: its messages are
   * about to be dropped.
   */
  get congested(): boolean {
    return (
      this.stalled ||
      (this.backlog.length > 0 && (this.backlogSize * 2 >= this.limits.backlogBytes || this.full))
    );
  }

  /** Sends frames as a separate message. */
  post(frames: Buffer[]): void {
    if (this.gone) return;
    const message = this.identity === undefined ? frames : [this.identity, ...frames];
    if (this.backlog.length > 0) this.wait(message);
    else {
      this.unread?.sent(byteLength(message));
      this.socket.send(message, this);
    }
  }

  /** Drops waiting messages: their connection is lost. */
  reset(): void {
    if (this.batch.size > 0) this.batch.take();
    this.dropBacklog();
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

  protected sendBatch(): void {
    if (diagnostics.batchSent.hasSubscribers) {
      diagnostics.batchSent.publish({ ...this.source, records: this.batch.size, bytes: this.batch.bytes });
    }
    this.post(this.batch.take());
  }

  /**
   * The peer has left. Other messages of this turn are refused right after this one, and all are
   * reported together.
   */
  private lost(frames: Buffer[]): void {
    this.unsent = [frames, ...this.takeUnsent()];
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
    if (this.backlog.length === 0) {
      this.backlogSince = this.clock.now();
      this.retryDelay = INITIAL_RETRY;
      this.retryLater();
    }
    this.push(frames);
  }

  /** Whether the backlog is full. A single message always fits. */
  private get full(): boolean {
    if (this.stalled || this.backlogSize >= this.limits.backlogBytes) return true;
    return this.backlog.length > 0 && this.unread?.exceeded === true;
  }

  private push(frames: Buffer[]): void {
    const bytes = byteLength(frames);
    this.backlog.push(frames);
    this.backlogSize += bytes;
    this.unread?.queued(bytes);
  }

  private shift(): Buffer[] | undefined {
    const frames = this.backlog.shift();
    if (frames === undefined) return undefined;
    const bytes = byteLength(frames);
    this.backlogSize -= bytes;
    this.unread?.dequeued(bytes);
    return frames;
  }

  /** Sends waiting messages one after the other, until one is refused again. */
  private async sendBacklog(): Promise<void> {
    for (let frames = this.backlog.at(0); frames !== undefined; frames = this.backlog.at(0)) {
      this.sending = frames;
      const refusal = await this.socket.deliver(frames);
      if (this.sending !== frames) return;
      this.sending = undefined;
      if (refusal === 'EAGAIN') {
        this.notAccepted();
        return;
      }
      this.shift();
      if (refusal !== undefined) {
        this.lost(frames);
        return;
      }
      this.backlogSince = this.clock.now();
      this.retryDelay = INITIAL_RETRY;
      this.stalled = false;
    }
    this.unread?.release();
    this.owner.channelWritable();
  }

  /** The peer did not accept the first waiting message. */
  private notAccepted(): void {
    const late = !this.stalled && this.clock.now() - this.backlogSince > this.limits.stallTimeout;
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
    this.retry = this.clock.after(delay, () => void this.sendBacklog());
    this.retryDelay = Math.min(MAX_RETRY, this.retryDelay * 2);
  }

  /** Drops the waiting messages, and `last`. */
  private stall(last: Buffer[][]): void {
    const unsent = [...this.takeUnsent(), ...last];
    this.owner.channelStalled(unsent);
  }

  private takeUnsent(): Buffer[][] {
    const waiting: Buffer[][] = [];
    for (let frames = this.backlog.shift(); frames !== undefined; frames = this.backlog.shift()) {
      if (frames !== this.sending) waiting.push(frames);
    }
    if (this.batch.size > 0) {
      const frames = this.batch.take();
      waiting.push(this.identity === undefined ? frames : [this.identity, ...frames]);
    }
    this.dropBacklog();
    return waiting;
  }

  private dropBacklog(): void {
    this.retry?.();
    this.retry = undefined;
    this.sending = undefined;
    this.backlog.clear();
    this.backlogSize = 0;
    this.stalled = false;
    this.unread?.release();
  }
}

function byteLength(frames: readonly Buffer[]): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes;
}
