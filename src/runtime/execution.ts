/** Executions: the requests of an executor. */

import type { Linked } from '../core/collections/linked-list.ts';
import type { CallSource } from '../core/messages/calls.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import { NO_BYTES, type ReplyMessage, type RequestMessage } from '../core/messages/message.ts';
import { MAX_WINDOW } from '../core/messages/stream.ts';
import type { TracedSpan } from '../core/observability/tracing.ts';
import type { Clock } from '../core/time/clock.ts';
import type { QueuedTimes } from '../core/time/lateness.ts';
import type { Pace } from '../core/time/pace.ts';
import type { RequestContext } from './context.ts';
import type { CallingExecution, CallSettings } from './handler-calls.ts';
import { UploadBody } from './streams/upload.ts';
import { RequestTiming } from './timing.ts';

/** A queued or running request. */
export interface Execution {
  /**
   * The reply is no longer needed: a queued request does not run, and the signal of a running one
   * aborts.
   */
  cancel(why: CancelReason): void;
  /** The caller takes `bytes` more of the reply. */
  window(bytes: number): void;
  /** A chunk of the request body arrived. `end`: it is the last one. */
  chunk(body: Buffer, end: boolean): void;
}

/** What a request with a stream needs besides its reply. */
export interface ExecutionStream {
  /** Lets the caller send `bytes` more of the request body. */
  grant(bytes: number): void;
}

/** Returns what the execution of a request needs if it has a stream. */
export function streamOf(
  { window, upload }: RequestMessage,
  grant: (bytes: number) => void,
): ExecutionStream | undefined {
  return window === undefined && upload === undefined ? undefined : { grant };
}

/** Runs requests: an {@link Executor}, or one in a worker thread. */
export interface RequestExecutor {
  /** Number of queued and running requests. */
  readonly load: number;
  /**
   * Queues or runs a request. `settle` is called once, possibly before this returns. Chunks of a
   * stream and progress come before that, and their `more` is true.
   *
   * @param source takes the calls of the handler.
   * @param stream for a request with a window or an upload.
   */
  execute(
    message: RequestMessage,
    settle: (reply: ReplyMessage) => void,
    source?: CallSource,
    stream?: ExecutionStream,
  ): Execution;
  /** Ends event streams. Resolves when no request is queued or running. */
  drained(): Promise<void>;
  /** Rejects queued requests and aborts the signals of running ones. */
  close(reason: Error): void;
}

/** Callbacks of an execution to its executor. */
export interface ExecutionOwner {
  /** Clock of the deadlines. */
  readonly clock: Clock;
  readonly callSettings: CallSettings;
  cancelled(execution: HandlerExecution, why: CancelReason): void;
  /** A running handler lends its slot, or takes it back. */
  slotsLent(change: 1 | -1): void;
}

/** A stream that answers a request. */
export interface AnsweringStream {
  /** Whether it has begun and not ended. */
  readonly isFlowing: boolean;
  grant(bytes: number): void;
  /** Ends it, because its rest is no longer needed. */
  cancel(code: 'TIMEOUT' | 'CANCELLED'): void;
  /** Ends it if it is an event stream, because the node drains. */
  drain(): void;
}

/** How the request of a running handler ended. */
export interface LateExecution {
  /** Why it ended; undefined while it has not. */
  readonly why: CancelReason | undefined;
  /** When it ended, in milliseconds of the clock. */
  readonly at: number;
  /** Whether its line was logged. */
  reported: boolean;
  /** What the handler threw, apart from the reason of its `signal`. */
  thrown?: unknown;
}

