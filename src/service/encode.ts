/** From what a handler returned or threw to the reply that travels. */
import type { ReplyError } from '../core/errors.ts';
import { type ErrorData, NO_BYTES, type ReplyMessage } from '../core/message.ts';
import { MAX_METADATA } from '../wire/limits.ts';
import { isJsonType, isShortText } from '../wire/metadata.ts';
import { isReply, type Reply } from './reply.ts';

/**
 * The reply for a handler's result.
 *
 * @param maxBytes largest body.
 * @throws TypeError or RangeError when the result cannot travel.
 */
export function encodeResult(result: unknown, maxBytes: number): ReplyMessage {
  const reply = isReply(result) ? encodeReply(result) : success(200, jsonBytes(result), '', NO_BYTES);
  return checkSize(reply, maxBytes);
}

/**
 * The reply for a `ReplyError`.
 *
 * @throws TypeError or RangeError when its details or headers cannot travel.
 */
export function encodeReplyError(error: ReplyError, maxBytes: number): ReplyMessage {
  const code = isShortText(error.code) && error.code !== '' ? error.code : 'ERROR';
  const { message, details, status, dispatched = true } = error;
  const data: ErrorData = { error: { code, message, dispatched, details } };
  const extras = extrasOf(lowerCased(error.headers));
  const body = jsonBytes(data);
  return checkSize({ status, code, dispatched, more: false, contentType: '', extras, body }, maxBytes);
}

function encodeReply(reply: Reply): ReplyMessage {
  const { status, data } = reply;
  const headers = lowerCased(reply.headers);
  const type = headers?.['content-type'] ?? '';
  if (!isShortText(type)) throw new TypeError('content-type must be at most 255 printable ASCII characters');
  return success(status, bodyOf(data, type), type, extrasOf(headers));
}

/** Bytes travel as they are where a type says what they are; so does text that is no JSON. */
function bodyOf(data: unknown, type: string): Buffer {
  if (type !== '' && data instanceof Uint8Array) return Buffer.from(data);
  return typeof data === 'string' && !isJsonType(type) ? Buffer.from(data) : jsonBytes(data);
}

function success(status: number, body: Buffer, contentType: string, extras: Buffer): ReplyMessage {
  return { status, code: '', dispatched: true, more: false, contentType, extras, body };
}

function jsonBytes(value: unknown): Buffer {
  const json = JSON.stringify(value ?? null) as string | undefined;
  if (json === undefined) throw new TypeError(`a ${typeof value} has no JSON form`);
  return Buffer.from(json);
}

function extrasOf(headers: Record<string, string> | undefined): Buffer {
  return headers === undefined ? NO_BYTES : jsonBytes({ headers });
}

function lowerCased(
  headers: Readonly<Record<string, string>> | undefined,
): Record<string, string> | undefined {
  if (headers === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
}

function checkSize(reply: ReplyMessage, maxBytes: number): ReplyMessage {
  const { body, extras } = reply;
  if (body.length > maxBytes) throw new RangeError(`it has ${body.length} bytes, more than ${maxBytes}`);
  if (extras.length > MAX_METADATA) {
    throw new RangeError(`its headers have ${extras.length} bytes, more than ${MAX_METADATA}`);
  }
  return reply;
}
