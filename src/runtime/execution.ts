/** Requests at an executor. */

import type { Linked } from '../core/collections/linked-list.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import { NO_BYTES, type ReplyMessage, type RequestMessage } from '../core/messages/message.ts';
import type { TracedSpan } from '../core/observability/tracing.ts';
import type { QueuedTimes } from '../core/time/lateness.ts';
import type { Pace } from '../core/time/pace.ts';
import type { RequestContext } from './context.ts';
import { RequestTiming } from './timing.ts';

/** A request that runs or waits. */
export interface Execution {
  /** Nobody waits for the reply any more: a waiting request is not run, a running one gets its signal. */
  cancel(why: CancelReason): void;
}

/** Something that runs requests: an `Executor`, or one in a thread. */
export interface RequestExecutor {
  /** Requests that run or wait. */
  readonly load: number;
  /** Runs a request, now or when its turn comes. `settle` is called once, possibly before this returns. */
  execute(message: RequestMessage, settle: (reply: ReplyMessage) => void): Execution;
  /** Resolves when nothing runs or waits. */
  drained(): Promise<void>;
  /** Cuts: what waits is refused, what runs gets its signal. */
  close(reason: Error): void;
}

/** What an execution needs of its executor. */
export interface ExecutionOwner {
  cancelled(execution: HandlerExecution, why: CancelReason): void;
}

/** A request in this thread. `waiting` and `running` ones stand in a list; `settled` is the end. */
export class HandlerExecution implements Execution, Linked<HandlerExecution>, QueuedTimes {
  state: 'new' | 'waiting' | 'running' | 'settled' = 'new';
  /** Monotonic ms at which nobody waits any more; Infinity when the caller did not say. */
  readonly deadline: number;
  /** Monotonic ms at which it came; 0 when the caller did not say how long it waits. */
  readonly enqueuedAt: number;
  /** How long its handler usually takes; set while it waits. */
  pace: Pace | undefined = undefined;
  /** Monotonic ms at which its handler was called; 0 when nothing waited then. */
  startedAt = 0;
  context: RequestContext | undefined = undefined;
  /** Where somebody traces, the span of its handler. */
  span: TracedSpan | undefined = undefined;
  before: HandlerExecution | undefined = undefined;
  after: HandlerExecution | undefined = undefined;
  /** Set when the caller asks how long it takes. */
  readonly timing: RequestTiming | undefined;

  constructor(
    public message: RequestMessage,
    private readonly onReply: (reply: ReplyMessage) => void,
    private readonly owner: ExecutionOwner,
  ) {
    const { timeLeft } = message;
    this.enqueuedAt = timeLeft > 0 ? performance.now() : 0;
    this.deadline = timeLeft > 0 ? this.enqueuedAt + timeLeft : Infinity;
    this.timing = RequestTiming.of(message);
  }

  settle(reply: ReplyMessage): void {
    this.onReply(this.timing === undefined ? reply : this.timing.addTo(reply));
  }

  cancel(why: CancelReason): void {
    this.owner.cancelled(this, why);
  }

  /** Lets go of the batch that the request came in, which would stay in memory for as long as the request waits. */
  detach(): void {
    const { body, extras } = this.message;
    this.message = { ...this.message, body: detached(body), extras: detached(extras) };
  }
}

function detached(bytes: Buffer): Buffer {
  if (bytes.length === 0) return NO_BYTES;
  return bytes.buffer.byteLength > bytes.length * 2 ? Buffer.from(bytes) : bytes;
}
