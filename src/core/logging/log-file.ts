/**
 * core/logging: the `Logger` interface, log files, the console, levels and redaction of secrets.
 */

/**
 * The log file of a process, with the naming, rotation and retention of the Python original:
 * `debug_<YYYY-MM-DD_HH-MM-SS>.log`, a new file when one is full, and old files removed.
 *
 * The package `pino-roll` 4.0.0 puts a counter into every name, where the original has the time, and
 * removes old files by number and not by age.
 */
import { close, fstat, mkdirSync, open, openSync } from 'node:fs';
import { mkdir, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isCode } from '../identity/file-lock.ts';
import { toError, ZeroMQConfigError } from '../messages/errors.ts';
import type { Clock } from '../time/clock.ts';
import { DescriptorSink } from './log-sink.ts';

/** Names of log files of this process and of earlier ones. */
const LOG_FILE = /^debug_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d.*\.log$/;

const openAsync = promisify(open);
const closeAsync = promisify(close);
const fstatAsync = promisify(fstat);

export interface LogFileOptions {
  /** Maximum size of a file in bytes; then a new file is started. */
  readonly maxSize: number;
  /** Files whose last write is older than this are removed, in milliseconds. */
  readonly retention: number;
  /** Maximum number of buffered characters. */
  readonly limit: number;
  readonly clock: Clock;
}

export class LogFile extends DescriptorSink {
  private size = 0;
  private sweepDue = true;
  private warned = false;

  private constructor(
    private readonly folder: string,
    private readonly options: LogFileOptions,
    private current: string,
    descriptor: number,
  ) {
    super(descriptor, options.limit);
  }

  /**
   * Creates a log file in a folder, and the folder if it is missing.
   *
   * @throws {ZeroMQConfigError} when the file cannot be created.
   */
  static open(folder: string, options: LogFileOptions): LogFile {
    try {
      mkdirSync(folder, { recursive: true });
      for (const path of freshNames(folder, options.clock)) {
        try {
          return new LogFile(folder, options, path, openSync(path, 'ax'));
        } catch (error) {
          if (!isCode(error, 'EEXIST')) throw error;
        }
      }
      throw new Error('all names for a log file are taken');
    } catch (error) {
      throw new ZeroMQConfigError(`cannot log to ${folder}: ${toError(error).message}`, { cause: error });
    }
  }

  /** Path of the current file. */
  get path(): string {
    return this.current;
  }

  override async close(): Promise<void> {
    await super.close();
    if (this.descriptor < 0) return;
    const descriptor = this.descriptor;
    this.descriptor = -1;
    await closeAsync(descriptor);
  }

  protected override async prepare(length: number): Promise<void> {
    const full = this.size > 0 && this.size + length > this.options.maxSize;
    if (await this.isGone()) await this.rotate();
    else if (full) await this.rotate().catch((error: unknown) => this.failed(error, 0));
    this.size += length;
    if (this.sweepDue) await this.sweep();
  }

  /** Warns once on stderr that the log has gaps. Later lines are tried again. */
  protected override failed(error: unknown, lines: number): void {
    super.failed(error, lines);
    if (this.warned) return;
    this.warned = true;
    process.stderr.write(`cannot write to the log ${this.current}: ${toError(error).message}\n`);
  }

  /** Whether the file was removed, perhaps with its folder: lines written to it would be lost. */
  private async isGone(): Promise<boolean> {
    return (await fstatAsync(this.descriptor)).nlink === 0;
  }

  /** Starts a new file. Throws if none can be created; the old one then stays in use. */
  private async rotate(): Promise<void> {
    this.size = 0;
    this.sweepDue = true;
    await mkdir(this.folder, { recursive: true });
    for (const path of freshNames(this.folder, this.options.clock)) {
      try {
        const old = this.descriptor;
        this.descriptor = await openAsync(path, 'ax');
        this.current = path;
        this.warned = false;
        await closeAsync(old);
        return;
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
      }
    }
  }

  /** Removes old log files of any process. */
  private async sweep(): Promise<void> {
    this.sweepDue = false;
    const names = await readdir(this.folder).catch(() => []);
    const oldest = this.options.clock.wall() - this.options.retention;
    for (const path of names.filter((name) => LOG_FILE.test(name)).map((name) => join(this.folder, name))) {
      if (path === this.current) continue;
      const modified = await stat(path).then(
        (found) => found.mtimeMs,
        () => Infinity,
      );
      // Another process may have removed it, or removal may be forbidden: the next sweep tries
      // again.
      if (modified < oldest) await unlink(path).catch(() => undefined);
    }
  }
}

/**
 * Yields names for a new file, in local time. Later names have a number, for processes started in
 * the same second.
 */
function* freshNames(folder: string, clock: Clock): Generator<string> {
  const now = new Date(clock.wall());
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const time = `${two(now.getHours())}-${two(now.getMinutes())}-${two(now.getSeconds())}`;
  const stem = join(folder, `debug_${date}_${time}`);
  yield `${stem}.log`;
  for (let number = 1; number < 10_000; number += 1) yield `${stem}.${number}.log`;
}
