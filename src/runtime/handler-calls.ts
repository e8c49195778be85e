/**
 * The calls of one handler: requests that it sends itself (`context.call`). While any of them is in
 * flight, the handler lends its slot of the concurrency. All of them end with the handler.
 */
import type { ReadJson } from '../core/json/large-integers.ts';
import { type CallSource, depthOf, MAX_CALL_DEPTH } from '../core/messages/calls.ts';
import { errorOfOutcome, toError, ZeroMQConfigError, type ZeroMQError } from '../core/messages/errors.ts';
import { isReserved } from '../core/messages/event-name.ts';
import {
  type Cancellable,
  failure,
  type InFlight,
  type OutgoingRequest,
  type ReplyMessage,
  type RequestExtras,
  type RequestMessage,
  type Settle,
  type StreamPort,
  settleSafely,
} from '../core/messages/message.ts';
import type { OutcomeCode } from '../core/messages/outcome.ts';
import { withProgress } from '../core/messages/progress.ts';
import type { ClientSendOptions, SendOptions } from '../core/messages/send-options.ts';
import { WITHOUT_STREAM } from '../core/messages/stream.ts';
import type { TracedSpan, Tracing } from '../core/observability/tracing.ts';
import type { Cancel, Clock } from '../core/time/clock.ts';
import { receiveStream, type StreamSendOptions, streamExtras } from '../streams/receive-stream.ts';
import type { ZeroMQStream } from '../streams/zeromq-stream.ts';
import { readReply, type ZeroMQReply } from '../wire/incoming.ts';
import { encodeData, toMessage } from '../wire/outgoing.ts';
import { endSpan } from './handler-span.ts';

/** How long a call may take if neither it nor the request of the handler has a deadline, in ms. */
const DEFAULT_TIMEOUT = 30_000;

/**
 * How long after its deadline a call still waits for the outcome, in ms: only the router knows
 * whether the call ran.
 */
const OUTCOME_GRACE = 100;

/** Maximum delay of a timer in Node.js, in milliseconds. */
const MAX_TIMEOUT = 0x7fffffff;

/** What calls need of the executor. */
export interface CallSettings {
  readonly readJson: ReadJson;
  /** Maximum size of event data in bytes. */
  readonly maxBytes: number;
  readonly tracing: Tracing | undefined;
  /** Clock of the deadlines. */
  readonly clock: Clock;
}

/** The execution whose handler calls. */
export interface CallingExecution {
  readonly message: RequestMessage;
  /** Undefined where no connection takes calls. */
  readonly source: CallSource | undefined;
  readonly span: TracedSpan | undefined;
  readonly callSettings: CallSettings;
  /** The handler waits on a call: its slot is free until `reclaimSlot`. */
  lendSlot(): void;
  reclaimSlot(): void;
}

/** The request whose handler calls. */
export interface CallingRequest {
  /** Milliseconds until its deadline. */
  readonly timeLeft: () => number;
  readonly extras: RequestExtras;
  /** Why its reply is no longer needed; undefined while it is. */
  readonly abortReason: Error | undefined;
}

/** A call before it is sent. */
interface PreparedCall {
  readonly request: OutgoingRequest;
  readonly depth: number;
  readonly span: TracedSpan | undefined;
}

/** A call in flight. */
interface PendingCall {
  inFlight: Cancellable | undefined;
  cancelTimer: Cancel | undefined;
  readonly span: TracedSpan | undefined;
  settle(outcome: ReplyMessage | ZeroMQError): void;
}

export class HandlerCalls {
  private readonly pending = new Set<PendingCall>();
  private ended = false;

  constructor(
    private readonly execution: CallingExecution,
    private readonly request: CallingRequest,
  ) {}

  /** Sends a call and resolves with its reply. */
  async send<Data>(
    eventName: string,
    eventData: unknown,
    options: ClientSendOptions = {},
  ): Promise<ZeroMQReply<Data>> {
    const outcome = await this.outcomeOf(eventName, eventData, options);
    if (outcome instanceof Error) throw outcome;
    return readReply<Data>(eventName, outcome, this.execution.callSettings.readJson);
  }

