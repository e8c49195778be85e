/** Reads the state of processes from /proc. */
import { readFileSync } from 'node:fs';

/** Returns the pids of the processes that the main thread of a process started. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/**
 * Whether a process is running. A process that has ended stays listed until its parent waits for
 * it.
 */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
