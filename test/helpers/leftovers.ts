/**
 * Fails a test file that leaves something open: timers, sockets, threads, child processes,
 * descriptors (each ZeroMQ socket has some), or unhandled promise rejections. Call
 * `failOnLeftovers()` at the top of the file.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { after, before } from 'node:test';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { Dealer } from 'zeromq';
import { allowed } from './patience.ts';

/** Number of open resources by kind. */
type Census = ReadonlyMap<string, number>;

/** Time, in ms, that resources may take to close after a test; timers that run longer are leaks. */
const CLOSE_TIMEOUT = 3000;

/** Kinds of short operations that end by themselves. */
const SHORT_LIVED = new Set(['Immediate', 'FSReqCallback', 'FSReqPromise', 'CloseReq', 'GetAddrInfoReqWrap']);

/**
 * Registers hooks that compare what is open before the first test of the file with what is open
 * after the last.
 *
 * @param warmUp opens what the process keeps from then on, for example the threads of a native
 * library.
 */
export function failOnLeftovers(warmUp: () => unknown = () => undefined): void {
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown) => rejections.push(reason);
  let start: Census = new Map();

  before(async () => {
    process.on('unhandledRejection', onRejection);
    await startZeroMQThreads();
    await warmUp();
    start = census();
  });

  after(async () => {
    try {
      const left = await leftovers(start);
      assert.deepEqual(left, [], 'left open by the tests of this file');
      assert.deepEqual(rejections, [], 'unhandled promise rejections');
    } finally {
      process.off('unhandledRejection', onRejection);
    }
  });
}

/**
 * Returns what is open now and was not in `start`. Waits until nothing is left, or until `timeout`
 * has passed.
 */
export async function leftovers(start: Census, timeout = allowed(CLOSE_TIMEOUT)): Promise<string[]> {
  const end = performance.now() + timeout;
  for (;;) {
    await turn();
    const left = grown(start, census());
    if (left.length === 0 || performance.now() > end) return left;
    await delay(10); // Descriptors close without an event.
  }
}

/** Counts what this process holds open now. */
export function census(): Census {
  const kinds = [
    ...process.getActiveResourcesInfo().filter((kind) => !SHORT_LIVED.has(kind)),
    ...descriptors(),
    ...children(),
  ];
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

function grown(start: Census, now: Census): string[] {
  return [...now]
    .filter(([kind, count]) => count > (start.get(kind) ?? 0))
    .map(([kind, count]) => `${kind}: ${start.get(kind) ?? 0} → ${count}`);
}

/** Starts the threads of ZeroMQ, which start with the first socket and stay. */
async function startZeroMQThreads(): Promise<void> {
  const socket = new Dealer({ linger: 0 });
  await socket.bind('inproc://warm-up');
  socket.close();
  await delay(20);
}

/** Sockets and event descriptors by kind. Empty on systems without /proc. */
function descriptors(): string[] {
  return list('/proc/self/fd').flatMap((fd) => {
    try {
      const kind = readlinkSync(`/proc/self/fd/${fd}`).replace(/:?\[?\d+\]?$/, '');
      return /socket|eventfd/.test(kind) ? [kind] : [];
    } catch {
      return []; // It has been closed in the meantime.
    }
  });
}

/** Child processes that are still running. A process that has ended has no command line. */
function children(): string[] {
  const pids = list('/proc/self/task').flatMap((task) => read(`/proc/self/task/${task}/children`).split(' '));
  return pids.flatMap((pid) => {
    const command = pid && read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    return command ? [`child process ${pid}: ${command}`] : [];
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // It has ended in the meantime.
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
