/**
 * Fails a test file that leaves something behind: timers, sockets, threads, child processes, descriptors (each ZeroMQ
 * socket holds some), or promises rejected with nobody listening. Call `failOnLeftovers()` at the top of the file.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { after, before } from 'node:test';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { Dealer } from 'zeromq';

/** Counts by kind, of whatever keeps a process busy. */
type Census = ReadonlyMap<string, number>;

/** Time that closing may take: libzmq gives descriptors back from a thread of its own; ms. */
const SETTLE = 3000;

/** Kinds of work that comes and goes by itself. */
const PASSING = new Set(['Immediate', 'FSReqCallback', 'FSReqPromise', 'CloseReq', 'GetAddrInfoReqWrap']);

/**
 * Registers hooks that compare what is open before the file's first test with what is open after its last.
 *
 * @param starts starts what the process keeps once it has it: the threads of a native library, for one.
 */
export function failOnLeftovers(starts: () => unknown = () => undefined): void {
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown) => rejections.push(reason);
  let start: Census = new Map();

  before(async () => {
    process.on('unhandledRejection', onRejection);
    await warmUp();
    await starts();
    start = census();
  });

  after(async () => {
    try {
      const left = await leftovers(start);
      assert.deepEqual(left, [], 'left open by the tests of this file');
      assert.deepEqual(rejections, [], 'promises rejected with nobody listening');
    } finally {
      process.off('unhandledRejection', onRejection);
    }
  });
}

/** What is open now and was not in `start`, once it has had time to close; empty as soon as nothing is left. */
export async function leftovers(start: Census, settle = SETTLE): Promise<string[]> {
  const end = performance.now() + settle;
  for (;;) {
    await turn();
    const left = grown(start, census());
    if (left.length === 0 || performance.now() > end) return left;
    await delay(10); // descriptors close without an event
  }
}

/** What this process holds open now. */
export function census(): Census {
  const kinds = [
    ...process.getActiveResourcesInfo().filter((kind) => !PASSING.has(kind)),
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

/** ZeroMQ's own threads start with the first socket and stay. */
async function warmUp(): Promise<void> {
  const socket = new Dealer({ linger: 0 });
  await socket.bind('inproc://warm-up');
  socket.close();
  await delay(20);
}

/** Sockets and event descriptors, by kind; none where the system has no /proc. */
function descriptors(): string[] {
  return list('/proc/self/fd').flatMap((fd) => {
    try {
      const kind = readlinkSync(`/proc/self/fd/${fd}`).replace(/:?\[?\d+\]?$/, '');
      return /socket|eventfd/.test(kind) ? [kind] : [];
    } catch {
      return []; // closed meanwhile
    }
  });
}

/** Processes that this one started and that still run; one that has ended has no command line any more. */
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
    return ''; // it ended meanwhile
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
