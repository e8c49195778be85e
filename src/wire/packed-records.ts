/** Records of the packed codec: their kinds, flags and sizes, and how they are written. */
import type { CallParent } from '../core/messages/calls.ts';
import { NO_BYTES, type ReplyMessage, type RequestMessage } from '../core/messages/message.ts';
import { wholeMilliseconds } from '../core/time/whole-milliseconds.ts';
import { putUint16, putUint32 } from './packed-fields.ts';

/** First bytes of a packed frame; classic messages and tokens never start with them. */
export const PACKED_MAGIC: Buffer = Buffer.from([0x00, 0x5a, 0x47, 0x01]);

export const MAGIC_BYTES = 4;

/** Kinds of records. */
export const REQUEST = 1;
export const REPLY = 2;
export const CANCEL = 3;
export const CALL = 4;
export const CHUNK = 5;
export const WINDOW = 6;
export const CALL_WINDOW = 7;

/** Sizes of the fixed fields of a record, in bytes. */
export const REQUEST_HEAD = 23;
export const REPLY_HEAD = 20;
export const CANCEL_HEAD = 10;
export const CALL_HEAD = 10;
export const CHUNK_HEAD = 14;
export const WINDOW_HEAD = 14;
/** Size of the window of a request, which follows its fixed fields. */
export const WINDOW_FIELD = 4;

/**
 * Flags of requests (`IDEMPOTENT`, `UPLOAD`, `HAS_WINDOW`, `TAKES_PROGRESS`), replies (`DISPATCHED`, `MORE`), chunks
 * (`END`), and records with a body (`OWN_FRAME`).
 */
export const IDEMPOTENT = 1;
export const UPLOAD = 4;
export const HAS_WINDOW = 8;
export const TAKES_PROGRESS = 16;
export const END = 1;
export const DISPATCHED = 1;
export const OWN_FRAME = 2;
export const MORE = 4;

export interface PackedRecord {
  readonly kind: number;
  readonly id: number;
  readonly generation: number;
  readonly request: RequestMessage | undefined;
  readonly reply: ReplyMessage | undefined;
  /**
   * Number of the reason of a cancel record, flags of a chunk record, or bytes of a window record.
   */
  readonly why: number;
  /** Where the request of a call record comes from. */
  readonly parent: CallParent | undefined;
  /** Body of a chunk record. */
  readonly chunk: Buffer | undefined;
}

/**
 * Writes the kind, the flags and the token of a record and returns the end. A cancel record consists
 * of these only.
 */
export function writeIds(
  head: Buffer,
  at: number,
  kind: number,
  flags: number,
  record: Pick<PackedRecord, 'id' | 'generation'>,
): number {
  head[at] = kind;
  head[at + 1] = flags;
  putUint32(head, at + 2, record.id);
  putUint32(head, at + 6, record.generation);
  return at + CANCEL_HEAD;
}

/**
 * Writes a request at `from`, after the head of a call if it is one, and returns the end.
 *
 * @param ownFrom size in bytes from which a body is appended to `frames`.
 */
export function writeRequest(
  head: Buffer,
  from: number,
  record: PackedRecord,
  message: RequestMessage,
  ownFrom: number,
  frames: Buffer[],
): number {
  const { requestId, extras, body } = message;
  const own = body.length >= ownFrom;
  const flags = (message.idempotent ? IDEMPOTENT : 0) | (own ? OWN_FRAME : 0) | optionFlags(message);
  const { parent } = record;
  const start = parent === undefined ? from : writeIds(head, from, CALL, parent.depth, parent);
  let at = writeIds(head, start, REQUEST, flags, record);
  putUint32(head, at, Math.min(wholeMilliseconds(message.timeLeft), 0xffffffff));
  head[at + 6] = requestId.length;
  putUint16(head, at + 7, extras.length);
  putUint32(head, at + 9, body.length);
  let nameStart = start + REQUEST_HEAD;
  if (message.window !== undefined) {
    putUint32(head, nameStart, message.window);
    nameStart += WINDOW_FIELD;
  }
  const nameLength = head.write(message.eventName, nameStart);
  putUint16(head, at + 4, nameLength);
  at = nameStart + nameLength;
  if (requestId.length > 0) at += head.write(requestId, at, 'latin1');
  return writeTail(head, at, extras, body, own, frames);
}

function optionFlags({ window, upload, progress }: RequestMessage): number {
  const stream = (window === undefined ? 0 : HAS_WINDOW) | (upload === true ? UPLOAD : 0);
  return progress === true ? stream | TAKES_PROGRESS : stream;
}

/** Writes a chunk at `start` and returns the end. See {@link writeRequest}. */
export function writeChunk(
  head: Buffer,
  start: number,
  record: PackedRecord,
  body: Buffer,
  ownFrom: number,
  frames: Buffer[],
): number {
  const own = body.length >= ownFrom;
  const at = writeIds(head, start, CHUNK, record.why | (own ? OWN_FRAME : 0), record);
  putUint32(head, at, body.length);
  return writeTail(head, start + CHUNK_HEAD, NO_BYTES, body, own, frames);
}

/** Writes a window record, of a request or a call, at `start` and returns the end. */
export function writeWindow(head: Buffer, start: number, record: PackedRecord): number {
  const at = writeIds(head, start, record.kind, 0, record);
  putUint32(head, at, record.why);
  return start + WINDOW_HEAD;
}

/** Writes a reply at `start` and returns the end. See {@link writeRequest}. */
export function writeReply(
  head: Buffer,
  start: number,
  record: PackedRecord,
  message: ReplyMessage,
  ownFrom: number,
  frames: Buffer[],
): number {
  const { code, contentType, extras, body } = message;
  const own = body.length >= ownFrom;
  const flags = (message.dispatched ? DISPATCHED : 0) | (own ? OWN_FRAME : 0) | (message.more ? MORE : 0);
  let at = writeIds(head, start, REPLY, flags, record);
  putUint16(head, at, message.status);
  head[at + 2] = code.length;
  head[at + 3] = contentType.length;
  putUint16(head, at + 4, extras.length);
  putUint32(head, at + 6, body.length);
  at = start + REPLY_HEAD;
  if (code.length > 0) at += head.write(code, at, 'latin1');
  if (contentType.length > 0) at += head.write(contentType, at, 'latin1');
  return writeTail(head, at, extras, body, own, frames);
}

function writeTail(
  head: Buffer,
  start: number,
  extras: Buffer,
  body: Buffer,
  own: boolean,
  frames: Buffer[],
): number {
  let at = start;
  if (extras.length > 0) {
    head.set(extras, at);
    at += extras.length;
  }
  if (own) {
    frames.push(body);
    return at;
  }
  head.set(body, at);
  return at + body.length;
}
