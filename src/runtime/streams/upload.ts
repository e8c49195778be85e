/**
 * The body of an upload, as a handler reads it. The caller sends only what the window allows: 64 KiB
 * when the handler starts, and more once it reads. What the handler does not read is not sent.
 */
import { BODY_WINDOW, chunkCost, StreamWindow } from '../../core/messages/stream.ts';
import { WindowBudget, WindowGrowth } from '../../core/messages/window-growth.ts';

/** Bytes that the caller may be ahead of a handler that reads, until the window grows. */
const READING_WINDOW = 256 * 1024;

/** All uploads of a thread share it. */
const budget = new WindowBudget();

export class UploadBody implements AsyncIterable<Buffer> {
  /** Received chunks; those before `taken` were read. */
  private readonly chunks: Buffer[] = [];
  private taken = 0;
  /** Bytes that the caller may still send. */
  private readonly window = new StreamWindow(0);
  private readonly growth = new WindowGrowth(budget);
  /** Bytes that were received and not read. */
  private waiting = 0;
  private unreported = 0;
  private complete = false;
  private failure: Error | undefined;
  private isRead = false;
  private onChange: (() => void) | undefined;

  /** @param grant lets the caller send more bytes. */
  constructor(private readonly grant: (bytes: number) => void) {}

  /** The handler starts: the caller may send. */
  open(): void {
    this.widen(BODY_WINDOW);
  }

  /** Receives a chunk. */
  push(body: Buffer, end: boolean): void {
    if (this.complete || this.failure !== undefined) return;
    if (!this.window.take(body) && !end) {
      this.fail(new Error('the caller sent more of the body than its window allows'));
      return;
    }
    this.waiting += chunkCost(body);
    if (body.length > 0) this.chunks.push(body);
    else this.consumed(body);
    this.complete = end;
    if (end) this.growth.release();
    this.changed();
  }

  /** Ends the body: reading throws, and later chunks are dropped. */
  fail(error: Error): void {
    if (this.failure !== undefined) return;
    if (this.complete && this.chunks.length === 0) return;
    this.failure = error;
    this.chunks.length = 0;
    this.taken = 0;
    this.growth.release();
    this.changed();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, undefined> {
    if (this.isRead) throw new Error('the body of the request was already read');
    this.isRead = true;
    this.widen(READING_WINDOW - BODY_WINDOW);
    try {
      for (;;) {
        const chunk = this.take();
        if (chunk !== undefined) yield chunk;
        else if (this.failure !== undefined) throw this.failure;
        else if (this.complete) return;
        else await this.change();
      }
    } finally {
      this.fail(new Error('the handler no longer reads the body'));
    }
  }

  private take(): Buffer | undefined {
    const chunk = this.chunks[this.taken];
    if (chunk === undefined) return undefined;
    this.taken += 1;
    if (this.taken === this.chunks.length) {
      this.chunks.length = 0;
      this.taken = 0;
    }
    this.consumed(chunk);
    return chunk;
  }

  private change(): Promise<void> {
    return new Promise((resolve) => {
      this.onChange = resolve;
    });
  }

  private widen(bytes: number): void {
    if (this.complete || this.failure !== undefined) return;
    this.window.grant(bytes);
    this.grant(bytes);
  }

  private consumed(chunk: Buffer): void {
    const cost = chunkCost(chunk);
    this.waiting -= cost;
    this.unreported += cost;
    if (this.unreported < this.growth.step || this.complete) return;
    const bytes = this.growth.grantFor(this.unreported, this.waiting);
    this.unreported = 0;
    if (bytes > 0) this.widen(bytes);
  }

  private changed(): void {
    const { onChange } = this;
    this.onChange = undefined;
    onChange?.();
  }
}

/** The body of a request without an upload. */
export const NO_BODY: AsyncIterable<Buffer> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};
