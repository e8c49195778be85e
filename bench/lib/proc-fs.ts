/** CPU time and memory of processes, read from /proc on Linux. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Resource usage of a process and its children. */
export interface Usage {
  /** CPU time of all threads, user and system, in microseconds. */
  readonly cpu: number;
  /** Resident memory in bytes. */
  readonly rss: number;
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const PAGE_BYTES = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));
const TICK = 1e6 / TICKS_PER_SECOND;

/** Fields of /proc/PID/stat from the third on, see proc(5); undefined if the process has ended. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Returns the ids of a process and all its descendants, its own first. */
export function treeOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const fields = Number.isInteger(pid) ? statOf(pid) : undefined;
    if (fields !== undefined) parents.set(pid, Number(fields[1]));
  }
  const tree = [root];
  for (let at = 0; at < tree.length; at += 1) {
    for (const [pid, parent] of parents) if (parent === tree[at]) tree.push(pid);
  }
  return tree;
}

/**
 * Returns the usage of a process and its descendants so far. It includes children that have ended
 * and were waited for.
 */
export function usageOf(root: number): Usage {
  let ticks = 0;
  let pages = 0;
  for (const pid of treeOf(root)) {
    const fields = statOf(pid);
    if (fields === undefined) continue;
    // utime, stime, cutime, cstime, and further on rss.
    ticks += Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
    pages += Number(fields[21]);
  }
  return { cpu: ticks * TICK, rss: pages * PAGE_BYTES };
}

/** CPU time of the whole machine so far, in ticks. */
export interface MachineTime {
  readonly total: number;
  /** Time in which the hypervisor ran something else. */
  readonly stolen: number;
}

/** Returns the CPU time of the machine from /proc/stat. */
export function machineTime(): MachineTime {
  const line = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? '';
  // user, nice, system, idle, iowait, irq, softirq, steal; guest time is part of user.
  const fields = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { total: fields.reduce((sum, each) => sum + each, 0), stolen: fields[7] ?? 0 };
}
