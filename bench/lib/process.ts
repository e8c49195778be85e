/**
 * The harness of the benchmarks: processes, load, CPU time, interleaved rounds, reports.
 *
 * This file starts the processes of a contender and always ends them, by pid. Each process is
 * tracked from spawn to exit, and those still running when the harness ends are killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { treeOf } from './proc-fs.ts';

/** How to start a process, and how to detect that it accepts requests. */
export interface ProcessSpec {
  /** Name in the reports, such as `gateway`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Pattern for the lines of the output. The first match becomes `RunningProcess.ready`. */
  readonly ready: RegExp;
  /** Opens an IPC channel, for drivers that receive commands. */
  readonly ipc?: boolean;
}

/** A process that accepts requests. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  /** The match of `ProcessSpec.ready`. */
  readonly ready: RegExpExecArray;
  readonly child: ChildProcess;
  /**
   * Sends SIGTERM, then SIGKILL after a grace period. Resolves when the process and its children
   * have ended.
   */
  stop(): Promise<void>;
}

const GRACE = 3000;
const READY_TIMEOUT = 60_000;
const KEPT_OUTPUT = 4000;

const alive = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of alive) kill(child, 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143));
}

/** Number of processes that were started and have not ended. */
export function aliveCount(): number {
  return alive.size;
}

/**
 * Starts a process and waits for its ready line, at most a minute.
 *
 * @throws {Error} with the end of its output when the process ends before its ready line, or when
 * the line does not appear in time.
 */
export async function startProcess(spec: ProcessSpec): Promise<RunningProcess> {
  const child = spawn(spec.command, spec.args, {
    env: { ...process.env, NODE_ENV: 'production', ...spec.env },
    stdio: ['ignore', 'pipe', 'pipe', ...(spec.ipc === true ? (['ipc'] as const) : [])],
  });
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  const ready = await readyLine(child, spec).catch(async (error: unknown) => {
    await end(child);
    throw error;
  });
  return { name: spec.name, pid: child.pid ?? 0, ready, child, stop: () => end(child) };
}

function readyLine(child: ChildProcess, spec: ProcessSpec): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let kept = '';
    let done = false;
    const fail = (what: string): void => {
      done = true;
      clearTimeout(timer);
      reject(new Error(`${spec.name} (${spec.command} ${spec.args.join(' ')}) ${what}\n${kept}`));
    };
    const timer = setTimeout(() => fail('was not ready in time'), READY_TIMEOUT);
    const take = (chunk: Buffer): void => {
      // Later output is read as well, so that the process never blocks on a full pipe.
      if (done) return;
      kept = (kept + chunk.toString()).slice(-KEPT_OUTPUT);
      for (const line of kept.split('\n').slice(0, -1)) {
        const match = spec.ready.exec(line);
        if (match === null) continue;
        done = true;
        clearTimeout(timer);
        resolve(match);
        return;
      }
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      if (!done) fail(`ended with ${String(code ?? signal)} before it was ready`);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const tree = treeOf(child.pid);
  const gone = once(child, 'exit');
  kill(child, 'SIGTERM');
  const timer = setTimeout(() => kill(child, 'SIGKILL'), GRACE);
  await gone;
  clearTimeout(timer);
  for (const pid of tree.slice(1)) killPid(pid);
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  child.kill(signal);
}

function killPid(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has ended already.
  }
}