/** A request in this thread. It is in a list while `waiting` or `running`; `settled` is final. */
export class HandlerExecution implements Execution, CallingExecution, Linked<HandlerExecution>, QueuedTimes {
  state: 'new' | 'waiting' | 'running' | 'settled' = 'new';
  /**
   * Deadline in milliseconds of the clock; Infinity when the caller set none, and after the first
   * chunk of a stream.
   */
  deadline: number;
  /** Arrival in milliseconds of the clock. */
  readonly createdAt: number;
  /** The same; 0 when the caller set no deadline. */
  readonly enqueuedAt: number;
  /** How long its handler typically takes; set while it is queued. */
  pace: Pace | undefined = undefined;
  /**
   * Start of its handler in milliseconds of the clock; 0 when no request was queued then.
   */
  startedAt = 0;
  context: RequestContext | undefined = undefined;
  /** Set when its request ended while its handler ran. */
  late: LateExecution | undefined = undefined;
  /** Span of its handler, if tracing is on. */
  span: TracedSpan | undefined = undefined;
  /** Whether it waits in the queue of calls. */
  queuedAsCall = false;
  /** Bytes of a stream that the caller takes. 0: it takes only a whole reply. */
  windowBytes: number;
  /** The stream that answers it. */
  streamed: AnsweringStream | undefined = undefined;
  /** Whether it uses no slot, because it is a stream that has begun. */
  isSlotless = false;
  private lendsSlot = false;
  before: HandlerExecution | undefined = undefined;
  after: HandlerExecution | undefined = undefined;
  /** Set when the caller asked for timing, until a reply has it. */
  timing: RequestTiming | undefined;
  /** Body that the caller sends as a stream. */
  readonly upload: UploadBody | undefined;

  constructor(
    public message: RequestMessage,
    private readonly onReply: (reply: ReplyMessage) => void,
    private readonly owner: ExecutionOwner,
    readonly source: CallSource | undefined,
    stream: ExecutionStream | undefined,
  ) {
    const { timeLeft } = message;
    this.windowBytes = message.window ?? 0;
    this.upload =
      message.upload === true && stream !== undefined
        ? new UploadBody((bytes) => stream.grant(bytes))
        : undefined;
    this.createdAt = owner.clock.now();
    this.enqueuedAt = timeLeft > 0 ? this.createdAt : 0;
    this.deadline = timeLeft > 0 ? this.enqueuedAt + timeLeft : Infinity;
    this.timing = RequestTiming.of(message);
  }

  settle(reply: ReplyMessage): void {
    const { timing } = this;
    if (timing === undefined) return this.onReply(reply);
    this.timing = undefined;
    this.onReply(timing.addTo(reply));
  }

  /** Sends a progress of its handler. */
  report(progress: ReplyMessage): void {
    if (this.state === 'running') this.onReply(progress);
  }

  cancel(why: CancelReason): void {
    this.owner.cancelled(this, why);
  }

  window(bytes: number): void {
    if (this.streamed !== undefined) this.streamed.grant(bytes);
    else if (this.windowBytes > 0) this.windowBytes = Math.min(this.windowBytes + bytes, MAX_WINDOW);
  }

  chunk(body: Buffer, end: boolean): void {
    this.upload?.push(body, end);
  }

  get callSettings(): CallSettings {
    return this.owner.callSettings;
  }

  lendSlot(): void {
    this.lendsSlot = true;
    if (!this.isSlotless) this.owner.slotsLent(1);
  }

  reclaimSlot(): void {
    this.lendsSlot = false;
    if (!this.isSlotless) this.owner.slotsLent(-1);
  }

  /** Gives up its slot: it is a stream that has begun. */
  releaseSlot(): void {
    if (this.lendsSlot) this.owner.slotsLent(-1);
    this.isSlotless = true;
  }

  /**
   * Copies the body out of the received batch, which would otherwise stay in memory while the
   * request is queued.
   */
  detach(): void {
    const { body, extras } = this.message;
    this.message = { ...this.message, body: detached(body), extras: detached(extras) };
  }
}

function detached(bytes: Buffer): Buffer {
  if (bytes.length === 0) return NO_BYTES;
  return bytes.buffer.byteLength > bytes.length * 2 ? Buffer.from(bytes) : bytes;
}
