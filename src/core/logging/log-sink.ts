/**
 * Where log lines go. Sinks never block the event loop: lines wait in memory while a disk or a reader is slow, up to a
 * bound, then they are dropped and counted.
 */
import { fstatSync, write, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { Ring } from '../collections/ring.ts';
import { systemClock } from '../time/clock.ts';

const writeAsync = promisify(write);

/** A place for log lines; pino writes to it. */
export interface LogSink {
  /** Takes a line with its line feed. Never throws, never blocks. */
  write(line: string): void;
  /** Lines dropped so far. */
  readonly dropped: number;
  /** Writes what waits before the process ends. */
  flushSync(): void;
  /** Writes what waits and lets go; lines that come later are ignored. */
  close(): Promise<void>;
}

/** Characters that may wait in a sink by default. */
export const SINK_LIMIT = 8 * 1024 * 1024;

/** Lines are joined up to about this many characters a write. */
const WRITE_LENGTH = 64 * 1024;

/** How long closing waits for a reader that is slow; ms. */
const CLOSE_TIMEOUT = 1000;

/** Counts lost lines and words the line that tells of them. */
class DropCounter {
  total = 0;
  /** Those that a line has told of. */
  reported = 0;

  /** The line to write when there is room again; empty when none was lost since the last one. */
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
  /** Losses that had been told of before it: if it is lost too, what it tells is still to be told. */
  readonly reported: number;
}

/** Writes to a file descriptor on libuv's thread pool, one write at a time. */
export class DescriptorSink implements LogSink {
  private readonly lines = new Ring<string>();
  private readonly losses = new DropCounter();
  private waiting = 0;
  private closed = false;
  private pump: Promise<void> | undefined;
  /** Taken off the queue, and not given to the system yet. */
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

  /** Called before a write, with its length in bytes. */
  protected prepare(_length: number): Promise<void> {
    return Promise.resolve();
  }

  /** A write failed; so many lines are lost. */
  protected failed(_error: unknown, lines: number): void {
    this.losses.total += lines;
  }

  /** Writes until nothing waits. Starts at the end of the turn, so that the lines of one turn travel together. */
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

  private lost(error: unknown, { lines, reported: told }: Batch): void {
    this.losses.reported = told;
    this.failed(error, lines);
  }

  /** Takes the next lines off the queue, joined; undefined when there are none. */
  private take(): Batch | undefined {
    let text = '';
    let lines = 0;
    for (let line = this.lines.shift(); line !== undefined; line = this.lines.shift()) {
      text += line;
      lines += 1;
      if (text.length >= WRITE_LENGTH) break;
    }
    this.waiting -= text.length;
    const { reported: told } = this.losses;
    text += this.losses.report();
    return text === '' ? undefined : { bytes: Buffer.from(text), lines, reported: told };
  }
}

/**
 * Writes to process.stdout or process.stderr where it is a pipe, or in a thread: Node does not block on these, and a reader
 * that has stopped reading must not keep the process from ending.
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
    // What the system has room for is already written.
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

/** The sink for a standard stream of the process, whatever it leads to. */
export function standardSink(name: 'stdout' | 'stderr', limit?: number): LogSink {
  const descriptor = name === 'stdout' ? 1 : 2;
  if (isMainThread) {
    const kind = fstatSync(descriptor);
    if (kind.isFile() || kind.isCharacterDevice()) return new DescriptorSink(descriptor, limit);
  }
  return new StreamSink(process[name], limit);
}
