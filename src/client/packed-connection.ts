/**
 * A client's connection to one router or server that keeps frames before the delimiter (a native
 * node or a classic server). It is a single DEALER with any number of requests in flight. At
 * first it sends classic frames with a token. It sends packed messages as soon as the peer has shown
 * that it is native.
 *
 * libzmq does not report whether an INPROC peer exists, and does not reconnect to one. A connection
 * over INPROC therefore probes its peer (`$router.ping`, which servers answer too), and reconnects
 * when the peer stops accepting messages.
 */
import { parseObject } from '../core/json/parse-object.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import { failure, NO_BYTES, type ReplyMessage, type RequestMessage } from '../core/messages/message.ts';
import { wholeMessage } from '../core/messages/stream.ts';
import { type Cancel, systemClock } from '../core/time/clock.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';
import { DealerLink, type DealerLinkOptions, type DealerLinkOwner } from '../transport/link/dealer-link.ts';
import { MalformedFrames, readClassic, requestFrames, toReply } from '../wire/classic.ts';
import { controlFrames, isControl, PING } from '../wire/control.ts';
import { isPacked, type PackedSink, readPacked } from '../wire/packed.ts';
import { encodeToken, isToken, tokenGeneration, tokenId } from '../wire/token.ts';
import type { ConnectionLog } from './connection-log.ts';
import type { ClientConnection, ClientConnectionOwner, PendingRequest } from './pending-request.ts';

/** How long an INPROC peer may accept nothing before it counts as lost, in ms. */
const INPROC_STALL = 250;

/** Token of pings. No request has generation 0. */
const PING_TOKEN = encodeToken(0, 0);

const PING_FRAMES: Buffer[] = [PING_TOKEN, NO_BYTES, ...requestFrames(pingRequest(), true)];

/** The zone in the answer to a ping; undefined if the peer has none. */
function zoneIn({ body }: ReplyMessage): unknown {
  return parseObject(body, MAX_PONG_BYTES)?.zone;
}

function pingRequest(): RequestMessage {
  const body = Buffer.from('null');
  return { eventName: PING, body, timeLeft: 0, idempotent: true, requestId: '', extras: NO_BYTES };
}

/** Maximum size of the answer to a ping that is read, in bytes. */
const MAX_PONG_BYTES = 4096;

/** How long a closed connection may take to send the messages that wait, in ms. */
const LINGER = 100;

/**
 * How long a request with a stream waits for the first answer of the peer, in ms. Without one it is
 * sent as a request without a stream.
 */
const ANSWER_WAIT = 1000;

/** Options of a packed connection. */
export interface PackedConnectionOptions extends Omit<DealerLinkOptions, 'linger' | 'inprocStall'> {
  readonly connectionLog: ConnectionLog;
  /** Zone of the client. */
  readonly zone?: string | undefined;
}

export class PackedConnection implements ClientConnection, DealerLinkOwner, PackedSink {
  inFlight = 0;
  suspect = false;
  far: boolean;
  private readonly link: DealerLink;
  private up = false;
  /** The peer is shutting down. */
  private retired = false;
  private packed = false;
  /** The peer takes and sends streams. */
  private streams = false;
  /** Requests with a stream or progress that wait for the first answer of the peer. */
  private readonly unknown = new Set<PendingRequest>();
  private cancelHold: Cancel | undefined;
  /** The peer has answered on this connection. */
  private answered = false;

  constructor(
    private readonly options: PackedConnectionOptions,
    private readonly owner: ClientConnectionOwner,
  ) {
    this.far = options.zone !== undefined;
    this.link = new DealerLink({ ...options, linger: LINGER, inprocStall: INPROC_STALL }, this);
  }

  get endpoint(): string {
    return this.link.endpoint;
  }

  get monitor(): ZeroMQSocketMonitor {
    return this.link.socket.monitor;
  }

  get received(): number {
    return this.link.socket.received;
  }

  get connected(): boolean {
    return this.up && !this.retired;
  }

  get hasCapacity(): boolean {
    return this.connected && this.link.channel.writable;
  }

  /**
   * True if the peer answers packed, announced that it can, or has not answered yet. In each case
   * it may be native, and native peers enforce deadlines themselves.
   */
  get enforcesDeadlines(): boolean {
    return this.packed || !this.answered;
  }

  open(): void {
    this.link.open();
    if (this.link.inproc) this.ping();
  }

  send(pending: PendingRequest): void {
    if (pending.stream !== undefined) this.sendStream(pending, pending.stream.port.upload);
    else if (this.packed) this.link.channel.addRequest(pending.id, pending.generation, pending.message);
    // Only packed requests can ask for progress.
    else if (pending.message.progress === true && !this.answered) this.hold(pending);
    else this.sendClassic(pending);
  }

  holds(pending: PendingRequest): boolean {
    return this.unknown.has(pending);
  }

  sendChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    this.link.channel.addChunk(id, generation, body, end);
  }

  sendWindow(id: number, generation: number, bytes: number): void {
    if (this.streams) this.link.channel.addWindow(id, generation, bytes);
  }

  /** Sends a request with a stream once it is known whether the peer takes it as one. */
  private sendStream(pending: PendingRequest, upload: boolean): void {
    const { id, generation, message } = pending;
    if (!this.answered) this.hold(pending);
    else if (this.streams) this.link.channel.addRequest(id, generation, message);
    else if (upload) queueMicrotask(() => this.refuseUpload(pending));
    else if (this.packed) this.link.channel.addRequest(id, generation, wholeMessage(message));
    else this.sendClassic(pending);
  }

  private hold(pending: PendingRequest): void {
    this.unknown.add(pending);
    if (this.unknown.size > 1) return;
    this.ping();
    // A classic server may not answer the ping at all.
    this.cancelHold = systemClock.after(ANSWER_WAIT, () => this.known());
  }

  /** Sends the requests that waited for the first answer of the peer. */
  private known(): void {
    this.answered = true;
    this.cancelHold?.();
    const waiting = [...this.unknown];
    this.unknown.clear();
    for (const pending of waiting) if (pending.connection === this) this.send(pending);
  }

  private refuseUpload(pending: PendingRequest): void {
    if (pending.connection !== this) return;
    const text = `the peer at ${this.endpoint} takes no request bodies that are sent as streams`;
    this.owner.onReply(this, pending.id, pending.generation, failure('STREAMS_UNSUPPORTED', text));
  }

  private sendClassic(pending: PendingRequest): void {
    const token = encodeToken(pending.id, pending.generation);
    this.link.channel.post([token, NO_BYTES, ...requestFrames(pending.message, true)]);
  }

  /** Probes only peers known to be native: a classic server would pass the probe to its handler. */
  probe(): boolean {
    if (this.packed) this.ping();
    return this.packed;
  }

  abandon(pending: PendingRequest, why: CancelReason): void {
    if (this.unknown.delete(pending)) return;
    if (this.packed) this.link.channel.addCancel(pending.id, pending.generation, why);
  }

  retire(): void {
    if (this.retired) return;
    this.retired = true;
    this.owner.onRetired(this);
  }

  close(): void {
    if (this.up) this.options.connectionLog.disconnected(this.endpoint);
    this.up = false;
    this.cancelHold?.();
    this.link.channel.flush();
    this.link.socket.close();
    this.link.channel.close();
  }

  linkUp(): void {
    if (this.up || this.link.socket.renewing) return;
    this.up = true;
    this.retired = false;
    this.options.connectionLog.connected(this.endpoint);
    if (this.options.zone !== undefined) this.ping();
    this.owner.onReady(this);
  }

  /**
   * Requests gathered for the lost connection must not be sent on the next one; they settle now.
   */
  linkDown(): void {
    this.packed = false;
    this.streams = false;
    this.cancelHold?.();
    this.answered = false;
    this.link.channel.reset();
    this.link.renew();
    if (!this.up) return;
    this.up = false;
    this.options.connectionLog.disconnected(this.endpoint);
    this.owner.onLost(this);
    this.unknown.clear();
  }

  message(frames: Buffer[]): void {
    const first = frames[0];
    if (first === undefined) return;
    if (isPacked(first)) {
      this.packed = true;
      if (!readPacked(frames, 0, this)) this.link.drop('bad-batch');
    } else if (isControl(frames, 0)) this.control(frames);
    else this.classicReply(frames);
  }

  packedReply(id: number, generation: number, reply: ReplyMessage): void {
    this.owner.onReply(this, id, generation, reply);
  }

  packedWindow(id: number, generation: number, bytes: number): void {
    this.owner.onWindow(this, id, generation, bytes);
  }

  packedRequest(): void {
    this.link.drop('foreign-reply');
  }

  packedCancel(): void {
    this.link.drop('foreign-reply');
  }

  channelGone(): void {
    this.linkDown();
  }

  /** The connection may still be established, but its peer accepts nothing. */
  channelStalled(): void {
    this.reconnect();
  }

  channelWritable(): void {
    this.owner.onReady(this);
  }

  private classicReply(frames: Buffer[]): void {
    const classic = readClassic(frames, 0);
    if (classic instanceof MalformedFrames) return this.link.drop(classic.cause);
    const token = classic.envelope[0];
    if (token === undefined || !isToken(token)) return this.link.drop('unknown-token');
    const { message, packs, streams, broken, badJson } = toReply(classic);
    if (broken) this.link.drop('bad-metadata');
    if (badJson) this.link.drop('bad-json');
    this.packed ||= packs;
    this.streams ||= streams;
    if (this.unknown.size > 0) this.known();
    this.answered = true;
    if (token.equals(PING_TOKEN)) {
      const { zone } = this.options;
      if (zone !== undefined) this.far = zoneIn(message) !== zone;
      if (this.link.inproc && !this.retired) this.linkUp();
    } else this.owner.onReply(this, tokenId(token), tokenGeneration(token), message);
  }

  /**
   * Handles a control message. When the peer asks for no further requests, the client confirms that
   * it sends none. The peer can then close without losing a request.
   */
  private control(frames: Buffer[]): void {
    if (frames[2]?.toString() !== '$bye') return this.link.drop('bad-control');
    this.retire();
    this.link.channel.flush();
    this.link.channel.post(controlFrames('$bye', {}));
    if (this.link.inproc) void this.link.socket.waitForPeerExit(PING_FRAMES).then(() => this.reconnect());
  }

  private reconnect(): void {
    this.linkDown();
    this.retired = false;
    if (!this.link.inproc) return;
    this.link.reconnect();
    this.ping();
  }

  private ping(): void {
    this.link.channel.post(PING_FRAMES);
  }
}
