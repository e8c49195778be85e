/**
 * Sends the bytes of a stream in chunks, as far as the caller's window allows.
 *
 * Items that the source yields without waiting share a chunk; what is there is sent as soon as the
 * source waits. Larger bytes are divided. An item of at most 64 KiB is never divided, so that each
 * chunk of events or lines can be read by itself. For a caller that takes no streams, the chunks are
 * collected into a whole reply.
 */
import { NO_BYTES, type ReplyMessage } from '../../core/messages/message.ts';
import { chunkCost, MAX_CHUNK, StreamWindow } from '../../core/messages/stream.ts';
import { type ReplyHead, UnsendableReplyError } from '../encode.ts';
import { ChunkBuffer } from './chunk-buffer.ts';

/** After this many bytes, the event loop gets a turn even if source and caller never wait. */
const TURN_BYTES = 256 * 1024;

/** The function of the system, even while a test runner replaces the global one. */
const nextTurn = setImmediate;

/** Part of a stream without bytes, and its outcome when it succeeds. */
export const SUCCESS: ReplyMessage = {
  status: 200,
  code: '',
  dispatched: true,
  more: false,
  contentType: '',
  extras: NO_BYTES,
  body: NO_BYTES,
};

/** Where the chunks go. */
export interface ChunkTarget {
  /** Bytes that the caller takes before its next grant. 0: it takes only a whole reply. */
  readonly window: number;
  /** Maximum size of a whole reply in bytes. */
  readonly maxBytes: number;
  /** The first chunk follows. */
  started(): void;
  send(chunk: ReplyMessage): void;
  /** Sending failed after `write` had returned. */
  failed(error: unknown): void;
}

export class ChunkSender {
  /** Media type; empty while it is not known. */
  contentType: string;
  /** Whether the first chunk was sent. */
  hasStarted = false;
  private readonly buffer = new ChunkBuffer();
  /** Undefined for a whole reply. */
  private readonly window: StreamWindow | undefined;
  private onWindow: (() => void) | undefined;
  /** Chunks of a whole reply. */
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private turnBytes = 0;
  private flushing = false;
  private closed = false;

  constructor(
    private readonly head: ReplyHead,
    contentType: string,
    private readonly target: ChunkTarget,
  ) {
    this.contentType = contentType;
    this.window = target.window === 0 ? undefined : new StreamWindow(target.window);
  }

  /** Whether the reply is sent whole. */
  get isWhole(): boolean {
    return this.window === undefined;
  }

  /** The caller takes `bytes` more. */
  grant(bytes: number): void {
    this.window?.grant(bytes);
    this.wake();
  }

  /** Sends nothing more, apart from the last part. */
  close(): void {
    this.closed = true;
    this.wake();
  }

  /**
   * Resolves when an item may be written: the window is open, and other work has had its turn.
   * Returns undefined if that is now.
   */
  ready(): Promise<void> | undefined {
    return this.turnBytes < TURN_BYTES && this.isOpen ? undefined : this.waitUntilReady();
  }

  /**
   * Sends an item with the next chunk.
   *
   * @returns a promise if the caller must wait.
   * @throws {UnsendableReplyError} when the stream is too long.
   */
  write(item: string | Buffer): Promise<void> | undefined {
    const size = typeof item === 'string' ? Buffer.byteLength(item) : item.length;
    if (size === 0) {
      this.turnBytes += chunkCost(NO_BYTES);
      return undefined;
    }
    if (this.buffer.size + size > MAX_CHUNK) this.flush();
    if (size > MAX_CHUNK) return this.writeLarge(item);
    this.buffer.add(item, size);
    this.flushLater();
    return undefined;
  }

  /** Sends the status and headers, if they were not sent. */
  open(): void {
    if (!this.hasStarted) this.sendChunk(NO_BYTES);
  }

  /** Sends what is there, as far as the window allows. */
  flush(): void {
    if (this.buffer.size > 0 && (this.window === undefined || this.window.open)) {
      this.sendChunk(this.buffer.take());
    }
  }

  /**
   * Returns the last part, or the whole reply.
   *
   * @param tail bytes after those that were written.
   */
  last(tail: Buffer = NO_BYTES): ReplyMessage {
    const rest = tail.length === 0 ? this.buffer.take() : Buffer.concat([this.buffer.take(), tail]);
    if (this.window === undefined) {
      this.count(rest);
      return this.opening(Buffer.concat([...this.chunks, rest]), false);
    }
    if (this.hasStarted) {
      this.count(rest);
      return { ...SUCCESS, body: rest };
    }
    this.sendChunk(rest);
    return SUCCESS;
  }

  /** @throws {UnsendableReplyError} when the stream is shorter than its headers say. */
  checkLength(): void {
    const { contentLength } = this.head;
    const bytes = this.bytes + this.buffer.size;
    if (contentLength === undefined || bytes >= contentLength) return;
    throw new UnsendableReplyError(
      `the stream has ${bytes} bytes, less than its content-length, ${contentLength}`,
    );
  }

  /** Whether the caller takes more than what is there. */
  private get isOpen(): boolean {
    return this.window === undefined || this.window.bytes > this.buffer.size;
  }

  private async waitUntilReady(): Promise<void> {
    if (this.turnBytes >= TURN_BYTES) {
      this.turnBytes = 0;
      await new Promise((resolve) => nextTurn(resolve));
    }
    for (;;) {
      if (this.closed) return;
      if (!this.isOpen) this.flush();
      if (this.isOpen) return;
      await new Promise<void>((resolve) => {
        this.onWindow = resolve;
      });
    }
  }

  private async writeLarge(item: string | Buffer): Promise<void> {
    const bytes = typeof item === 'string' ? Buffer.from(item) : item;
    for (let from = 0; from < bytes.length; from += MAX_CHUNK) {
      await this.ready();
      if (this.closed) return;
      this.sendChunk(bytes.subarray(from, from + MAX_CHUNK));
    }
  }

  private wake(): void {
    const { onWindow } = this;
    this.onWindow = undefined;
    onWindow?.();
  }

  /** Sends what is there once the source waits: after all microtasks. */
  private flushLater(): void {
    if (this.flushing || this.window === undefined) return;
    this.flushing = true;
    process.nextTick(() => {
      this.flushing = false;
      try {
        if (!this.closed) this.flush();
      } catch (error) {
        this.target.failed(error);
      }
    });
  }

  private sendChunk(body: Buffer): void {
    this.count(body);
    this.turnBytes += chunkCost(body);
    if (this.window === undefined) {
      this.chunks.push(body);
      return;
    }
    this.window.take(body);
    if (this.hasStarted) {
      this.target.send({ ...SUCCESS, more: true, body });
      return;
    }
    this.hasStarted = true;
    this.target.started();
    this.target.send(this.opening(body, true));
  }

  private opening(body: Buffer, more: boolean): ReplyMessage {
    const { status, extras } = this.head;
    return { ...SUCCESS, status, extras, contentType: this.contentType, more, body };
  }

  private count(body: Buffer): void {
    const { contentLength } = this.head;
    const { maxBytes } = this.target;
    this.bytes += body.length;
    if (contentLength !== undefined && this.bytes > contentLength) {
      throw new UnsendableReplyError(`the stream is longer than its content-length, ${contentLength}`);
    }
    if (this.window === undefined && this.bytes > maxBytes) {
      throw new UnsendableReplyError(
        `the stream has more than ${maxBytes} bytes, and the caller takes no streams`,
      );
    }
  }
}
