/**
 * streams: replies and uploads that are longer than one message. Flow control between HTTP and the
 * worker, splitting into items, and checks.
 *
 * Sends a request body in chunks, no faster than the worker takes them.
 */
import { NO_BYTES } from '../../core/messages/message.ts';
import { MAX_CHUNK } from '../../core/messages/stream.ts';
import type { StreamTotals } from '../context/open-streams.ts';

/** What a chunk sender reports to. */
export interface ChunkTarget {
  readonly totals: StreamTotals;
  /** Sends a chunk to the worker. */
  send(body: Buffer, end: boolean): void;
  /** The queue is empty: the worker takes more. */
  onEmpty(): void;
}

/** The chunks of one request body that wait for a grant of the worker. */
export class ChunkSender {
  /** When the worker last took something, by `performance.now()`. */
  takenAt: number = performance.now();
  /** Whether the last chunk was sent. */
  ended = false;
  private readonly queue: Buffer[] = [];
  private window = 0;
  /** Whether a worker holds the request. */
  private isOpen = false;
  private isLast = false;

  constructor(private readonly target: ChunkTarget) {}

  /** Whether bytes wait for the worker. */
  get isWaiting(): boolean {
    return this.queue.length > 0;
  }

  /** Adds bytes. Returns false if they wait for the worker. */
  push(...parts: readonly Buffer[]): boolean {
    for (const part of parts) if (part.length > 0) this.queue.push(part);
    this.flush();
    if (this.queue.length === 0) return true;
    this.target.totals.requestStalls += 1;
    return false;
  }

  /** No bytes follow. */
  end(): void {
    this.isLast = true;
    this.finish();
  }

  /** The worker takes `bytes` more. */
  grant(bytes: number): void {
    this.isOpen = true;
    this.window += bytes;
    this.takenAt = performance.now();
    const wasWaiting = this.queue.length > 0;
    this.flush();
    if (this.queue.length > 0) return;
    if (this.isLast) this.finish();
    else if (wasWaiting) this.target.onEmpty();
  }

  /** Sends the end of the body alone, if the last bytes are sent already. It needs no window. */
  private finish(): void {
    if (this.isOpen && this.queue.length === 0 && !this.ended) this.send(NO_BYTES);
  }

  private flush(): void {
    while (this.queue.length > 0 && this.window > 0) this.send(this.next(Math.min(this.window, MAX_CHUNK)));
  }

  /** Takes up to `limit` bytes from the queue, which is not empty. */
  private next(limit: number): Buffer {
    const parts: Buffer[] = [];
    let length = 0;
    for (let part = this.queue[0]; part !== undefined && length < limit; part = this.queue[0]) {
      const taken = part.subarray(0, limit - length);
      parts.push(taken);
      length += taken.length;
      if (taken.length < part.length) this.queue[0] = part.subarray(taken.length);
      else this.queue.shift();
    }
    const [first = NO_BYTES] = parts;
    return parts.length === 1 ? first : Buffer.concat(parts, length);
  }

  private send(body: Buffer): void {
    const { totals } = this.target;
    this.window -= body.length;
    totals.requestChunks += 1;
    totals.requestBytes += body.length;
    this.ended = this.isLast && this.queue.length === 0;
    this.takenAt = performance.now();
    this.target.send(body, this.ended);
  }
}