  /** Sends a call and resolves with its reply as a stream, once the first chunk has arrived. */
  async stream<Item>(
    eventName: string,
    eventData: unknown,
    options: StreamSendOptions = {},
  ): Promise<ZeroMQStream<Item>> {
    const { readJson, maxBytes: maxMessageSize } = this.execution.callSettings;
    const extras = streamExtras(options);
    const call = this.prepare(eventName, eventData, { ...options, extras });
    const requester = {
      request: (request: OutgoingRequest, settle: Settle) => this.sendStream({ ...call, request }, settle),
    };
    return receiveStream<Item>(requester, call.request, options, { readJson, maxMessageSize });
  }

  /** Cancels all calls in flight: their results are no longer needed. */
  cancelAll(reason: Error): void {
    for (const call of this.pending) {
      call.inFlight?.cancel();
      call.settle(cancelled(reason, undefined));
    }
  }

  /** Ends all calls: the handler has ended. */
  end(): void {
    this.ended = true;
    this.cancelAll(new Error('the handler ended before the call did'));
  }

  /** @throws {ZeroMQError} when the call is not sent. */
  private outcomeOf(
    eventName: string,
    eventData: unknown,
    options: ClientSendOptions,
  ): Promise<ReplyMessage | ZeroMQError> {
    const { source } = this.execution;
    const prepared = this.withProgress(this.prepare(eventName, eventData, options), options);
    const { depth, span, request } = prepared;
    const message = this.messageOf(prepared);
    return new Promise((resolve) => {
      const call = this.open(span, options.signal, resolve);
      this.startTimer(call, request.timeout);
      if (source === undefined) {
        call.settle(noConnection(eventName));
        return;
      }
      const settle = withProgress((reply) => call.settle(reply), request.onProgress);
      // An error of `onProgress` must not reach the connection.
      call.inFlight = source.call(message, depth, (reply) => settleSafely(settle, reply));
    });
  }

  private withProgress(call: PreparedCall, { onProgress }: ClientSendOptions): PreparedCall {
    if (onProgress === undefined) return call;
    const { readJson } = this.execution.callSettings;
    const request = { ...call.request, onProgress: (json: Buffer) => onProgress(readJson(String(json))) };
    return { ...call, request };
  }

  /** @throws {ZeroMQError} when the call cannot be sent. */
  private prepare(eventName: string, eventData: unknown, options: SendOptions): PreparedCall {
    checkEvent(eventName);
    const timeout = this.timeoutOf(eventName, options);
    const depth = this.depthOfCalls(eventName);
    const body = encodeData(eventData);
    const { idempotent = false, requestId = this.execution.message.requestId } = options;
    const span = this.beginSpan(eventName, requestId);
    const extras = this.extrasOf(options, span, depth);
    return { request: { eventName, body, timeout, idempotent, requestId, extras }, depth, span };
  }

  private messageOf({ request, span }: PreparedCall): RequestMessage {
    try {
      return toMessage(request, this.execution.callSettings.maxBytes);
    } catch (error) {
      endSpan(span, { code: 'INVALID_ARGUMENT', status: 500 });
      throw error;
    }
  }

  private sendStream(prepared: PreparedCall, settle: Settle): InFlight {
    const { depth, span, request } = prepared;
    const { timeout, eventName } = request;
    const port = request.stream as StreamPort;
    const { source } = this.execution;
    const message = this.messageOf(prepared);
    const call = this.open(span, undefined, (outcome) => settle(replyOf(outcome)));
    if (source === undefined) {
      call.settle(noConnection(eventName));
      return { cancel: () => undefined, ...WITHOUT_STREAM };
    }
    // The time to the first chunk starts again with the end of the body. Until then, the router
    // limits how long the callee may be silent.
    if (!port.upload) this.startTimer(call, timeout);
    const { window, upload } = port;
    let started = false;
    const inFlight = source.stream(message, depth, (reply) => call.settle(reply), {
      window,
      upload,
      onChunk: (reply) => {
        started = true;
        call.cancelTimer?.();
        port.onChunk(reply);
      },
      onWindow: (bytes) => port.onWindow(bytes),
    });
    call.inFlight = inFlight;
    return {
      cancel: () => {
        inFlight.cancel();
        call.settle(failure('CANCELLED', 'the stream was cancelled'));
      },
      grant: (bytes) => inFlight.grant(bytes),
      sendChunk: (body, end) => {
        inFlight.sendChunk(body, end);
        if (end && !started && this.pending.has(call)) this.startTimer(call, timeout);
      },
    };
  }

