/**
 * Payloads of queued requests. They are copied out of the batch that they arrived in, so that a
 * queued request does not keep the batch in memory. Small ones share chunks, because a separate
 * buffer costs more than most payloads.
 */
import { NO_BYTES, type RequestMessage } from '../../core/messages/message.ts';

/** Largest payload that shares a chunk with others, in bytes. */
const MAX_SHARED_PAYLOAD = 2048;
/**
 * Queue length from which a queue has chunks of its own: requests in a long queue leave at about
 * the same time.
 */
const MIN_OWN_CHUNK_LENGTH = 16;
const SHARED_CHUNK = 4096;
const OWN_CHUNK = 16 * 1024;
/** Bytes charged for a queued request besides its payload; measured, and rounded up. */
const OVERHEAD = 512;

/** A chunk of memory cut into consecutive small copies. */
export class Slab {
  private chunk: Buffer = NO_BYTES;
  private used = 0;

  /** Copies `bytes` into a chunk of `chunkSize` bytes. */
  copy(bytes: Buffer, chunkSize: number): Buffer {
    const start = this.used;
    const end = start + bytes.length;
    if (end > this.chunk.length) {
      this.chunk = Buffer.allocUnsafeSlow(chunkSize);
      this.used = 0;
      return this.copy(bytes, chunkSize);
    }
    this.used = end;
    const copy = this.chunk.subarray(start, end);
    copy.set(bytes);
    return copy;
  }

  /** Releases the chunk; copies made from it stay valid. */
  release(): void {
    this.chunk = NO_BYTES;
    this.used = 0;
  }
}

const shared = new Slab();

/** Bytes that a request counts for in the bound on queued bytes: its payload and a fixed charge. */
export function sizeOf(message: RequestMessage, envelope: readonly Buffer[] | undefined): number {
  let size = OVERHEAD + message.body.length + message.extras.length + message.requestId.length;
  size += message.eventName.length;
  if (envelope !== undefined) for (const frame of envelope) size += frame.length;
  return size;
}

/**
 * The message to keep in a queue: with the event's own copy of its name, and with payloads that
 * keep no other memory alive.
 */
export function detached(message: RequestMessage, name: string, slab: Slab, crowd: number): RequestMessage {
  const copy: RequestMessage = {
    eventName: name,
    body: detachedBytes(message.body, slab, crowd),
    timeLeft: message.timeLeft,
    idempotent: message.idempotent,
    requestId: message.requestId,
    extras: detachedBytes(message.extras, slab, crowd),
  };
  const { window, upload, progress } = message;
  const streamed = window === undefined && upload === undefined ? copy : { ...copy, window, upload };
  return progress === true ? { ...streamed, progress } : streamed;
}

function detachedBytes(bytes: Buffer, slab: Slab, crowd: number): Buffer {
  if (bytes.length === 0) return NO_BYTES;
  if (bytes.length <= MAX_SHARED_PAYLOAD) {
    return crowd < MIN_OWN_CHUNK_LENGTH ? shared.copy(bytes, SHARED_CHUNK) : slab.copy(bytes, OWN_CHUNK);
  }
  if (bytes.buffer.byteLength <= bytes.length * 2) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
