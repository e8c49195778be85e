/**
 * The packed codec: many records in one frame, only between nodes of this framework
 * (docs/protocol/index.md).
 *
 * Frame 0 consists of the magic bytes and the records. A record omits a body of `OWN_FRAME_BYTES`
 * or more; that body is the next of the following frames. Numbers are unsigned and little-endian.
 *
 * Writers do not check lengths: event names, request ids and extras are validated where requests
 * and replies are created (`toMessage`, the executor). Readers validate everything.
 *
 * ```
 * request  kind=1 flags id:4 generation:4 timeLeft:4 nameLength:2 requestIdLength:1 extrasLength:2 bodyLength:4 [window:4]
 * reply    kind=2 flags id:4 generation:4 status:2 codeLength:1 typeLength:1 extrasLength:2 bodyLength:4
 * cancel   kind=3 why   id:4 generation:4
 * call     kind=4 depth id:4 generation:4, of the request whose handler calls; a request follows
 * chunk    kind=5 flags id:4 generation:4 bodyLength:4, of the body of a request
 * window   kind=6 0     id:4 generation:4 bytes:4, which the receiver may send more of its stream
 * window   kind=7 0     the same, of a call: its id is that of the worker that calls
 * ```
 */
import { isUtf8 } from 'node:buffer';
import type { CallParent } from '../core/messages/calls.ts';
import { CANCEL_REASONS, type CancelReason } from '../core/messages/cancel-reason.ts';
import { NO_BYTES, type ReplyMessage, type RequestMessage } from '../core/messages/message.ts';
import { MAX_EVENT_NAME, MAX_HEAD_BYTES } from './limits.ts';
import { byteAt, FIRST_GRAPHIC, isPrintable, REPLACEMENT, SPACE, uint16, uint32 } from './packed-fields.ts';
import {
  CALL,
  CALL_HEAD,
  CALL_WINDOW,
  CANCEL,
  CANCEL_HEAD,
  CHUNK,
  CHUNK_HEAD,
  DISPATCHED,
  END,
  HAS_WINDOW,
  IDEMPOTENT,
  MAGIC_BYTES,
  MORE,
  OWN_FRAME,
  REPLY,
  REPLY_HEAD,
  REQUEST,
  REQUEST_HEAD,
  TAKES_PROGRESS,
  UPLOAD,
  WINDOW,
  WINDOW_FIELD,
  WINDOW_HEAD,
} from './packed-records.ts';

/** Receives the records of a packed message in order. */
export interface PackedSink {
  packedRequest(id: number, generation: number, message: RequestMessage): void;
  packedReply(id: number, generation: number, message: ReplyMessage): void;
  packedCancel(id: number, generation: number, why: CancelReason): void;
  /** Receives calls. For a sink without it, a message with a call is broken. */
  packedCall?(id: number, generation: number, message: RequestMessage, parent: CallParent): void;
  /** Receives chunks of request bodies. For a sink without it, a message with a chunk is broken. */
  packedChunk?(id: number, generation: number, body: Buffer, end: boolean): void;
  /** Receives grants. For a sink without it, a message with a grant is broken. */
  packedWindow?(id: number, generation: number, bytes: number): void;
  /** Receives grants for streams of calls. For a sink without it, a message with one is broken. */
  packedCallWindow?(id: number, generation: number, bytes: number): void;
}

/**
 * Length of identities that ROUTER sockets generate: a zero byte and a number, which may look like
 * the magic bytes.
 */
const GENERATED_IDENTITY_BYTES = 5;

/** Whether a frame is the first frame of a packed message. */
export function isPacked(frame: Buffer): boolean {
  return (
    frame.length >= MAGIC_BYTES &&
    frame.length !== GENERATED_IDENTITY_BYTES &&
    frame[0] === 0x00 &&
    frame[1] === 0x5a &&
    frame[2] === 0x47 &&
    frame[3] === 0x01
  );
}

/**
 * Reads a packed message whose first frame is `from`. Records before a broken one are delivered.
 *
 * @param maxHead maximum size of the first frame in bytes.
 * @returns false when the message is broken: truncated, too large, with an unknown kind, invalid
 * text, or a missing or extra body frame.
 */
export function readPacked(
  frames: readonly Buffer[],
  from: number,
  sink: PackedSink,
  maxHead = MAX_HEAD_BYTES,
): boolean {
  const head = frames[from];
  if (head === undefined || head.length > maxHead) return false;
  const reader = new RecordReader(head, frames, from + 1);
  while (reader.at < head.length) {
    switch (head[reader.at]) {
      case REQUEST:
        if (!reader.request(sink)) return false;
        break;
      case REPLY:
        if (!reader.reply(sink)) return false;
        break;
      case CANCEL:
        if (!reader.cancel(sink)) return false;
        break;
      case CALL:
        if (!reader.call(sink)) return false;
        break;
      case CHUNK:
        if (!reader.chunk(sink)) return false;
        break;
      case WINDOW:
        if (!reader.window(sink)) return false;
        break;
      case CALL_WINDOW:
        if (!reader.callWindow(sink)) return false;
        break;
      case undefined:
      default:
        return false;
    }
  }
  return reader.nextFrame === frames.length;
}

class RecordReader {
  at = MAGIC_BYTES;
  nextFrame: number;
  private readonly head: Buffer;
  private readonly frames: readonly Buffer[];

  constructor(head: Buffer, frames: readonly Buffer[], nextFrame: number) {
    this.head = head;
    this.frames = frames;
    this.nextFrame = nextFrame;
  }

