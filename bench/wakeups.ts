/**
 * `npm run bench:wakeups`: what one round trip costs each process when there is one at a time. Counts
 * how often each thread sleeps, and the system calls with strace if it is installed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startContender } from './lib/contender.ts';
import { ask, untilServed } from './lib/driver.ts';
import { hasCommand, type LoadResult } from './lib/load.ts';
import type { RunningProcess } from './lib/process.ts';
import { oneAtATime } from './scenarios/router.ts';

const SECONDS = 3;
/** Counts for each round trip below this are left out: heartbeats, metrics, garbage collection. */
const RARE = 0.05;

/** Counts of a process by name of a thread or a system call. */
type Counts = ReadonlyMap<string, number>;

/** How often each thread of a process has slept so far, by its name. */
function sleepsOf(pid: number): Counts {
  const sleeps = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1');
    const name = /^Name:\s+(.*)$/m.exec(status)?.[1] ?? thread;
    const count = Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1]);
    sleeps.set(name, (sleeps.get(name) ?? 0) + count);
  }
  return sleeps;
}

/** Counts system calls of a process until the returned function is called. */
async function traceCalls(pid: number, folder: string): Promise<() => Promise<Counts>> {
  const file = path.join(folder, `${pid}.txt`);
  const strace = spawn('strace', ['-f', '-c', '-o', file, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await once(strace.stderr, 'data'); // "Process PID attached"
  return async () => {
    strace.kill('SIGINT');
    await once(strace, 'exit');
    const rows = readFileSync(file, 'utf8').matchAll(
      /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$/gm,
    );
    return new Map(
      [...rows].flatMap(([, calls, name]) => (name === 'total' ? [] : [[name ?? '', Number(calls)]])),
    );
  };
}

function show(name: string, counts: Counts, requests: number): void {
  const entries = [...counts].map(([key, count]) => [key, count / requests] as const);
  const shown = entries.filter(([, each]) => each >= RARE).sort(([, a], [, b]) => b - a);
  console.log(`  ${name.padEnd(24)} ${shown.map(([key, each]) => `${key} ${each.toFixed(2)}`).join(', ')}`);
}

/** Runs the load, and returns its result. */
type Load = () => Promise<LoadResult>;

async function showSleeps(processes: readonly RunningProcess[], load: Load): Promise<void> {
  const before = processes.map(({ pid }) => sleepsOf(pid));
  const { requests, p50 } = await load();
  console.log(`  p50 ${(p50 * 1000).toFixed(0)} µs`);
  for (const [index, { name, pid }] of processes.entries()) {
    const slept = [...sleepsOf(pid)].map(
      ([thread, count]) => [thread, count - (before[index]?.get(thread) ?? 0)] as const,
    );
    show(`${name}, sleeps`, new Map(slept), requests);
  }
}

async function showCalls(processes: readonly RunningProcess[], load: Load): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'wakeups-'));
  try {
    const traces = [];
    for (const { pid } of processes) traces.push(await traceCalls(pid, folder));
    const { requests } = await load();
    for (const [index, { name }] of processes.entries())
      show(`${name}, system calls`, (await traces[index]?.()) ?? new Map(), requests);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const traced = hasCommand('strace');
if (!traced) console.log('System calls are not counted: strace is not installed.');
for (const contender of oneAtATime) {
  console.log(`\n${contender.name}, for each round trip`);
  const running = await startContender(contender);
  try {
    const client = running.processes.find(({ name }) => name === 'client');
    if (client === undefined) continue;
    await untilServed(client);
    const load = (): Promise<LoadResult> => ask(client, { window: 1, seconds: SECONDS });
    await load();
    await showSleeps(running.processes, load);
    if (traced) await showCalls(running.processes, load);
  } finally {
    await running.stop();
  }
}
