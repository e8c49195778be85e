/**
 * Child processes of tests: driven line by line, ended by pid when the test ends.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { emissions, eventually, PATIENCE, within } from './eventually.ts';
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

/** Time that a process has to go by itself once its stdin closed and it got SIGTERM, before it is killed; ms. */
const GRACE = 2000;

export class RunningProcess {
  /** Lines of stdout so far. */
  readonly lines: string[] = [];
  /** Settles when the process has gone and its output is read. */
  readonly exited: Promise<Exit>;
  /** All of stderr so far. */
  stderr = '';
  private ended: Exit | undefined;
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;

  constructor(command: string, args: readonly string[], options: ProcessOptions = {}) {
    const { cwd, env } = options;
    this.child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe' });
    this.child.stdin.on('error', () => undefined); // it may go before it has read everything
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
    this.exited.catch(() => this.changes.emit('change')); // whoever awaits it hears of it
  }

  get pid(): number {
    const { pid } = this.child;
    if (pid === undefined) throw new Error(`not started: ${this.child.spawnfile}`);
    return pid;
  }

  /** Resolves to the first line, from line `from` on, that matches; fails at once when the process ends without it. */
  waitForLine(matches: RegExp | ((line: string) => boolean), timeout = PATIENCE, from = 0): Promise<string> {
    const test = matches instanceof RegExp ? (line: string) => matches.test(line) : matches;
    let seen = from;
    const look = () => {
      for (; seen < this.lines.length; seen += 1) {
        const line = this.lines[seen];
        if (line !== undefined && test(line)) return { line };
      }
      if (this.ended) throw new Error(`ended without the line awaited: ${this.describe()}`);
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

  /** Resolves once stderr matches; fails at once when the process ends without that. */
  async waitForError(matches: RegExp, timeout = PATIENCE): Promise<void> {
    const look = () => {
      if (matches.test(this.stderr)) return true;
      if (this.ended) throw new Error(`ended without the message awaited: ${this.describe()}`);
      return false;
    };
    await eventually(
      emissions(this.changes, 'change'),
      look,
      `stderr that matches ${String(matches)}`,
      timeout,
    );
  }

  /** Calls `listener` for each line to come. */
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

  /** Ends it: politely at first. */
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