  request(sink: PackedSink, parent?: CallParent): boolean {
    const { head, at } = this;
    if (at + REQUEST_HEAD > head.length) return false;
    const flags = byteAt(head, at + 1);
    const nameLength = uint16(head, at + 14);
    const idLength = byteAt(head, at + 16);
    const extrasLength = uint16(head, at + 17);
    const bodyLength = uint32(head, at + 19);
    const hasWindow = (flags & HAS_WINDOW) !== 0;
    const nameStart = at + REQUEST_HEAD + (hasWindow ? WINDOW_FIELD : 0);
    const idStart = nameStart + nameLength;
    const extrasStart = idStart + idLength;
    const bodyStart = extrasStart + extrasLength;
    if (nameLength === 0 || nameLength > MAX_EVENT_NAME || bodyStart > head.length) return false;
    const eventName = head.toString('utf8', nameStart, idStart);
    if (eventName.includes(REPLACEMENT) && !isUtf8(head.subarray(nameStart, idStart))) return false;
    if (!isPrintable(head, idStart, extrasStart, FIRST_GRAPHIC)) return false;
    const body = this.body(flags, bodyStart, bodyLength);
    if (body === undefined) return false;
    let message: RequestMessage = {
      eventName,
      body,
      timeLeft: uint32(head, at + 10),
      idempotent: (flags & IDEMPOTENT) !== 0,
      requestId: idLength === 0 ? '' : head.toString('latin1', idStart, extrasStart),
      extras: extrasLength === 0 ? NO_BYTES : head.subarray(extrasStart, bodyStart),
    };
    if (hasWindow) message = { ...message, window: uint32(head, at + REQUEST_HEAD) };
    if ((flags & UPLOAD) !== 0) message = { ...message, upload: true };
    if ((flags & TAKES_PROGRESS) !== 0) message = { ...message, progress: true };
    const id = uint32(head, at + 2);
    const generation = uint32(head, at + 6);
    if (parent === undefined) sink.packedRequest(id, generation, message);
    else sink.packedCall?.(id, generation, message, parent);
    return true;
  }

  call(sink: PackedSink): boolean {
    const { head, at } = this;
    if (sink.packedCall === undefined || head[at + CALL_HEAD] !== REQUEST) return false;
    const depth = byteAt(head, at + 1);
    if (depth === 0) return false;
    this.at = at + CALL_HEAD;
    return this.request(sink, { id: uint32(head, at + 2), generation: uint32(head, at + 6), depth });
  }

  chunk(sink: PackedSink): boolean {
    const { head, at } = this;
    if (sink.packedChunk === undefined || at + CHUNK_HEAD > head.length) return false;
    const flags = byteAt(head, at + 1);
    const body = this.body(flags, at + CHUNK_HEAD, uint32(head, at + 10));
    if (body === undefined) return false;
    sink.packedChunk(uint32(head, at + 2), uint32(head, at + 6), body, (flags & END) !== 0);
    return true;
  }

  window(sink: PackedSink): boolean {
    const { head, at } = this;
    if (sink.packedWindow === undefined || at + WINDOW_HEAD > head.length) return false;
    this.at = at + WINDOW_HEAD;
    sink.packedWindow(uint32(head, at + 2), uint32(head, at + 6), uint32(head, at + 10));
    return true;
  }

  callWindow(sink: PackedSink): boolean {
    const { head, at } = this;
    if (sink.packedCallWindow === undefined || at + WINDOW_HEAD > head.length) return false;
    this.at = at + WINDOW_HEAD;
    sink.packedCallWindow(uint32(head, at + 2), uint32(head, at + 6), uint32(head, at + 10));
    return true;
  }

  reply(sink: PackedSink): boolean {
    const { head, at } = this;
    if (at + REPLY_HEAD > head.length) return false;
    const flags = byteAt(head, at + 1);
    const codeLength = byteAt(head, at + 12);
    const typeLength = byteAt(head, at + 13);
    const extrasLength = uint16(head, at + 14);
    const bodyLength = uint32(head, at + 16);
    const codeStart = at + REPLY_HEAD;
    const typeStart = codeStart + codeLength;
    const extrasStart = typeStart + typeLength;
    const bodyStart = extrasStart + extrasLength;
    if (bodyStart > head.length) return false;
    const status = uint16(head, at + 10);
    if (status < 100 || status > 599 || !isPrintable(head, codeStart, extrasStart, SPACE)) return false;
    const body = this.body(flags, bodyStart, bodyLength);
    if (body === undefined) return false;
    sink.packedReply(uint32(head, at + 2), uint32(head, at + 6), {
      status,
      code: codeLength === 0 ? '' : head.toString('latin1', codeStart, typeStart),
      dispatched: (flags & DISPATCHED) !== 0,
      more: (flags & MORE) !== 0,
      contentType: typeLength === 0 ? '' : head.toString('latin1', typeStart, extrasStart),
      extras: extrasLength === 0 ? NO_BYTES : head.subarray(extrasStart, bodyStart),
      body,
    });
    return true;
  }

  cancel(sink: PackedSink): boolean {
    const { head, at } = this;
    if (at + CANCEL_HEAD > head.length) return false;
    this.at = at + CANCEL_HEAD;
    // An unknown reason comes from a later version.
    const why = CANCEL_REASONS[head[at + 1] ?? 0] ?? 'cancelled';
    sink.packedCancel(uint32(head, at + 2), uint32(head, at + 6), why);
    return true;
  }

  /**
   * Reads the body of the current record and advances to the next one; undefined if the body is
   * missing.
   */
  private body(flags: number, start: number, length: number): Buffer | undefined {
    if ((flags & OWN_FRAME) !== 0) {
      const frame = this.frames[this.nextFrame++];
      if (frame === undefined || frame.length !== length) return undefined;
      this.at = start;
      return frame;
    }
    if (start + length > this.head.length) return undefined;
    this.at = start + length;
    return this.head.subarray(start, start + length);
  }
}
