/**
 * Streams: replies and request bodies that travel as a sequence of chunks under flow control. The
 * receiver of a stream grants bytes (its window), and the sender stops when it has used them.
 */
import type { InFlight, RequestMessage } from './message.ts';

/** Window for the reply that a caller announces, in bytes, unless it has a reason for another one. */
export const REPLY_WINDOW: number = 256 * 1024;

/** Window for a request body that a worker grants at first, in bytes. */
export const BODY_WINDOW: number = 64 * 1024;

/** Maximum size of the body of a chunk, in bytes. Larger ones would delay the messages of others. */
export const MAX_CHUNK: number = 64 * 1024;

/** Maximum number of streams of a worker that use none of its concurrency, unless it says otherwise. */
export const DEFAULT_MAX_STREAMS: number = 1000;

/** Bytes of the window that a chunk without a body uses, so that the number of chunks is bounded. */
const EMPTY_CHUNK_COST = 64;

/** Maximum number of bytes of a grant and of a window: an unsigned 32-bit number on the wire. */
export const MAX_WINDOW = 0xffff_ffff;

/** The members for streams of an {@link InFlight} whose request has none. */
export const WITHOUT_STREAM: Pick<InFlight, 'grant' | 'sendChunk'> = {
  grant: () => undefined,
  sendChunk: () => undefined,
};

/** The message for a receiver that takes no streams: the reply is sent as a whole. */
export function wholeMessage(message: RequestMessage): RequestMessage {
  const { window, upload, ...whole } = message;
  return window === undefined && upload === undefined ? message : whole;
}

/**
 * Bytes of the window that a chunk uses; the receiver grants as many when it has consumed the chunk.
 */
export function chunkCost(body: Buffer): number {
  return body.length === 0 ? EMPTY_CHUNK_COST : body.length;
}

/**
 * The window of one direction of a stream. The sender may send a chunk while bytes are left, even a
 * larger one: a chunk that may not be split then never waits for a grant that the receiver does not
 * make. The last part of a stream needs no window.
 */
export class StreamWindow {
  private left: number;

  /** @param bytes bytes granted at first. */
  constructor(bytes: number) {
    this.left = bytes;
  }

  /** Whether a chunk may be sent now. */
  get open(): boolean {
    return this.left > 0;
  }

  /** Bytes left; negative after a chunk that was larger than the rest of the window. */
  get bytes(): number {
    return this.left;
  }

  /** Adds bytes that the receiver granted. */
  grant(bytes: number): void {
    this.left = Math.min(this.left + bytes, MAX_WINDOW);
  }

  /** Counts a chunk. Returns false if the window was used up before: the sender exceeded it. */
  take(body: Buffer): boolean {
    const allowed = this.left > 0;
    this.left -= chunkCost(body);
    return allowed;
  }
}
