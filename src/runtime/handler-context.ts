/** The context that a handler receives. */
import type { Caller } from '../core/messages/message.ts';
import type { ClientSendOptions } from '../core/messages/send-options.ts';
import type { StreamSendOptions } from '../streams/receive-stream.ts';
import type { ZeroMQStream } from '../streams/zeromq-stream.ts';
import type { EventSender } from '../wire/incoming.ts';
import type { UploadPart } from './streams/parts.ts';
import type { ByteRange, RangeValidators } from './streams/range.ts';

/**
 * Calls an event from a handler and resolves with the event data of the reply.
 *
 * @typeParam Data type of the event data of the reply.
 */
export type CallEvent = <Data = unknown>(
  eventName: string,
  eventData?: unknown,
  options?: ClientSendOptions,
) => Promise<Data>;

/**
 * Calls an event from a handler and resolves with its reply as a stream.
 *
 * @typeParam Item type of the items of the stream.
 */
export type StreamEventCall = <Item = unknown>(
  eventName: string,
  eventData?: unknown,
  options?: StreamSendOptions,
) => Promise<ZeroMQStream<Item>>;

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
   * The idempotency key of the HTTP request. A handler can pass it on to systems that take such keys,
   * or store it with what it writes.
   */
  readonly idempotencyKey: string | undefined;
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
   * Reports how far the handler is to a caller that takes progress; has no effect otherwise. Can be
   * called unbound, and as often as convenient: the latest value is sent, at most ten times a second,
   * and the last one before the reply.
   *
   * @param value any JSON value of at most 16 KiB, such as `{ done: 3, of: 10 }`.
   * @throws {ZeroMQConfigError} when the value cannot be represented as JSON, or is larger.
   */
  readonly progress: (value: unknown) => void;
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
  /**
   * Calls another event as `call` does, and resolves with its reply as a stream once the first chunk
   * has arrived; with the options `body` and `parts`, the body of the call is a stream as well. Can be
   * called unbound.
   *
   * The callee sends no faster than this handler reads. The deadline of the call applies until the
   * first chunk. The stream ends with the handler: a handler that passes it on returns it, or yields
   * from it.
   *
   * @example
   * ```ts
   * const handlers: Handlers = {
   *   'report.lines': async function* ({ id }: { id: number }, context) {
   *     for await (const line of await context.stream<{ sum: number }>('sums.list', { id })) yield line.sum;
   *   },
   * };
   * ```
   */
  readonly stream: StreamEventCall;
}

/** Values of {@link HandlerContext.state}. A module can declare its members by merging. */
export interface HandlerState {
  [name: string]: unknown;
}
