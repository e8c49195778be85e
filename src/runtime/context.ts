/**
 * runtime: runs the handlers of workers and servers. The executor and its queue, contexts and
 * replies of handlers, and the lifecycle that workers and servers share.
 */

import { cancelError } from '../core/messages/cancel-reason.ts';
import type { Caller, RequestExtras, RequestMessage } from '../core/messages/message.ts';
import type { Cancel, Clock } from '../core/time/clock.ts';

/**
 * Context of one request, the second argument of a {@link Handler}.
 *
 * @example
 * ```ts
 * const handlers: Handlers = {
 *   'reports.get': async ({ id }: { id: number }, { signal, timeLeft }) => {
 *     if (timeLeft() < 500) throw new ReplyError(503, 'TOO_LATE', 'not enough time for a report');
 *     const response = await fetch(`https://reports.internal/${id}`, { signal });
 *     return response.json();
 *   },
 * };
 * ```
 */
export interface HandlerContext {
  /** Name of the event. */
  readonly eventName: string;
  /** Id of the request for logs; empty when the caller set none. */
  readonly requestId: string;
  /**
   * Aborts when the reply is no longer needed. Its `reason` is a `TimeoutError` when the deadline
   * passed, an `AbortError` with an explanation when the caller cancelled or the connection was
   * lost, or the error that closes the node.
   */
  readonly signal: AbortSignal;
  /**
   * Returns the milliseconds until the deadline; Infinity if the caller set none. Can be called
   * unbound.
   */
  readonly timeLeft: () => number;
  /** The caller that the gateway authenticated; undefined without authentication. */
  readonly caller: Caller | undefined;
  /** W3C trace context of the caller. */
  readonly traceparent: string | undefined;
  /** Media type of the HTTP body, if it was not JSON. */
  readonly contentType: string | undefined;
  /**
   * Values that middlewares pass to each other and to the handler, such as a transaction. Empty at
   * first, and never sent.
   */
  readonly state: HandlerState;
}

/** Values of {@link HandlerContext.state}. A module can declare its members by merging. */
export interface HandlerState {
  [name: string]: unknown;
}

/** Context of a request in progress. Its members are created when the handler first reads them. */
export class RequestContext implements HandlerContext {
  readonly eventName: string;
  readonly requestId: string;
  private readonly deadline: number;
  private readonly extrasBytes: Buffer;
  private controller: AbortController | undefined;
  private cancelTimer: Cancel | undefined;
  private done = false;
  private parsed: RequestExtras | undefined;
  private abortReason: Error | undefined;
  private values: HandlerState | undefined;

  /** @param deadline in milliseconds of the clock. */
  constructor(
    message: RequestMessage,
    deadline: number,
    private readonly clock: Clock,
  ) {
    this.eventName = message.eventName;
    this.requestId = message.requestId;
    this.extrasBytes = message.extras;
    this.deadline = deadline;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.abortReason !== undefined) this.controller.abort(this.abortReason);
      else this.armDeadline(this.controller);
    }
    return this.controller.signal;
  }

  get timeLeft(): () => number {
    return () => this.remaining();
  }

  get caller(): Caller | undefined {
    return this.extras.caller;
  }

  get traceparent(): string | undefined {
    return this.extras.traceparent;
  }

  get contentType(): string | undefined {
    return this.extras.contentType;
  }

  get state(): HandlerState {
    this.values ??= {};
    return this.values;
  }

  /** The outcome that applies because the reply is no longer needed; undefined while it is. */
  get cancelOutcome(): 'TIMEOUT' | 'CANCELLED' | undefined {
    if (this.abortReason?.name === 'TimeoutError' || this.remaining() === 0) return 'TIMEOUT';
    return this.abortReason === undefined ? undefined : 'CANCELLED';
  }

  /** Whether the reply was no longer needed while the handler ran, as far as the context knows. */
  get isAborted(): boolean {
    return this.abortReason !== undefined;
  }

  /** Aborts the handler: its reply is no longer needed. */
  abort(reason: Error): void {
    this.abortReason ??= reason;
    this.controller?.abort(reason);
    this.release();
  }

  /** Frees timers and ignores later reads of `signal`: the handler has ended. */
  release(): void {
    this.done = true;
    this.cancelTimer?.();
  }

  private remaining(): number {
    return Math.max(0, this.deadline - this.clock.now());
  }

  private get extras(): RequestExtras {
    this.parsed ??= parseExtras(this.extrasBytes);
    return this.parsed;
  }

  private armDeadline(controller: AbortController): void {
    if (this.done || this.deadline === Infinity) return;
    this.cancelTimer = this.clock.after(this.remaining(), () => {
      this.abortReason = cancelError('expired');
      controller.abort(this.abortReason);
    });
  }
}

function parseExtras(bytes: Buffer): RequestExtras {
  if (bytes.length === 0) return {};
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
