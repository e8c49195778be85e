/** What becomes of a reply at the caller of `sendMessage`: data, or an error. */

import type { ReadJson } from '../core/json/large-integers.ts';
import { errorOfOutcome, type ZeroMQError, ZeroMQSocketDisconnected } from '../core/messages/errors.ts';
import type { ErrorData, ReplyExtras, ReplyMessage } from '../core/messages/message.ts';
import { isJsonType } from '../wire/metadata.ts';
import { isConnectionLoss } from './connection-loss.ts';

/** A reply as `sendMessage` gives it. */
export interface ZeroMQReply<Data = unknown> {
  readonly eventName: string;
  /** The event data; a Buffer where the worker said by a `content-type` that it is no JSON. */
  readonly eventData: Data;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A reply for the caller.
 *
 * @param read reads its data, and the details of a failure.
 * @throws the error that a failure stands for; ZeroMQClientError `BAD_REPLY` when the event data is no JSON.
 */
export function readReply<Data>(
  eventName: string,
  reply: ReplyMessage,
  read: ReadJson = JSON.parse,
): ZeroMQReply<Data> {
  if (reply.code !== '') throw errorOf(reply, read);
  const { status } = reply;
  return { eventName, eventData: parseBody(reply, read) as Data, status, headers: headersOf(reply) };
}

function parseBody(reply: ReplyMessage, read: ReadJson): unknown {
  if (!isJsonType(reply.contentType)) return reply.body;
  try {
    return read(reply.body.toString());
  } catch (cause) {
    if (cause instanceof RangeError)
      throw errorOfOutcome('BAD_REPLY', `the reply cannot be read: ${cause.message}`, { cause });
    throw errorOfOutcome('BAD_REPLY', 'the reply is no JSON', { cause });
  }
}

function headersOf(reply: ReplyMessage): Readonly<Record<string, string>> {
  if (reply.extras.length === 0) return {};
  const extras = parseObject(reply.extras, JSON.parse) as ReplyExtras;
  return typeof extras.headers === 'object' && extras.headers !== null ? extras.headers : {};
}

/** A failure without readable data still has its code and status. */
function errorOf(reply: ReplyMessage, read: ReadJson): ZeroMQError {
  const { status, code, dispatched } = reply;
  const error = (parseObject(reply.body, read) as Partial<ErrorData>).error as
    | { readonly message?: unknown; readonly details?: unknown }
    | null
    | undefined;
  const text = error?.message;
  const message = typeof text === 'string' ? text : `the request failed with ${code}`;
  if (isConnectionLoss(reply)) return new ZeroMQSocketDisconnected(code, message, { dispatched, status });
  return errorOfOutcome(code, message, { dispatched, status, details: error?.details });
}

/** The JSON object in `bytes`; an empty one where there is none. */
function parseObject(bytes: Buffer, read: ReadJson): object {
  try {
    const value: unknown = read(bytes.toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
