/**
 * Payloads of queued requests: copied out of the batch they came in, so that a request that waits does not hold
 * a whole batch in memory, and packed close, because a buffer of its own costs more than most payloads.
 */
import { NO_BYTES, type RequestMessage } from '../../core/messages/message.ts';

/** Largest payload that shares a chunk with others. */
const SMALL = 2048;
/** A queue as long as this has chunks of its own: what waits in it leaves at about the same time. */
const CROWD = 16;
const SHARED_CHUNK = 4096;
const OWN_CHUNK = 16 * 1024;
/** Flat charge for what a queued request takes beside its payload; measured, and rounded up. */
const OVERHEAD = 512;

/** Memory that is cut into small copies, one after the other. */
export class Slab {
  private chunk: Buffer = NO_BYTES;
  private used = 0;

  /** A copy of `bytes`, in a chunk of `chunkSize` bytes. */
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

  /** Lets go of the chunk; copies made of it stay as they are. */
  release(): void {
    this.chunk = NO_BYTES;
    this.used = 0;
  }
}

const shared = new Slab();

/** What a request counts for in the bound on queued bytes: its payload, and a flat charge for the rest. */
export function sizeOf(message: RequestMessage, envelope: readonly Buffer[] | undefined): number {
  let size = OVERHEAD + message.body.length + message.extras.length + message.requestId.length;
  size += message.eventName.length;
  if (envelope !== undefined) for (const frame of envelope) size += frame.length;
  return size;
}

/**
 * The message as it should wait in a queue: with the event's own copy of the name, and with payloads that
 * hold no memory but their own.
 */
export function detached(message: RequestMessage, name: string, slab: Slab, crowd: number): RequestMessage {
  return {
    eventName: name,
    body: detachedBytes(message.body, slab, crowd),
    timeLeft: message.timeLeft,
    idempotent: message.idempotent,
    requestId: message.requestId,
    extras: detachedBytes(message.extras, slab, crowd),
  };
}

function detachedBytes(bytes: Buffer, slab: Slab, crowd: number): Buffer {
  if (bytes.length === 0) return NO_BYTES;
  if (bytes.length <= SMALL) {
    return crowd < CROWD ? shared.copy(bytes, SHARED_CHUNK) : slab.copy(bytes, OWN_CHUNK);
  }
  if (bytes.buffer.byteLength <= bytes.length * 2) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
