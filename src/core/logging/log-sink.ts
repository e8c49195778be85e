/**
 * Destinations for log lines. Sinks never block the event loop: while a disk or reader is slow,
 * lines are buffered in memory up to a limit, then dropped and counted.
 *
 * The package `sonic-boom` has such a limit too. But it has no step before a write, in which
 * `LogFile` finds that the file is full or was removed, and it does not log how many lines were
 * dropped.
 */
import { fstatSync, write, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { Ring } from '../collections/ring.ts';
import { systemClock } from '../time/clock.ts';

const writeAsync = promisify(write);

/** A destination for log lines; pino writes to it. */
export interface LogSink {
  /** Accepts a line with its line feed. Never throws and never blocks. */
  write(line: string): void;
  /** Number of dropped lines. */
  readonly dropped: number;
  /** Writes the buffer synchronously before the process exits. */
  flushSync(): void;
  /** Writes the buffer and releases the destination. Later lines are ignored. */
  close(): Promise<void>;
}

/** Default limit of the buffer, in characters. */
export const SINK_LIMIT = 8 * 1024 * 1024;

/** Lines are joined into writes of up to about this many characters. */
const WRITE_LENGTH = 64 * 1024;

/** Maximum wait for a slow reader on close, in milliseconds. */
const CLOSE_TIMEOUT = 1000;

/** Counts dropped lines and formats the line that reports them. */
class DropCounter {
  total = 0;
  /** Dropped lines that were already reported. */
  reported = 0;

  /**
   * The report to write when there is space again; empty if no line was dropped since the last one.
   */
  report(): string {
    const dropped = this.total - this.reported;
    if (dropped === 0) return '';
    this.reported = this.total;
    const time = new Date().toISOString();
    return `${JSON.stringify({ level: 'warn', time, pid: process.pid, dropped, msg: 'log lines were dropped' })}\n`;
  }
}

/** Lines that are written together. */
interface Batch {
  readonly bytes: Buffer;
  readonly lines: number;
  /** Reported losses before this batch. If the batch is lost too, its report must be repeated. */
  readonly reported: number;
}

/** Writes to a file descriptor on libuv's thread pool, one write at a time. */
export class DescriptorSink implements LogSink {
  private readonly lines = new Ring<string>();
  private readonly losses = new DropCounter();
  private waiting = 0;
  private closed = false;
  private pump: Promise<void> | undefined;
  /** Removed from the queue but not written yet. */
  private currentBatch: Batch | undefined;

  constructor(
    protected descriptor: number,
    private readonly limit = SINK_LIMIT,
  ) {}

  get dropped(): number {
    return this.losses.total;
  }

  write(line: string): void {
    if (this.closed) return;
    if (this.waiting + line.length > this.limit) {
      this.losses.total += 1;
      return;
    }
    this.lines.push(line);
    this.waiting += line.length;
    this.pump ??= this.run();
  }

  flushSync(): void {
    for (let batch = this.currentBatch ?? this.take(); batch !== undefined; batch = this.take()) {
      this.currentBatch = undefined;
      const { bytes } = batch;
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(this.descriptor, bytes, at);
      } catch (error) {
        this.lost(error, batch);
        if (this.lines.length === 0) break;
      }
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.pump;
  }

  /** Called before each write, with its length in bytes. */
  protected prepare(_length: number): Promise<void> {
    return Promise.resolve();
  }

  /** Called when a write failed, with the number of lost lines. */
  protected failed(_error: unknown, lines: number): void {
    this.losses.total += lines;
  }

  /**
   * Writes until the queue is empty. Starts at the end of the turn, to join the lines of one turn.
   */
  private async run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    for (let batch = this.take(); batch !== undefined; batch = this.take()) {
      const { bytes } = batch;
      this.currentBatch = batch;
      try {
        await this.prepare(bytes.length);
        this.currentBatch = undefined;
        for (let at = 0; at < bytes.length; ) {
          at += (await writeAsync(this.descriptor, bytes, at)).bytesWritten;
        }
      } catch (error) {
        this.currentBatch = undefined;
        this.lost(error, batch);
        if (this.lines.length === 0) break;
      }
    }
    this.pump = undefined;
  }

  private lost(error: unknown, { lines, reported }: Batch): void {
    this.losses.reported = reported;
    this.failed(error, lines);
  }

  /** Removes the next lines from the queue and joins them; undefined when the queue is empty. */
  private take(): Batch | undefined {
    let text = '';
    let lines = 0;
    for (let line = this.lines.shift(); line !== undefined; line = this.lines.shift()) {
      text += line;
      lines += 1;
      if (text.length >= WRITE_LENGTH) break;
    }
    this.waiting -= text.length;
    const { reported } = this.losses;
    text += this.losses.report();
    return text === '' ? undefined : { bytes: Buffer.from(text), lines, reported };
  }
}

/**
 * Writes to `process.stdout` or `process.stderr` when it is a pipe, or in a thread. Node.js does
 * not block on these, and a stalled reader must not keep the process from exiting.
 */
export class StreamSink implements LogSink {
  private readonly losses = new DropCounter();
  private closed = false;
  private readonly onError = (): void => {
    this.closed = true;
  };

  constructor(
    private readonly stream: Writable,
    private readonly limit = SINK_LIMIT,
  ) {
    stream.on('error', this.onError);
  }

  get dropped(): number {
    return this.losses.total;
  }

  write(line: string): void {
    if (this.closed) return;
    if (this.stream.writableLength + line.length > this.limit) this.losses.total += 1;
    else this.stream.write(this.losses.report() + line);
  }

  flushSync(): void {
    // Data that fits into the system's buffer has already been written.
  }

  async close(): Promise<void> {
    if (!this.closed && this.stream.writableLength > 0) {
      await new Promise<void>((resolve) => {
        const cancel = systemClock.after(CLOSE_TIMEOUT, resolve);
        this.stream.write(this.losses.report(), () => {
          cancel();
          resolve();
        });
      });
    }
    this.closed = true;
    this.stream.off('error', this.onError);
  }
}

/** Creates the sink for a standard stream of the process, suited to its kind. */
export function standardSink(name: 'stdout' | 'stderr', limit?: number): LogSink {
  const descriptor = name === 'stdout' ? 1 : 2;
  if (isMainThread) {
    const kind = fstatSync(descriptor);
    if (kind.isFile() || kind.isCharacterDevice()) return new DescriptorSink(descriptor, limit);
  }
  return new StreamSink(process[name], limit);
}
