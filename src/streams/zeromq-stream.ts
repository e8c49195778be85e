/** A streamed reply, as `ZeroMQClient.stream` and `HandlerContext.stream` return it. */

import type { ItemDecoder } from './item-decoders.ts';
import type { NextChunk, ReplyChunks } from './reply-chunks.ts';

/** Head of a streamed reply. */
export interface StreamHead {
  readonly eventName: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
}

/** What a streamed reply reads from. */
export interface ReplySource {
  readonly chunks: ReplyChunks;
  /** Creates the decoder of its items. */
  readonly decoder: () => ItemDecoder;
  /** Cancels the request. */
  cancel(): void;
}

/**
 * A streamed reply: an async iterable of its items. Items are {@link StreamEvent}s of
 * `text/event-stream`, values of NDJSON and JSON, and else Buffers. The worker sends no more than the
 * reader takes. Leaving the loop cancels the request.
 *
 * @typeParam Item type of its items.
 * @example
 * ```ts
 * const stream = await client.stream('clock.watch', { seconds: 10 });
 * for await (const tick of stream) console.log(tick);
 * ```
 */
export class ZeroMQStream<Item = unknown> implements AsyncIterable<Item>, AsyncDisposable {
  /** Name of the event that was called. */
  readonly eventName: string;
  /** HTTP status that the handler set. */
  readonly status: number;
  /** HTTP headers that the handler set, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Media type of the bytes; empty for JSON that is not a stream. */
  readonly contentType: string;
  private readonly source: ReplySource;
  private read = false;

  /** @internal */
  constructor({ eventName, status, headers, contentType }: StreamHead, source: ReplySource) {
    this.eventName = eventName;
    this.status = status;
    this.headers = headers;
    this.contentType = contentType;
    this.source = source;
  }

  /**
   * Iterates over the items. A stream can be read once, as items or as bytes.
   *
   * @throws {TypeError} when the stream was read before.
   * @throws {ZeroMQError} from the iterator, with the code of the failure, when the stream fails.
   */
  [Symbol.asyncIterator](): AsyncIterator<Item, void, undefined> {
    return this.items(this.open()) as AsyncIterator<Item, void, undefined>;
  }

  /**
   * Iterates over the bytes as they arrive.
   *
   * @throws {TypeError} when the stream was read before.
   * @throws {ZeroMQError} from the iterator, with the code of the failure, when the stream fails.
   */
  bytes(): AsyncIterableIterator<Buffer> {
    return this.buffers(this.open());
  }

  /** Cancels the request, unless the stream has ended. A reader gets what has arrived, then `CANCELLED`. */
  cancel(): void {
    this.source.cancel();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.leave();
    return Promise.resolve();
  }

  private open(): ReplyChunks {
    if (this.read) throw new TypeError('a stream can be read once');
    this.read = true;
    return this.source.chunks;
  }

  private async *items(chunks: ReplyChunks): AsyncGenerator<unknown, void, undefined> {
    const decoder = this.source.decoder();
    try {
      for (let next: NextChunk = await chunks.next(); next !== undefined; next = await chunks.next()) {
        yield* decoder.read(next.bytes);
      }
      yield* decoder.end();
    } finally {
      this.leave();
    }
  }

  private async *buffers(chunks: ReplyChunks): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (let next: NextChunk = await chunks.next(); next !== undefined; next = await chunks.next()) {
        yield next.bytes;
      }
    } finally {
      this.leave();
    }
  }

  private leave(): void {
    this.source.cancel();
    this.source.chunks.discard();
  }
}
