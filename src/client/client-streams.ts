/** The streams of a client's requests: chunks and grants of both directions. */
import { failure, type ReplyMessage, type StreamPort, settleSafely } from '../core/messages/message.ts';
import { isProgress } from '../core/messages/progress.ts';
import { MAX_CHUNK } from '../core/messages/stream.ts';
import { StreamState } from '../core/messages/stream-state.ts';
import type { DropCause } from '../core/observability/diagnostics.ts';
import type { Clock } from '../core/time/clock.ts';
import type { DeadlineTimer } from '../core/time/deadline-timer.ts';
import type { ClientConnection, PendingRequest, PendingStream } from './pending-request.ts';

/**
 * How long after its deadline a request still waits for the outcome from a peer that enforces
 * deadlines itself, in ms. Only that peer knows whether the request ran.
 */
export const OUTCOME_GRACE = 100;

/** Options of the streams of a client. */
export interface ClientStreamsOptions {
  /** How long a stream may be silent, in ms. */
  readonly streamIdleTimeout: number;
  readonly drop: (cause: DropCause) => void;
}

/** The stream of a request that asks for one. */
export function streamTo(port: StreamPort, now: number, timeout: number): PendingStream {
  return { port, state: new StreamState(port.window, port.upload, now, timeout) };
}

/** Whether another peer may run a request: no chunk of it was sent or has arrived. */
export function mayRestart({ stream }: PendingRequest): boolean {
  return stream?.state.mayRestart !== false;
}

/** Whether a reply comes too late; after the first chunk of a stream, its timeout no longer counts. */
export function isOverdue({ deadline, stream }: PendingRequest, now: number): boolean {
  if (stream === undefined || deadline > now) return deadline <= now;
  return !stream.state.started && stream.state.silentUntil(deadline, 0, now) <= now;
}

/** The outcome of a request whose reply, or whose next chunk, did not arrive in time. */
export function timeoutOf({ stream }: PendingRequest): ReplyMessage {
  const text = stream?.state.started === true ? 'the stream was silent for too long' : NO_REPLY;
  return failure('TIMEOUT', text);
}

const NO_REPLY = 'no reply arrived before the deadline';

export class ClientStreams {
  /** @param settle settles a request. */
  constructor(
    private readonly options: ClientStreamsOptions,
    private readonly clock: Clock,
    private readonly settle: (pending: PendingRequest, reply: ReplyMessage) => void,
  ) {}

  /** Whether a request whose deadline passed is a stream that may go on; it gets another deadline. */
  mayContinue(pending: PendingRequest, deadlines: DeadlineTimer<PendingRequest>): boolean {
    const { stream, connection, deadline } = pending;
    if (stream === undefined) return false;
    const now = this.clock.now();
    const grace = connection?.enforcesDeadlines === true ? OUTCOME_GRACE : 0;
    const idle = this.options.streamIdleTimeout + grace;
    const until = stream.state.silentUntil(deadline + grace, idle, now);
    if (until <= now) return false;
    if (until !== Infinity) deadlines.add(pending, until);
    return true;
  }

  /** Handles a chunk of a reply, or a progress. */
  part(pending: PendingRequest, reply: ReplyMessage): void {
    const { message, settle, stream } = pending;
    if (!isProgress(reply)) {
      if (stream !== undefined) this.chunk(pending, stream, reply);
      // The `settle` of a caller that did not ask for progress takes only replies.
    } else if (message.progress === true) settleSafely(settle, reply);
  }

  /** Handles a chunk of a reply. */
  chunk(pending: PendingRequest, stream: PendingStream, reply: ReplyMessage): void {
    const { state, port } = stream;
    const now = this.clock.now();
    const { deadline } = pending;
    if (!state.started && deadline <= now && state.silentUntil(deadline, 0, now) <= now) {
      this.options.drop('late-reply');
      this.end(pending, failure('TIMEOUT', 'the reply arrived after the deadline'));
      return;
    }
    if (!state.reply.take(reply.body) || reply.body.length > MAX_CHUNK) {
      this.options.drop('window-exceeded');
      this.end(pending, failure('BAD_REPLY', 'a chunk of the reply exceeds the window'));
      return;
    }
    if (!state.started) state.start(reply.contentType, now);
    state.open = true;
    state.touch(now);
    safely(() => port.onChunk(reply));
  }

  /** Handles a grant of the peer: the caller may send `bytes` more of the body. */
  window(pending: PendingRequest, connection: ClientConnection, bytes: number): void {
    const { stream, id, generation } = pending;
    if (stream?.state.body === undefined) return;
    stream.state.touch(this.clock.now());
    const more = stream.state.body.grant(connection, id, generation, bytes);
    if (more > 0) safely(() => stream.port.onWindow(more));
  }

  /** Lets the peer send `bytes` more of the reply. */
  grant(pending: PendingRequest, bytes: number): void {
    const { stream, connection, id, generation } = pending;
    if (stream?.state.started !== true || connection === undefined) return;
    stream.state.reply.grant(bytes);
    stream.state.touch(this.clock.now());
    connection.sendWindow(id, generation, bytes);
  }

  /** Sends a chunk of the body, or holds it until a peer takes it. */
  sendChunk(pending: PendingRequest, body: Buffer, end: boolean): void {
    const { stream, connection, id, generation } = pending;
    if (pending.state === 'settled' || stream?.state.body === undefined) return;
    const { state } = stream;
    if (state.body?.receive(body, end) !== true) {
      const text = 'sendChunk was called with more bytes than onWindow granted, or after the last chunk';
      this.end(pending, failure('MALFORMED_MESSAGE', text, { dispatched: state.body?.forwarded }));
      return;
    }
    state.open = true;
    state.touch(this.clock.now());
    state.body.pass(connection, id, generation, body, end);
  }

  /** Ends a request whose peer still holds it. */
  end(pending: PendingRequest, reply: ReplyMessage): void {
    pending.connection?.abandon(pending, 'cancelled');
    this.settle(pending, reply);
  }
}

/** Calls back the application. Its errors become uncaught exceptions, as those of `settle` do. */
function safely(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
