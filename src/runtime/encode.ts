/** Encodes the result or error of a handler as a reply. */

import { jsonText } from '../core/json/json-value.ts';
import type { ReplyError } from '../core/messages/errors.ts';
import { type ErrorData, NO_BYTES, type ReplyMessage } from '../core/messages/message.ts';
import { MAX_METADATA } from '../wire/limits.ts';
import { isJsonType, isShortText } from '../wire/metadata.ts';
import { isReply, type Reply } from './reply.ts';

/** A reply that exceeds a limit or breaks a rule of the protocol. */
export class UnsendableReplyError extends Error {
  override readonly name = 'UnsendableReplyError';
}

/**
 * Encodes the result of a handler.
 *
 * @param maxBytes maximum size of the body.
 * @throws {UnsendableValueError} when JSON cannot represent the result.
 * @throws {UnsendableReplyError} when the reply exceeds a limit or breaks a rule of the protocol.
 */
export function encodeResult(result: unknown, maxBytes: number): ReplyMessage {
  const reply = isReply(result) ? encodeReply(result) : success(200, jsonBytes(result), '', NO_BYTES);
  return checkSize(reply, maxBytes);
}

/**
 * Encodes a `ReplyError`.
 *
 * @param maxBytes maximum size of the body.
 * @throws {UnsendableValueError} when JSON cannot represent its details.
 * @throws {UnsendableReplyError} when the reply exceeds a limit or breaks a rule of the protocol.
 */
export function encodeReplyError(error: ReplyError, maxBytes: number): ReplyMessage {
  const code = isShortText(error.code) && error.code !== '' ? error.code : 'ERROR';
  const { message, details, status, dispatched = true } = error;
  checkStatus(status, 400);
  const data: ErrorData = { error: { code, message, dispatched, details } };
  const extras = extrasOf(lowerCased(error.headers));
  const body = jsonBytes(data);
  return checkSize({ status, code, dispatched, more: false, contentType: '', extras, body }, maxBytes);
}

/** Status, headers and media type of a reply, apart from its data. */
export interface ReplyHead {
  readonly status: number;
  /** Empty if the reply does not state it. */
  readonly contentType: string;
  readonly extras: Buffer;
  /** Value of the header `content-length`, if it is a number. */
  readonly contentLength: number | undefined;
}

/**
 * Encodes the status and headers of a reply.
 *
 * @throws {UnsendableReplyError} when they exceed a limit or break a rule of the protocol.
 */
export function encodeHead(reply: Pick<Reply, 'status' | 'headers'>): ReplyHead {
  const { status } = reply;
  checkStatus(status, 200);
  const headers = lowerCased(reply.headers);
  const contentType = headers?.['content-type'] ?? '';
  if (!isShortText(contentType))
    throw new UnsendableReplyError('content-type must be at most 255 printable ASCII characters');
  const length = headers?.['content-length'] ?? '';
  const contentLength = /^\d+$/.test(length) ? Number(length) : undefined;
  return { status, contentType, extras: checkExtras(extrasOf(headers)), contentLength };
}

function encodeReply(reply: Reply): ReplyMessage {
  const { status, contentType, extras } = encodeHead(reply);
  return success(status, bodyOf(reply.data, contentType), contentType, extras);
}

/** Bytes with a content type are sent unchanged, as is text with a content type other than JSON. */
function bodyOf(data: unknown, type: string): Buffer {
  if (type !== '' && data instanceof Uint8Array) return Buffer.from(data);
  return typeof data === 'string' && !isJsonType(type) ? Buffer.from(data) : jsonBytes(data);
}

function success(status: number, body: Buffer, contentType: string, extras: Buffer): ReplyMessage {
  return { status, code: '', dispatched: true, more: false, contentType, extras, body };
}

function jsonBytes(value: unknown): Buffer {
  return Buffer.from(jsonText(value));
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

/** Code may have changed the status after `reply()` or `ReplyError` checked it. */
function checkStatus(status: number, least: number): void {
  if (Number.isInteger(status) && status >= least && status <= 599) return;
  throw new UnsendableReplyError(`its status must be ${least} to 599`);
}

function checkSize(reply: ReplyMessage, maxBytes: number): ReplyMessage {
  const { body, extras } = reply;
  if (body.length > maxBytes)
    throw new UnsendableReplyError(`it has ${body.length} bytes, more than ${maxBytes}`);
  checkExtras(extras);
  return reply;
}

function checkExtras(extras: Buffer): Buffer {
  if (extras.length <= MAX_METADATA) return extras;
  throw new UnsendableReplyError(`its headers have ${extras.length} bytes, more than ${MAX_METADATA}`);
}
