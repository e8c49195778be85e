/** The chunks of a streamed reply on the way to their reader. Grants bytes as the reader takes them. */
import type { ReplyMessage } from '../core/messages/message.ts';
import { chunkCost } from '../core/messages/stream.ts';

/** The next bytes, or the end. */
export type NextChunk = { readonly bytes: Buffer } | undefined;

interface Waiting {
  resolve(next: NextChunk): void;
  reject(error: unknown): void;
}

export class ReplyChunks {
  private readonly queue: Buffer[] = [];
  private waiting: Waiting | undefined;
  private ended = false;
  private error: unknown;
  /** Bytes that the reader took and that were not granted yet. */
  private taken = 0;

  /**
   * @param window window of the reply; a quarter of it is granted at a time.
   * @param grant lets the worker send more.
   */
  constructor(
    private readonly window: number,
    private readonly grant: (bytes: number) => void,
  ) {}

  /** Whether the last part has arrived, or the stream failed. */
  get done(): boolean {
    return this.ended;
  }

  /** Adds a chunk. */
  push({ body }: ReplyMessage): void {
    if (this.ended) return;
    if (this.waiting === undefined) this.queue.push(body);
    else this.hand(this.waiting, body);
  }

  /** Adds the last part. */
  end(body: Buffer): void {
    if (this.ended) return;
    if (body.length > 0) this.push({ body } as ReplyMessage);
    this.ended = true;
    this.waiting?.resolve(undefined);
    this.waiting = undefined;
  }

  /** Ends the stream with an error, after the chunks that have arrived. */
  fail(error: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    this.waiting?.reject(error);
    this.waiting = undefined;
  }

  /** Drops what has arrived. */
  discard(): void {
    this.queue.length = 0;
  }

  /** The next chunk; undefined at the end. */
  next(): Promise<NextChunk> {
    const bytes = this.queue.shift();
    if (bytes !== undefined) {
      this.take(bytes);
      return Promise.resolve({ bytes });
    }
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it may be the reason of a signal
    if (this.error !== undefined) return Promise.reject(this.error);
    if (this.ended) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  private hand(waiting: Waiting, bytes: Buffer): void {
    this.waiting = undefined;
    this.take(bytes);
    waiting.resolve({ bytes });
  }

  private take(bytes: Buffer): void {
    this.taken += chunkCost(bytes);
    if (this.taken * 4 < this.window || this.ended) return;
    const { taken } = this;
    this.taken = 0;
    this.grant(taken);
  }
}
