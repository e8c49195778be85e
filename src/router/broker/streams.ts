/**
 * Passes the chunks and windows of streams on, between the caller and the worker that holds its
 * request. It holds no chunk of a reply, and of a request body only those that a worker had granted
 * before it was lost. A sender that exceeds its window ends its stream.
 */
import { failure, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import { MAX_CHUNK } from '../../core/messages/stream.ts';
import { StreamState } from '../../core/messages/stream-state.ts';
import { isFault } from './failures.ts';
import type { Recovery } from './recovery.ts';
import type { RouterRequest } from './request.ts';
import type { Scheduler } from './scheduler.ts';
import type { Settlement } from './settlement.ts';
import type { Counters, ReplyDrop } from './stats.ts';
import { Worker } from './worker.ts';

/** The parts of the broker that streams concern. */
export interface StreamsParts {
  readonly counters: Counters;
  readonly recovery: Recovery;
  readonly scheduler: Scheduler;
  readonly settlement: Settlement;
}

/** The stream of a request that asks for one; undefined for others. */
export function streamOf(message: RequestMessage, now: number, allowed: number): StreamState | undefined {
  const { window, upload = false } = message;
  if (window === undefined && !upload) return undefined;
  return new StreamState(window ?? 0, upload, now, allowed);
}

export class Streams {
  constructor(private readonly parts: StreamsParts) {}

  /**
   * Handles a chunk of a reply, or the last part of a reply that had chunks.
   *
   * @returns why it was dropped; undefined if it was used, or sent before the worker knew that its
   *   caller no longer waits.
   */
  reply(
    request: RouterRequest,
    stream: StreamState,
    worker: Worker,
    reply: ReplyMessage,
    now: number,
  ): ReplyDrop | undefined {
    const waiting = request.state === 'dispatched';
    if (!reply.more) this.last(request, worker, reply, waiting, now);
    else if (waiting) return this.chunk(request, stream, worker, reply, now);
    return undefined;
  }

  /** Handles a grant of the caller: the worker may send `bytes` more of the reply. */
  grantReply(request: RouterRequest, bytes: number, now: number): void {
    const { stream, worker } = request;
    if (stream === undefined || request.state !== 'dispatched' || !(worker instanceof Worker)) return;
    stream.reply.grant(bytes);
    stream.touch(now);
    worker.port.sendWindow?.(request.id, request.generation, bytes);
  }

  /** Handles a grant of a worker: its caller may send `bytes` more of the body. */
  grantBody(worker: Worker, id: number, generation: number, bytes: number, now: number): void {
    const request = this.parts.scheduler.slots.get(id, generation);
    const body = request?.stream?.body;
    if (request?.worker !== worker || request.state !== 'dispatched' || body === undefined) return;
    request.stream?.touch(now);
    const more = body.grant(worker.port, id, generation, bytes);
    if (more > 0) request.origin.window?.(request, more);
  }

  /**
   * Handles a chunk of a request body.
   *
   * @returns why it was dropped; undefined if it was used, or sent before the caller knew that the
   *   request was settled.
   */
  body(request: RouterRequest, body: Buffer, end: boolean, now: number): ReplyDrop | undefined {
    const { stream, worker, state } = request;
    if (state === 'settled') return undefined;
    if (stream?.body?.receive(body, end) !== true) {
      this.exceeded(
        request,
        failure('MALFORMED_MESSAGE', TOO_MUCH_BODY, { dispatched: request.attempts > 0 }),
      );
      return 'window-exceeded';
    }
    stream.touch(now);
    this.count(stream, body);
    const port = state === 'dispatched' && worker instanceof Worker ? worker.port : undefined;
    stream.body.pass(port, request.id, request.generation, body, end);
    return undefined;
  }

  private chunk(
    request: RouterRequest,
    stream: StreamState,
    worker: Worker,
    reply: ReplyMessage,
    now: number,
  ): ReplyDrop | undefined {
    const { recovery, counters, settlement } = this.parts;
    if (!stream.started && request.deadline <= now && stream.silentUntil(request.deadline, 0, now) <= now) {
      recovery.overdue(request, worker, true, now);
      counters.dropped.late++;
      return 'late-reply';
    }
    if (!stream.reply.take(reply.body) || reply.body.length > MAX_CHUNK) {
      const refusal = failure('BAD_REPLY', TOO_MUCH_REPLY);
      if (!stream.started) recovery.recordOutcome(request, worker, refusal, now);
      stream.start('', now);
      this.exceeded(request, refusal);
      return 'window-exceeded';
    }
    const first = !stream.started;
    if (first) {
      recovery.recordOutcome(request, worker, reply, now);
      stream.start(reply.contentType, now);
    }
    stream.touch(now);
    this.count(stream, reply.body);
    if (!stream.reply.open) settlement.counters.windowStalls++;
    request.origin.settle(request, reply);
    if (first) this.returnCredit(request, stream, worker, now);
    return undefined;
  }

  /** The credit of a stream returns with its first chunk: it may last for hours. */
  private returnCredit(request: RouterRequest, stream: StreamState, worker: Worker, now: number): void {
    if (worker.creditless >= worker.maxStreams) return;
    stream.isCreditless = true;
    worker.creditless += 1;
    worker.lending?.streamed(request);
    this.parts.scheduler.refresh(worker, now);
  }

  /** The last part of a stream: its duration says nothing about the worker, but a failure does. */
  private last(
    request: RouterRequest,
    worker: Worker,
    reply: ReplyMessage,
    waiting: boolean,
    now: number,
  ): void {
    const { scheduler, settlement, recovery } = this.parts;
    scheduler.release(request, worker);
    if (!waiting) {
      settlement.deadlines.cancel(request);
      return;
    }
    if (isFault(reply)) recovery.streams.failed(request, worker, now);
    settlement.settle(request, reply);
  }

  /** Ends a stream whose sender exceeded its window, or sent a chunk that is too large. */
  private exceeded(request: RouterRequest, refusal: ReplyMessage): void {
    const { counters, recovery } = this.parts;
    counters.windowExceeded++;
    recovery.streams.stop(request, refusal);
  }

  private count(stream: StreamState, body: Buffer): void {
    const { counters } = this.parts;
    if (!stream.open) {
      stream.open = true;
      counters.streams++;
      counters.openStreams++;
    }
    counters.chunks++;
    counters.chunkBytes += body.length;
  }
}

const TOO_MUCH_REPLY = 'the worker sent a chunk that exceeds its window, or the maximum size of chunks';
const TOO_MUCH_BODY = 'the caller sent a chunk that exceeds its window, or the maximum size of chunks';