  private open(
    span: TracedSpan | undefined,
    signal: AbortSignal | undefined,
    resolve: (outcome: ReplyMessage | ZeroMQError) => void,
  ): PendingCall {
    const { pending, execution } = this;
    const onAbort = (): void => {
      call.inFlight?.cancel();
      call.settle(cancelled(toError(signal?.reason), undefined));
    };
    const call: PendingCall = {
      inFlight: undefined,
      cancelTimer: undefined,
      span,
      settle(outcome) {
        if (!pending.delete(call)) return;
        call.cancelTimer?.();
        signal?.removeEventListener('abort', onAbort);
        endSpan(span, outcome);
        if (pending.size === 0) execution.reclaimSlot();
        resolve(outcome);
      },
    };
    pending.add(call);
    if (pending.size === 1) execution.lendSlot();
    signal?.addEventListener('abort', onAbort, { once: true });
    return call;
  }

  private startTimer(call: PendingCall, timeout: number): void {
    const { clock } = this.execution.callSettings;
    call.cancelTimer = clock.after(Math.min(timeout + OUTCOME_GRACE, MAX_TIMEOUT), () => {
      call.inFlight?.cancel();
      call.settle(failure('TIMEOUT', 'no reply arrived before the deadline of the call'));
    });
  }

  private timeoutOf(eventName: string, { timeout, signal }: SendOptions): number {
    if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0)) {
      throw new ZeroMQConfigError(`timeout must be more than 0 ms, got ${String(timeout)}`);
    }
    const { abortReason } = this.request;
    if (this.ended) throw cancelled(new Error('the handler has ended'), false);
    if (abortReason !== undefined) throw cancelled(abortReason, false);
    if (signal?.aborted === true) throw cancelled(toError(signal.reason), false);
    const timeLeft = this.request.timeLeft();
    if (timeLeft <= 0) {
      const name = JSON.stringify(eventName);
      throw errorOfOutcome('EXPIRED', `the deadline passed before the call of ${name} was sent`);
    }
    const least = Math.min(timeout ?? Infinity, timeLeft);
    // Rounded down, because the time left travels in whole milliseconds, rounded up.
    return least === Infinity ? DEFAULT_TIMEOUT : Math.max(1, Math.floor(Math.min(least, MAX_TIMEOUT)));
  }

  private depthOfCalls(eventName: string): number {
    const depth = depthOf(this.execution.message.extras) + 1;
    if (depth <= MAX_CALL_DEPTH) return depth;
    const text = `the call of ${JSON.stringify(eventName)} would be ${depth} calls deep; at most ${MAX_CALL_DEPTH} are allowed`;
    throw errorOfOutcome('LOOP', text);
  }

  private beginSpan(eventName: string, requestId: string): TracedSpan | undefined {
    const { span, callSettings } = this.execution;
    return callSettings.tracing?.beginMessaging('send', { eventName, requestId }, span?.context);
  }

  private extrasOf({ extras }: SendOptions, span: TracedSpan | undefined, depth: number): RequestExtras {
    const { caller, traceparent, tracestate } = this.request.extras;
    const context = span?.context ?? (traceparent === undefined ? {} : { traceparent, tracestate });
    return { ...extras, ...context, ...(caller === undefined ? {} : { caller }), depth };
  }
}

function noConnection(eventName: string): ReplyMessage {
  return failure('NO_ROUTER', `no connection takes the call of ${JSON.stringify(eventName)}`);
}

/** An outcome as the last part of a stream. */
function replyOf(outcome: ReplyMessage | ZeroMQError): ReplyMessage {
  if (!(outcome instanceof Error)) return outcome;
  const { code, message, dispatched } = outcome;
  return failure(code as OutcomeCode, message, { dispatched });
}

function checkEvent(eventName: string): void {
  if (typeof eventName !== 'string') {
    throw new ZeroMQConfigError(`eventName must be a string, got ${JSON.stringify(eventName)}`);
  }
  if (isReserved(eventName)) {
    const name = JSON.stringify(eventName);
    throw new ZeroMQConfigError(`a handler cannot call ${name}: event names that start with $ are reserved`);
  }
}

/** The error of a call that was cancelled, or not sent because the request has ended. */
function cancelled(reason: Error, dispatched: boolean | undefined): ZeroMQError {
  const expired = reason.name === 'TimeoutError';
  const text = `the call was cancelled: ${reason.message}`;
  if (!expired) return errorOfOutcome('CANCELLED', text, { cause: reason, dispatched });
  return errorOfOutcome(dispatched === false ? 'EXPIRED' : 'TIMEOUT', text, { cause: reason });
}
