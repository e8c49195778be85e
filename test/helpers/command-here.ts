/**
 * Commands that run in the process of the test, since each start of a process takes a second or more.
 * They share what is global in a process: signals, and the diagnostics channels that metrics count.
 */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { run } from '../../src/cli/program.ts';
import { FREE_PORTS } from './command.ts';
import { emissions, eventually } from './eventually.ts';
import { patientEnvironment } from './patience.ts';
import type { Cleanup } from './scope.ts';

/** Output of a command. */
class Output {
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  private readonly changes = new EventEmitter().setMaxListeners(0);

  context(args: readonly string[]) {
    const add = (to: string[]) => (text: string) => {
      to.push(text);
      this.changes.emit('change');
    };
    return { cwd: process.cwd(), env: patientEnvironment(args), out: add(this.lines), err: add(this.errors) };
  }

  /** Marks the end of the command, after which waiting is in vain. */
  close(code: number): void {
    this.errors.push(`the command ended with exit code ${code}`);
    this.changes.emit('change');
  }

  waitForLine(pattern: RegExp): Promise<string> {
    return this.find(this.lines, pattern);
  }

  private find(texts: string[], pattern: RegExp): Promise<string> {
    const look = () => texts.find((text) => pattern.test(text));
    const what = `${String(pattern)} in the output of a command`;
    return eventually(emissions(this.changes, 'change'), look, what).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${[...this.lines, ...this.errors].join('\n')}`);
    });
  }
}

/** Runs a command until it ends. */
export async function runHere(...args: string[]) {
  const output = new Output();
  const code = await run(args, output.context(args));
  return { code, stdout: output.lines.join('\n'), stderr: output.errors.join('\n') };
}

/** Ends of the long-running commands, which one signal stops. */
const running = new Set<Promise<number>>();

async function stopAll(): Promise<void> {
  if (running.size === 0) return;
  process.emit('SIGTERM', 'SIGTERM');
  const codes = await Promise.all(running);
  assert.deepEqual(new Set(codes), new Set([0]));
}

/** Starts a long-running command. All of them stop when the first of their scopes closes. */
export function startHere(cleanup: Cleanup, args: readonly string[]): Output {
  const output = new Output();
  const ended = run(args, output.context(args));
  running.add(ended);
  void ended.then((code) => {
    running.delete(ended);
    output.close(code);
  });
  cleanup.after(stopAll);
  return output;
}

/** Starts a long-running command, and resolves with its ready line. */
export function readyHere(cleanup: Cleanup, args: readonly string[]): Promise<string> {
  return startHere(cleanup, args).waitForLine(/ is ready: /);
}

/** Starts a router on free ports. */
export function routerHere(cleanup: Cleanup, ...args: string[]): Promise<string> {
  return readyHere(cleanup, ['router', ...FREE_PORTS, ...args]);
}
