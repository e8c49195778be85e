/**
 * Metadata: a trailing JSON frame that nodes of this framework add to classic messages and classic
 * peers ignore.
 *
 * Unknown keys are ignored. A frame is broken if it is not a JSON object, is too large or has a
 * member of the wrong type; callers count broken frames. A request with a broken frame is treated
 * as one without metadata. A reply with a broken frame is treated as failed, because the frame may
 * have reported a failure.
 */
import { parseObject } from '../core/json/parse-object.ts';
import { NO_BYTES, type ReplyMessage, type RequestMessage } from '../core/messages/message.ts';
import { wholeMilliseconds } from '../core/time/whole-milliseconds.ts';
import { MAX_METADATA, MAX_REQUEST_ID } from './limits.ts';

/** Version of this framework's additions to the classic wire format. */
export const PROTOCOL_VERSION = 1;

/** Decoded metadata of a request. */
export interface RequestMetadata {
  readonly timeLeft: number;
  readonly idempotent: boolean;
  readonly requestId: string;
  readonly extras: Buffer;
  /** Whether the sender understands packed messages. */
  readonly packs: boolean;
  /** Whether the sender understands streams in packed messages. */
  readonly streams: boolean;
}

/** Decoded metadata of a reply. */
export interface ReplyMetadata {
  readonly status: number;
  readonly code: string;
  readonly dispatched: boolean;
  readonly more: boolean;
  readonly contentType: string;
  readonly extras: Buffer;
  readonly packs: boolean;
  readonly streams: boolean;
}

/** Announces support for packed messages, and for streams in them. */
const ANNOUNCEMENT = { pack: 1, stream: 1 } as const;

/** Encodes the metadata frame of a request. `packs` announces packed messages and streams. */
export function encodeRequestMetadata(message: RequestMessage, packs: boolean): Buffer {
  const head: Record<string, unknown> = { v: PROTOCOL_VERSION };
  if (message.requestId !== '') head.id = message.requestId;
  if (message.timeLeft > 0) head.ttl = wholeMilliseconds(message.timeLeft);
  if (message.idempotent) head.idem = true;
  if (packs) Object.assign(head, ANNOUNCEMENT);
  return withExtras(head, message.extras);
}

/** Encodes the metadata frame of a reply. */
export function encodeReplyMetadata(message: ReplyMessage, packs: boolean): Buffer {
  const head: Record<string, unknown> = { v: PROTOCOL_VERSION, status: message.status };
  if (message.code !== '') head.code = message.code;
  if (!message.dispatched) head.dispatched = false;
  if (message.more) head.more = true;
  if (message.contentType !== '') head.type = message.contentType;
  if (packs) Object.assign(head, ANNOUNCEMENT);
  return withExtras(head, message.extras);
}

/** Decodes the metadata of a request; undefined if the frame is broken. */
export function decodeRequestMetadata(frame: Buffer): RequestMetadata | undefined {
  const head = parseObject(frame, MAX_METADATA * 2);
  if (head === undefined) return undefined;
  const ttl = head.ttl ?? 0;
  const id = head.id ?? '';
  const idem = head.idem ?? false;
  if (typeof ttl !== 'number' || !(ttl >= 0) || typeof idem !== 'boolean') return undefined;
  if (typeof id !== 'string' || !isRequestId(id)) return undefined;
  const extras = extrasOf(head.ext);
  if (extras === undefined) return undefined;
  return {
    timeLeft: Math.min(ttl, 0xffffffff),
    idempotent: idem,
    requestId: id,
    extras,
    packs: head.pack === 1,
    streams: head.stream === 1,
  };
}

/** Decodes the metadata of a reply; undefined if the frame is broken. */
export function decodeReplyMetadata(frame: Buffer): ReplyMetadata | undefined {
  const head = parseObject(frame, MAX_METADATA * 2);
  if (head === undefined) return undefined;
  const status = head.status ?? 200;
  const code = head.code ?? '';
  const dispatched = head.dispatched ?? true;
  const more = head.more ?? false;
  const contentType = head.type ?? '';
  if (!isStatus(status) || typeof dispatched !== 'boolean' || typeof more !== 'boolean') return undefined;
  if (!isShortText(code) || !isShortText(contentType)) return undefined;
  const extras = extrasOf(head.ext);
  if (extras === undefined) return undefined;
  const packs = head.pack === 1;
  return { status, code, dispatched, more, contentType, extras, packs, streams: head.stream === 1 };
}

/**
 * Whether a frame after the event data is metadata, readable or not: a JSON object starts with a
 * brace.
 */
export function looksLikeMetadata(frame: Buffer): boolean {
  return /^\s*\{/.test(frame.toString('latin1', 0, 64));
}

/** Whether a text is a valid request id: printable ASCII, at most 255 bytes. */
export function isRequestId(text: string): boolean {
  return text.length <= MAX_REQUEST_ID && /^[\x21-\x7e]*$/.test(text);
}

/** Whether a value is a valid code or media type of a reply: printable ASCII, at most 255 bytes. */
export function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 255 && /^[\x20-\x7e]*$/.test(value);
}

/** Whether a media type means JSON, which is also the default for an empty one. */
export function isJsonType(contentType: string): boolean {
  return contentType === '' || /[/+]json\s*(;|$)/i.test(contentType);
}

/** Whether a value is a valid status of a reply. */
export function isStatus(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599;
}

/**
 * Adds extras to a metadata object. Extras from packed messages are not validated; broken ones are
 * left out.
 */
function withExtras(head: Record<string, unknown>, extras: Buffer): Buffer {
  const ext = extras.length === 0 ? undefined : parseObject(extras, MAX_METADATA * 2);
  return Buffer.from(JSON.stringify(ext === undefined ? head : { ...head, ext }));
}

function extrasOf(value: unknown): Buffer | undefined {
  if (value === undefined) return NO_BYTES;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const bytes = Buffer.from(JSON.stringify(value));
  return bytes.length <= MAX_METADATA ? bytes : undefined;
}
