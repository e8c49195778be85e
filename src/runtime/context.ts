/**
 * runtime: runs the handlers of workers and servers. The executor and its queue, contexts and
 * replies of handlers, and the lifecycle that workers and servers share.
 */

import { readExtras } from '../core/messages/calls.ts';
import { cancelError } from '../core/messages/cancel-reason.ts';
import type { Caller, RequestExtras, RequestMessage } from '../core/messages/message.ts';
import type { SendOptions } from '../core/messages/send-options.ts';
import type { Cancel, Clock } from '../core/time/clock.ts';
import type { EventSender, ZeroMQReply } from '../wire/incoming.ts';
import { type CallingExecution, type CallingRequest, HandlerCalls } from './handler-calls.ts';
import { NO_PARTS, partsOf, type UploadPart } from './streams/parts.ts';
import { type ByteRange, type RangeValidators, rangeOf } from './streams/range.ts';
import { NO_BODY } from './streams/upload.ts';

/**
 * Calls an event from a handler and resolves with the event data of the reply.
 *
 * @typeParam Data type of the event data of the reply.
 */
export type CallEvent = <Data = unknown>(
  eventName: string,
  eventData?: unknown,
  options?: SendOptions,
) => Promise<Data>;

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
export interface HandlerContext extends EventSender {
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
   * Returns the milliseconds until the deadline; Infinity if the caller set none, and after the first
   * chunk of a stream. Can be called unbound.
   */
  readonly timeLeft: () => number;
  /** The caller that the gateway authenticated; undefined without authentication. */
  readonly caller: Caller | undefined;
  /** W3C trace context of the caller. */
  readonly traceparent: string | undefined;
  /** Media type of the HTTP body, if it was not JSON. */
  readonly contentType: string | undefined;
  /**
   * The request body, if the contract declares it as an upload; otherwise empty. It can be read
   * once, and arrives no faster than the handler reads. Reading throws an error when the caller goes
   * away or the body is truncated.
   */
  readonly body: AsyncIterable<Buffer>;
  /**
   * The parts of an upload in the format `multipart/form-data`, in the order in which they arrive:
   * the first file and everything after it. The fields before the first file are in the event data.
   * The rest of a part that was not read is skipped. Reads the same bytes as `body`.
   */
  readonly parts: AsyncIterable<UploadPart>;
  /**
   * Id of the last server-sent event that the caller has received, if it reconnects.
   */
  readonly lastEventId: string | undefined;
  /**
   * Returns the range of bytes that the caller asks for; undefined if it asks for everything, or for
   * several ranges. Can be called unbound. {@link file} does all of this for a file.
   *
   * @param size size of the resource in bytes.
   * @param validators current validators of the resource, for requests with `If-Range`.
   * @throws {ReplyError} 416 when the range begins after the end of the resource.
   */
  readonly range: (size: number, validators?: RangeValidators) => ByteRange | undefined;
  /**
   * Values that middlewares pass to each other and to the handler, such as a transaction. Empty at
   * first, and never sent.
   */
  readonly state: HandlerState;
  /**
   * Calls another event over the connection that the request came over, and resolves with the event
   * data of the reply. Can be called unbound.
   *
   * The call has at most the time that the handler's request has left. It has the caller, the
   * request id and the trace of that request, and is cancelled with it or when the handler ends.
   * While a call is in flight, the handler lends its slot of the concurrency to other calls.
   * {@link createCaller} gives calls the types of a contract.
   *
   * The promise rejects with
   * - a {@link ZeroMQError} with the code, status and details of the reply if the call fails;
   *   {@link ReplyError.from} passes it on to the caller of the handler,
   * - `LOOP` at a depth of more than 16 calls, `NOT_PERMITTED` if the key of the worker does not
   *   allow calling the event, `CALLS_UNSUPPORTED` behind a router that takes no calls,
   * - a {@link ZeroMQConfigError} if an argument is invalid or the event is reserved (`$`).
   *
   * A rejection that the handler does not await is ignored.
   */
  readonly call: CallEvent;
  /**
   * Calls another event as `call` does, and resolves with the whole reply: event data, status and
   * headers. Can be called unbound.
   */
  readonly sendMessage: EventSender['sendMessage'];
}

/** Values of {@link HandlerContext.state}. A module can declare its members by merging. */
export interface HandlerState {
  [name: string]: unknown;
}

