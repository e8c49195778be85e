/** Converts a reply to the result of `sendMessage` and `context.call`: event data or an error. */

import type { ReadJson } from '../core/json/large-integers.ts';
import { isConnectionLoss } from '../core/messages/connection-loss.ts';
import { errorOfOutcome, type ZeroMQError, ZeroMQSocketDisconnected } from '../core/messages/errors.ts';
import type { ErrorData, ReplyExtras, ReplyMessage } from '../core/messages/message.ts';
import type { ClientSendOptions } from '../core/messages/send-options.ts';
import { isJsonType } from './metadata.ts';

/** A reply as {@link ZeroMQClient.sendMessage} and `sendMessage` of {@link HandlerContext} return it. */
export interface ZeroMQReply<Data = unknown> {
  /** Name of the event that was called. */
  readonly eventName: string;
  /** The event data; a Buffer if the worker set a `content-type` other than JSON. */
  readonly eventData: Data;
  /** HTTP status that the handler set; 200 if it set none. */
  readonly status: number;
  /** HTTP headers that the handler set, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends events: a {@link ZeroMQClient}, or the {@link HandlerContext} of a handler. */
export interface EventSender {
  /**
   * Sends an event and resolves with the reply.
   *
   * @param eventName name of the event.
   * @param eventData any JSON value.
   * @param options options of the request.
   */
  sendMessage<Data = unknown>(
    eventName: string,
    eventData?: unknown,
    options?: ClientSendOptions,
  ): Promise<ZeroMQReply<Data>>;
}

/**
 * Converts a reply for the caller.
 *
 * @param read parses the event data, and the details of a failure
 * @returns the reply with its event data
 * @throws {ZeroMQError} of the class that the failure's code maps to
 * @throws {ZeroMQClientError} `BAD_REPLY` when the event data is not valid JSON
 */
export function readReply<Data>(
  eventName: string,
  reply: ReplyMessage,
  read: ReadJson = JSON.parse,
): ZeroMQReply<Data> {
  if (reply.code !== '') throw errorOfReply(reply, read);
  const { status } = reply;
  return { eventName, eventData: parseBody(reply, read) as Data, status, headers: headersOf(reply) };
}

function parseBody(reply: ReplyMessage, read: ReadJson): unknown {
  if (!isJsonType(reply.contentType)) return reply.body;
  try {
    return read(reply.body.toString());
  } catch (cause) {
    if (cause instanceof RangeError)
      throw errorOfOutcome('BAD_REPLY', `cannot read the reply: ${cause.message}`, { cause });
    throw errorOfOutcome('BAD_REPLY', 'the reply is not valid JSON', { cause });
  }
}

/** The HTTP headers that the handler set. */
export function headersOf(reply: ReplyMessage): Readonly<Record<string, string>> {
  if (reply.extras.length === 0) return {};
  const extras = parseObject(reply.extras, JSON.parse) as ReplyExtras;
  return typeof extras.headers === 'object' && extras.headers !== null ? extras.headers : {};
}

/**
 * Creates the error of a failure. If its data cannot be parsed, the code and status still apply.
 */
export function errorOfReply(reply: ReplyMessage, read: ReadJson): ZeroMQError {
  const { status, code, dispatched } = reply;
  const error = (parseObject(reply.body, read) as Partial<ErrorData>).error as
    | { readonly message?: unknown; readonly details?: unknown }
    | null
    | undefined;
  const text = error?.message;
  const message = typeof text === 'string' ? text : `the request failed: ${code}`;
  if (isConnectionLoss(reply)) return new ZeroMQSocketDisconnected(code, message, { dispatched, status });
  return errorOfOutcome(code, message, { dispatched, status, details: error?.details });
}

/** Parses `bytes` as a JSON object; returns an empty object if that fails. */
function parseObject(bytes: Buffer, read: ReadJson): object {
  try {
    const value: unknown = read(bytes.toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
