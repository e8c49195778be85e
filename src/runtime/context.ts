/**
 * runtime: runs the handlers of workers and servers. The executor and its queue, contexts and
 * replies of handlers, and the lifecycle that workers and servers share.
 */

import { readExtras } from '../core/messages/calls.ts';
import { cancelError } from '../core/messages/cancel-reason.ts';
import type { Caller, ReplyMessage, RequestExtras, RequestMessage } from '../core/messages/message.ts';
import type { ClientSendOptions } from '../core/messages/send-options.ts';
import type { Cancel, Clock } from '../core/time/clock.ts';
import type { StreamSendOptions } from '../streams/receive-stream.ts';
import type { EventSender, ZeroMQReply } from '../wire/incoming.ts';
import { type CallingExecution, type CallingRequest, HandlerCalls } from './handler-calls.ts';
import type { CallEvent, HandlerContext, HandlerState, StreamEventCall } from './handler-context.ts';
import { encodeProgress, ProgressReports } from './progress.ts';
import { NO_PARTS, partsOf, type UploadPart } from './streams/parts.ts';
import { rangeOf } from './streams/range.ts';
import { NO_BODY } from './streams/upload.ts';

/** The execution of a request in progress. */
interface RunningExecution extends CallingExecution {
  /** Body that the caller sends as a stream. */
  readonly upload: AsyncIterable<Buffer> | undefined;
  /** Sends a progress to the caller. */
  report(progress: ReplyMessage): void;
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
  /** Absent, and not undefined, in contexts of requests that take no progress. */
  declare private reports?: ProgressReports;

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
    if (message.progress === true) this.reports = new ProgressReports(execution, clock);
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

  get idempotencyKey(): string | undefined {
    return this.extras.idempotencyKey;
  }

  get lastEventId(): string | undefined {
    return this.extras.lastEventId;
  }

  get range(): HandlerContext['range'] {
    return (size, validators) => rangeOf(this.extras, size, validators);
  }

  get progress(): HandlerContext['progress'] {
    return (value) => {
      const json = encodeProgress(value);
      if (!this.ended) this.reports?.report(json);
    };
  }

  get state(): HandlerState {
    this.values ??= {};
    return this.values;
  }

  get call(): CallEvent {
    return <Data>(eventName: string, eventData?: unknown, options?: ClientSendOptions) =>
      withoutWarning(this.send<Data>(eventName, eventData, options).then((reply) => reply.eventData));
  }

  get sendMessage(): EventSender['sendMessage'] {
    return <Data>(eventName: string, eventData?: unknown, options?: ClientSendOptions) =>
      withoutWarning(this.send<Data>(eventName, eventData, options));
  }

  get stream(): StreamEventCall {
    return <Item>(eventName: string, eventData?: unknown, options?: StreamSendOptions) =>
      withoutWarning(this.handlerCalls().stream<Item>(eventName, eventData, options));
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
    this.reports?.end();
    this.ended = true;
  }

  private send<Data>(
    eventName: string,
    eventData: unknown,
    options: ClientSendOptions | undefined,
  ): Promise<ZeroMQReply<Data>> {
    return this.handlerCalls().send<Data>(eventName, eventData, options);
  }

  private handlerCalls(): HandlerCalls {
    this.calls ??= new HandlerCalls(this.execution, this);
    if (this.ended) this.calls.end();
    return this.calls;
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
