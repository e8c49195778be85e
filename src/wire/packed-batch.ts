/** Collects records of the packed codec and encodes them; see `packed.ts`. */
import type { CallParent } from '../core/messages/calls.ts';
import { CANCEL_REASONS, type CancelReason } from '../core/messages/cancel-reason.ts';
import type { ReplyMessage, RequestMessage } from '../core/messages/message.ts';
import { OWN_FRAME_BYTES } from './limits.ts';
import {
  CALL_HEAD,
  CALL_WINDOW,
  CANCEL,
  CANCEL_HEAD,
  CHUNK,
  CHUNK_HEAD,
  END,
  MAGIC_BYTES,
  PACKED_MAGIC,
  type PackedRecord,
  REPLY,
  REPLY_HEAD,
  REQUEST,
  REQUEST_HEAD,
  WINDOW,
  WINDOW_FIELD,
  WINDOW_HEAD,
  writeChunk,
  writeIds,
  writeReply,
  writeRequest,
  writeWindow,
} from './packed-records.ts';

/** Collects the records for one peer in one turn and encodes them together. */
export class PackedBatch {
  private records: PackedRecord[] = [];
  private headBytes = MAGIC_BYTES;
  private ownFrameBytes = 0;

  private readonly ownFrameFrom: number;

  /** @param oneFrame keeps large bodies in the first frame instead of frames of their own. */
  constructor(oneFrame = false) {
    this.ownFrameFrom = oneFrame ? Infinity : OWN_FRAME_BYTES;
  }

  /** Number of records. */
  get size(): number {
    return this.records.length;
  }

  /** Encoded size in bytes, including body frames. */
  get bytes(): number {
    return this.headBytes + this.ownFrameBytes;
  }

  addRequest(id: number, generation: number, request: RequestMessage): void {
    this.pushRequest(id, generation, request, undefined);
  }

  /** Adds a call: a request of a handler. */
  addCall(id: number, generation: number, request: RequestMessage, parent: CallParent): void {
    this.pushRequest(id, generation, request, parent);
    this.headBytes += CALL_HEAD;
  }

  private pushRequest(
    id: number,
    generation: number,
    request: RequestMessage,
    parent: CallParent | undefined,
  ): void {
    this.push(REQUEST, id, generation, 0, request, undefined, parent, undefined);
    this.headBytes +=
      REQUEST_HEAD + Buffer.byteLength(request.eventName) + request.requestId.length + request.extras.length;
    if (request.window !== undefined) this.headBytes += WINDOW_FIELD;
    this.countBody(request.body.length);
  }

  addReply(id: number, generation: number, reply: ReplyMessage): void {
    this.push(REPLY, id, generation, 0, undefined, reply, undefined, undefined);
    this.headBytes += REPLY_HEAD + reply.code.length + reply.contentType.length + reply.extras.length;
    this.countBody(reply.body.length);
  }

  addCancel(id: number, generation: number, reason: CancelReason = 'cancelled'): void {
    const why = CANCEL_REASONS.indexOf(reason);
    this.push(CANCEL, id, generation, why, undefined, undefined, undefined, undefined);
    this.headBytes += CANCEL_HEAD;
  }

  /** Adds a chunk of a request body. `end`: it is the last one. */
  addChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    this.push(CHUNK, id, generation, end ? END : 0, undefined, undefined, undefined, body);
    this.headBytes += CHUNK_HEAD;
    this.countBody(body.length);
  }

  /** Adds a grant: the peer may send `bytes` more of the stream that it sends for the request. */
  addWindow(id: number, generation: number, bytes: number): void {
    this.push(WINDOW, id, generation, bytes, undefined, undefined, undefined, undefined);
    this.headBytes += WINDOW_HEAD;
  }

  /** Adds a grant for a stream of a call. */
  addCallWindow(id: number, generation: number, bytes: number): void {
    this.push(CALL_WINDOW, id, generation, bytes, undefined, undefined, undefined, undefined);
    this.headBytes += WINDOW_HEAD;
  }

  /**
   * Encodes all records as the frames of one message and empties the batch.
   *
   * @param owned allocates separate memory for the first frame, so that it can be transferred to a
   * thread.
   */
  take(owned = false): Buffer[] {
    const head = owned ? Buffer.allocUnsafeSlow(this.headBytes) : Buffer.allocUnsafe(this.headBytes);
    const frames: Buffer[] = [head];
    let at = MAGIC_BYTES;
    head.set(PACKED_MAGIC, 0);
    for (const record of this.records) {
      if (record.request !== undefined) {
        at = writeRequest(head, at, record, record.request, this.ownFrameFrom, frames);
      } else if (record.reply !== undefined) {
        at = writeReply(head, at, record, record.reply, this.ownFrameFrom, frames);
      } else if (record.chunk !== undefined) {
        at = writeChunk(head, at, record, record.chunk, this.ownFrameFrom, frames);
      } else if (record.kind !== CANCEL) at = writeWindow(head, at, record);
      else at = writeIds(head, at, CANCEL, record.why, record);
    }
    this.records = [];
    this.headBytes = MAGIC_BYTES;
    this.ownFrameBytes = 0;
    return frames;
  }

  private push(
    kind: number,
    id: number,
    generation: number,
    why: number,
    request: RequestMessage | undefined,
    reply: ReplyMessage | undefined,
    parent: CallParent | undefined,
    chunk: Buffer | undefined,
  ): void {
    this.records.push({ kind, id, generation, why, request, reply, parent, chunk });
  }

  private countBody(length: number): void {
    if (length >= this.ownFrameFrom) this.ownFrameBytes += length;
    else this.headBytes += length;
  }
}
