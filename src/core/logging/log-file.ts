/**
 * The log file of a process, as the Python original keeps it: `debug_<YYYY-MM-DD_HH-MM-SS>.log`, a new one when it has
 * grown, old ones removed.
 */
import { close, fstat, mkdirSync, open, openSync } from 'node:fs';
import { mkdir, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isCode } from '../identity/file-lock.ts';
import { toError, ZeroMQConfigError } from '../messages/errors.ts';
import type { Clock } from '../time/clock.ts';
import { DescriptorSink } from './log-sink.ts';

/** Names of log files of this and of earlier processes. */
const LOG_FILE = /^debug_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d.*\.log$/;

const openAsync = promisify(open);
const closeAsync = promisify(close);
const fstatAsync = promisify(fstat);

export interface LogFileOptions {
  /** Bytes after which a new file is begun. */
  readonly maxSize: number;
  /** Age in ms, by the time of last writing, at which files are removed. */
  readonly retention: number;
  /** Characters that may wait to be written. */
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
   * Begins a new file in the folder, which is made when it is missing.
   *
   * @throws ZeroMQConfigError when that cannot be done.
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
      throw new Error('no name is left for a log file');
    } catch (error) {
      throw new ZeroMQConfigError(`cannot log to ${folder}: ${toError(error).message}`, { cause: error });
    }
  }

  /** The file that is written now. */
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

  /** Says once on stderr that the log has gaps; the next lines are tried again. */
  protected override failed(error: unknown, lines: number): void {
    super.failed(error, lines);
    if (this.warned) return;
    this.warned = true;
    process.stderr.write(`cannot write to the log ${this.current}: ${toError(error).message}\n`);
  }

  /** Somebody removed the file, perhaps with its folder: what is written to it is lost. */
  private async isGone(): Promise<boolean> {
    return (await fstatAsync(this.descriptor)).nlink === 0;
  }

  /** Goes on in a new file. Where none can be made it throws, and the old one stays. */
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

  /** Removes files of any process that nobody has written to for long. */
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
      // Another process may remove it first, or forbid it: then it stays for the next time.
      if (modified < oldest) await unlink(path).catch(() => undefined);
    }
  }
}

/** Names for a file that begins now, in local time; processes that begin in the same second number theirs. */
function* freshNames(folder: string, clock: Clock): Generator<string> {
  const now = new Date(clock.wall());
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const time = `${two(now.getHours())}-${two(now.getMinutes())}-${two(now.getSeconds())}`;
  const stem = join(folder, `debug_${date}_${time}`);
  yield `${stem}.log`;
  for (let number = 1; number < 10_000; number += 1) yield `${stem}.${number}.log`;
}
