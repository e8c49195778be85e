/** Checks the types of a project in the background, with the TypeScript of the project. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';

/** The lines of the compiler that are not about errors. */
const CYCLE_BEGINS = /(?:Starting compilation in watch mode|File change detected\. Starting incremental)/;
const CYCLE_ENDS = /Found (\d+) errors?\. Watching for file changes\./;

/** An error of a file: `workers/shop.ts:3:5 - error TS2322: …`. */
const ERROR = /^(.+?):\d+:\d+ - error TS\d+:/;

/** How long after a change the compiler begins a check at the latest, in ms. It waits 250 ms. */
const BEGIN_WAIT = 1000;

/** How long a check may take, in ms. A reload waits no longer. */
const CHECK_WAIT = 30_000;

/** How long the compiler may take to end after SIGTERM, in ms. */
const END_GRACE = 500;

export interface TypeCheckOptions {
  /** Folder of the project, with `tsconfig.json`. */
  readonly cwd: string;
  readonly colours: boolean;
  /** Called after each check that found errors, with their lines. */
  onErrors(count: number, lines: readonly string[]): void;
  /** Called after the first check without errors that follows one with errors. */
  onFixed(): void;
  /** Called once if types cannot be checked, with the reason. */
  onUnavailable(reason: string): void;
}

/** Runs `tsc --watch` of the project. */
export class TypeCheck {
  private readonly child: ChildProcess | undefined;
  private lines: string[] = [];
  private wrong: ReadonlySet<string> = new Set();
  private hadErrors = false;
  private closing = false;
  /** Whether a check is running. */
  private checking = true;
  private ended = false;
  private readonly changes = new EventEmitter().setMaxListeners(0);

  constructor(private readonly options: TypeCheckOptions) {
    const { cwd } = options;
    const compiler = compilerOf(cwd);
    if (!existsSync(path.join(cwd, 'tsconfig.json'))) {
      options.onUnavailable('the folder has no tsconfig.json');
    } else if (compiler === undefined) {
      options.onUnavailable('the package typescript is not installed; run npm install --save-dev typescript');
    } else this.child = this.start(compiler);
    this.ended = this.child === undefined;
  }

  /**
   * Resolves with the files that have type errors, once the changes until now have been checked. A
   * file that is not part of the project causes no check; it has no errors.
   */
  async filesWithErrors(): Promise<ReadonlySet<string>> {
    await this.until(() => !this.checking, CHECK_WAIT);
    await this.until(() => this.checking, BEGIN_WAIT);
    await this.until(() => !this.checking, CHECK_WAIT);
    return this.ended ? new Set() : this.wrong;
  }

  /** Ends the compiler. */
  async close(): Promise<void> {
    this.closing = true;
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), END_GRACE);
    await exit;
    clearTimeout(timer);
  }

  private start(compiler: string): ChildProcess {
    const { cwd } = this.options;
    const onUnavailable = (reason: string): void => this.options.onUnavailable(reason);
    const flags = ['--noEmit', '--watch', '--preserveWatchOutput', '--pretty', '--locale', 'en'];
    const child = spawn(process.execPath, [compiler, ...flags], {
      cwd,
      // An open stdin: some compilers end with the end of it.
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.line(line));
    child.on('error', (error) => onUnavailable(error.message));
    child.on('exit', (code) => {
      this.ended = true;
      this.changes.emit('change');
      // A signal of the terminal ends the compiler as well.
      if (this.closing || code === null) return;
      onUnavailable(`the compiler ended with exit code ${code}\n${this.lines.join('\n')}`);
    });
    return child;
  }

  private line(text: string): void {
    const plain = stripVTControlCharacters(text);
    if (CYCLE_BEGINS.test(plain)) {
      this.lines = [];
      this.checking = true;
      this.changes.emit('change');
      return;
    }
    const count = CYCLE_ENDS.exec(plain)?.[1];
    if (count === undefined) this.lines.push(this.options.colours ? text : plain);
    else this.checked(Number(count));
  }

  private checked(count: number): void {
    const { options } = this;
    const lines = this.lines.join('\n').trim().split('\n');
    this.lines = [];
    this.wrong = new Set(lines.flatMap((line) => this.fileOf(line) ?? []));
    this.checking = false;
    this.changes.emit('change');
    if (count > 0) options.onErrors(count, lines);
    else if (this.hadErrors) options.onFixed();
    this.hadErrors = count > 0;
  }

  /** File of the error in a line. */
  private fileOf(line: string): string | undefined {
    const [, name] = ERROR.exec(stripVTControlCharacters(line)) ?? [];
    if (name === undefined) return undefined;
    const file = path.resolve(this.options.cwd, name);
    return existsSync(file) ? realpathSync(file) : file;
  }

  /** Resolves when a condition holds, the compiler has ended, or the time is over. */
  private async until(condition: () => boolean, timeout: number): Promise<void> {
    const signal = AbortSignal.timeout(timeout);
    while (!condition() && !this.ended && !signal.aborted)
      await once(this.changes, 'change', { signal }).catch(() => undefined);
  }
}

/** Path of the compiler of a project; undefined if it has none. */
function compilerOf(cwd: string): string | undefined {
  try {
    const about = createRequire(path.join(cwd, 'package.json')).resolve('typescript/package.json');
    const { bin } = JSON.parse(readFileSync(about, 'utf8')) as { bin: Record<string, string> };
    return bin['tsc'] === undefined ? undefined : path.join(path.dirname(about), bin['tsc']);
  } catch {
    return undefined;
  }
}
