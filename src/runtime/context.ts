/** What a handler is told besides the event's data. */

import { cancelError } from '../core/messages/cancel-reason.ts';
import type { Caller, RequestExtras, RequestMessage } from '../core/messages/message.ts';
import { type Cancel, systemClock } from '../core/time/clock.ts';

/** Context of one request. */
export interface HandlerContext {
  readonly eventName: string;
  /** Id of the request for logs; empty when the caller gave none. */
  readonly requestId: string;
  /**
   * Aborted when nobody waits for the reply any more. Its `reason` is a `TimeoutError` when the deadline passed, an
   * `AbortError` that says why when the caller cancelled or the connection was lost, else the error that ends the node.
   */
  readonly signal: AbortSignal;
  /** Milliseconds until the deadline; Infinity when the caller set none. May be taken off the context. */
  readonly timeLeft: () => number;
  /** Who is calling, where the gateway authenticated it. */
  readonly caller: Caller | undefined;
  /** W3C trace context of the caller. */
  readonly traceparent: string | undefined;
  /** Media type of the original HTTP body, where it was not JSON. */
  readonly contentType: string | undefined;
}

/** The context of a request under way; nothing is made before the handler asks for it. */
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

  /** @param deadline monotonic ms. */
  constructor(message: RequestMessage, deadline: number) {
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

  /** Why nobody waits for the reply any more; undefined as long as somebody does. */
  get givenUp(): 'TIMEOUT' | 'CANCELLED' | undefined {
    if (this.abortReason?.name === 'TimeoutError' || this.remaining() === 0) return 'TIMEOUT';
    return this.abortReason === undefined ? undefined : 'CANCELLED';
  }

  /** Nobody waits any more. */
  abort(reason: Error): void {
    this.abortReason ??= reason;
    this.controller?.abort(reason);
    this.release();
  }

  /** The handler is done: nothing is started for it any more. */
  release(): void {
    this.done = true;
    this.cancelTimer?.();
  }

  private remaining(): number {
    return Math.max(0, this.deadline - performance.now());
  }

  private get extras(): RequestExtras {
    this.parsed ??= parseExtras(this.extrasBytes);
    return this.parsed;
  }

  private armDeadline(controller: AbortController): void {
    if (this.done || this.deadline === Infinity) return;
    this.cancelTimer = systemClock.after(this.remaining(), () => {
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
