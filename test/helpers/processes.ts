/** Child processes of tests: driven line by line, and ended by pid with the test. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { emissions, eventually, within } from './eventually.ts';
import { PATIENCE } from './patience.ts';
import type { Cleanup } from './scope.ts';

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  cwd?: string;
  /** Added to the environment of the test. */
  env?: NodeJS.ProcessEnv;
}

/**
 * Time in ms that a process has to exit after its stdin was closed and it received SIGTERM. Then it
 * is killed.
 */
const GRACE = PATIENCE / 30;

export class RunningProcess {
  /** Lines of stdout so far. */
  readonly lines: string[] = [];
  /** Resolves when the process has ended and its output has been read. */
  readonly exited: Promise<Exit>;
  /** All of stderr so far. */
  stderr = '';
  private ended: Exit | undefined;
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;

  constructor(command: string, args: readonly string[], options: ProcessOptions = {}) {
    const { cwd, env } = options;
    this.child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe' });
    this.child.stdin.on('error', () => undefined); // The process may exit before it has read everything.
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.changes.emit('change');
    });
    const reader = createInterface({ input: this.child.stdout, crlfDelay: Infinity });
    reader.on('line', (line) => {
      this.lines.push(line);
      this.changes.emit('line', line);
      this.changes.emit('change');
    });
    const read = new Promise((resolve) => reader.once('close', resolve));
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', (error) => {
        this.ended = { code: null, signal: null };
        this.stderr += String(error);
        reject(error);
      });
      this.child.once('close', (code, signal) => {
        void read.then(() => {
          this.ended = { code, signal };
          this.changes.emit('change');
          resolve(this.ended);
        });
      });
    });
    this.exited.catch(() => this.changes.emit('change')); // The code that awaits `exited` handles the rejection.
  }

  get pid(): number {
    const { pid } = this.child;
    if (pid === undefined) throw new Error(`the process did not start: ${this.child.spawnfile}`);
    return pid;
  }

  /**
   * Resolves with the first line, from line `from` on, that matches. Rejects at once if the process
   * ends without it.
   */
  waitForLine(matches: RegExp | ((line: string) => boolean), timeout = PATIENCE, from = 0): Promise<string> {
    const test = matches instanceof RegExp ? (line: string) => matches.test(line) : matches;
    let seen = from;
    const look = () => {
      for (; seen < this.lines.length; seen += 1) {
        const line = this.lines[seen];
        if (line !== undefined && test(line)) return { line };
      }
      if (this.ended) throw new Error(`the process ended without the expected line: ${this.describe()}`);
      return undefined;
    };
    const what = `a line that matches ${matches instanceof RegExp ? String(matches) : 'a condition'}`;
    return eventually(emissions(this.changes, 'change'), look, what, timeout).then(
      ({ line }) => line,
      (error: unknown) => {
        throw new Error(`${String(error)}; ${this.describe()}`);
      },
    );
  }

  /**
   * Resolves when stderr matches, from its character `from` on. Rejects at once if the process ends
   * without a match.
   */
  async waitForError(matches: RegExp, timeout = PATIENCE, from = 0): Promise<void> {
    const look = () => {
      if (matches.test(this.stderr.slice(from))) return true;
      if (this.ended) throw new Error(`the process ended without the expected message: ${this.describe()}`);
      return false;
    };
    await eventually(
      emissions(this.changes, 'change'),
      look,
      `stderr that matches ${String(matches)}`,
      timeout,
    );
  }

  /** Calls `listener` for each line from now on. */
  onLine(listener: (line: string) => void): void {
    this.changes.on('line', listener);
  }

  write(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  closeInput(): void {
    this.child.stdin.end();
  }

  /** Sends a signal to this process, by its pid. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): boolean {
    return this.ended === undefined && this.child.kill(signal);
  }

  /** Ends the process: closes stdin and sends SIGTERM first, then SIGKILL. */
  async end(): Promise<void> {
    this.closeInput();
    this.kill('SIGCONT');
    this.kill('SIGTERM');
    try {
      await within(this.exited, 'the end of a process', GRACE);
    } catch {
      this.kill('SIGKILL');
      await this.exited.catch(() => undefined);
    }
  }

  private describe(): string {
    const end = this.ended ? `exit ${this.ended.code ?? this.ended.signal}` : 'running';
    return `${this.child.spawnargs.join(' ')} (${end})\n${this.lines.slice(-20).join('\n')}\n${this.stderr.slice(-2000)}`;
  }
}

/** Starts a process that ends with the test. */
export function startProcess(
  cleanup: Cleanup,
  command: string,
  args: readonly string[],
  options?: ProcessOptions,
): RunningProcess {
  const started = new RunningProcess(command, args, options);
  cleanup.after(() => started.end());
  return started;
}