/** The execution of a request in progress. */
interface RunningExecution extends CallingExecution {
  /** Body that the caller sends as a stream. */
  readonly upload: AsyncIterable<Buffer> | undefined;
}

/** Context of a request in progress. Its members are created when the handler first reads them. */
export class RequestContext implements HandlerContext, CallingRequest {
  readonly eventName: string;
  readonly requestId: string;
  private deadline: number;
  private readonly extrasBytes: Buffer;
  private controller: AbortController | undefined;
  private cancelTimer: Cancel | undefined;
  private done = false;
  private ended = false;
  private parsed: RequestExtras | undefined;
  private aborted: Error | undefined;
  private calls: HandlerCalls | undefined;
  private values: HandlerState | undefined;
  private uploadParts: AsyncIterable<UploadPart> | undefined;

  /**
   * @param deadline in milliseconds of the clock.
   * @param execution sends the calls of the handler.
   */
  constructor(
    message: RequestMessage,
    deadline: number,
    private readonly clock: Clock,
    private readonly execution: RunningExecution,
  ) {
    this.eventName = message.eventName;
    this.requestId = message.requestId;
    this.extrasBytes = message.extras;
    this.deadline = deadline;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.aborted !== undefined) this.controller.abort(this.aborted);
      else this.armDeadline();
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

  get body(): AsyncIterable<Buffer> {
    return this.execution.upload ?? NO_BODY;
  }

  get parts(): AsyncIterable<UploadPart> {
    const { upload } = this.execution;
    if (upload === undefined) return NO_PARTS;
    this.uploadParts ??= partsOf(upload, this.contentType);
    return this.uploadParts;
  }

  get lastEventId(): string | undefined {
    return this.extras.lastEventId;
  }

  get range(): HandlerContext['range'] {
    return (size, validators) => rangeOf(this.extras, size, validators);
  }

  get state(): HandlerState {
    this.values ??= {};
    return this.values;
  }

  get call(): CallEvent {
    return <Data>(eventName: string, eventData?: unknown, options?: SendOptions) =>
      withoutWarning(this.send<Data>(eventName, eventData, options).then((reply) => reply.eventData));
  }

  get sendMessage(): EventSender['sendMessage'] {
    return <Data>(eventName: string, eventData?: unknown, options?: SendOptions) =>
      withoutWarning(this.send<Data>(eventName, eventData, options));
  }

  get abortReason(): Error | undefined {
    return this.aborted;
  }

  get extras(): RequestExtras {
    this.parsed ??= readExtras(this.extrasBytes);
    return this.parsed;
  }

  /** The outcome that applies because the reply is no longer needed; undefined while it is. */
  get cancelOutcome(): 'TIMEOUT' | 'CANCELLED' | undefined {
    if (this.aborted?.name === 'TimeoutError' || this.remaining() === 0) return 'TIMEOUT';
    return this.aborted === undefined ? undefined : 'CANCELLED';
  }

  /** Whether the reply was no longer needed while the handler ran, as far as the context knows. */
  get isAborted(): boolean {
    return this.aborted !== undefined;
  }

  /** Aborts the handler: its reply is no longer needed. */
  abort(reason: Error): void {
    this.aborted ??= reason;
    this.controller?.abort(reason);
    this.calls?.cancelAll(reason);
    this.stopTimer();
  }

  /** The deadline no longer applies: the first chunk of a stream was sent. */
  liftDeadline(): void {
    this.deadline = Infinity;
    this.cancelTimer?.();
  }

  /** Frees timers, ignores later reads of `signal` and ends all calls: the handler has ended. */
  release(): void {
    this.stopTimer();
    this.calls?.end();
    this.ended = true;
  }

  private send<Data>(
    eventName: string,
    eventData: unknown,
    options: SendOptions | undefined,
  ): Promise<ZeroMQReply<Data>> {
    this.calls ??= new HandlerCalls(this.execution, this);
    if (this.ended) this.calls.end();
    return this.calls.send<Data>(eventName, eventData, options);
  }

  private stopTimer(): void {
    this.done = true;
    this.cancelTimer?.();
  }

  private remaining(): number {
    return Math.max(0, this.deadline - this.clock.now());
  }

  private armDeadline(): void {
    if (this.done || this.deadline === Infinity) return;
    this.cancelTimer = this.clock.after(this.remaining(), () => {
      this.abort(cancelError('expired'));
    });
  }
}

/**
 * A handler may await a call later, or not at all. Node.js would end the process if the call had
 * failed by then.
 */
function withoutWarning<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}
