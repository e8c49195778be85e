/** Executions: the requests of an executor. */

import type { Linked } from '../core/collections/linked-list.ts';
import type { CallSource } from '../core/messages/calls.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import { NO_BYTES, type ReplyMessage, type RequestMessage } from '../core/messages/message.ts';
import type { TracedSpan } from '../core/observability/tracing.ts';
import type { Clock } from '../core/time/clock.ts';
import type { QueuedTimes } from '../core/time/lateness.ts';
import type { Pace } from '../core/time/pace.ts';
import type { RequestContext } from './context.ts';
import type { CallingExecution, CallSettings } from './handler-calls.ts';
import { RequestTiming } from './timing.ts';

/** A queued or running request. */
export interface Execution {
  /**
   * The reply is no longer needed: a queued request does not run, and the signal of a running one
   * aborts.
   */
  cancel(why: CancelReason): void;
}

/** Runs requests: an {@link Executor}, or one in a worker thread. */
export interface RequestExecutor {
  /** Number of queued and running requests. */
  readonly load: number;
  /**
   * Queues or runs a request. `settle` is called once, possibly before this returns.
   *
   * @param source takes the calls of the handler.
   */
  execute(message: RequestMessage, settle: (reply: ReplyMessage) => void, source?: CallSource): Execution;
  /** Resolves when no request is queued or running. */
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
  /** Deadline in milliseconds of the clock; Infinity when the caller set none. */
  readonly deadline: number;
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
  before: HandlerExecution | undefined = undefined;
  after: HandlerExecution | undefined = undefined;
  /** Set when the caller asked for timing. */
  readonly timing: RequestTiming | undefined;

  constructor(
    public message: RequestMessage,
    private readonly onReply: (reply: ReplyMessage) => void,
    private readonly owner: ExecutionOwner,
    readonly source: CallSource | undefined,
  ) {
    const { timeLeft } = message;
    this.createdAt = owner.clock.now();
    this.enqueuedAt = timeLeft > 0 ? this.createdAt : 0;
    this.deadline = timeLeft > 0 ? this.enqueuedAt + timeLeft : Infinity;
    this.timing = RequestTiming.of(message);
  }

  settle(reply: ReplyMessage): void {
    this.onReply(this.timing === undefined ? reply : this.timing.addTo(reply));
  }

  cancel(why: CancelReason): void {
    this.owner.cancelled(this, why);
  }

  get callSettings(): CallSettings {
    return this.owner.callSettings;
  }

  lendSlot(): void {
    this.owner.slotsLent(1);
  }

  reclaimSlot(): void {
    this.owner.slotsLent(-1);
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
