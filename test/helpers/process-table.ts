/** Reads the state of processes from /proc. */
import { readFileSync } from 'node:fs';
import { eventually, type Subscribe } from './eventually.ts';
import { PATIENCE } from './patience.ts';

/** Looks again every 20 ms: the end of a process that is not a child of this one raises no event. */
const everyMoment: Subscribe = (listener) => {
  const timer = setInterval(listener, 20);
  return () => clearInterval(timer);
};

/** Returns the pids of the processes that the main thread of a process started. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/**
 * Whether a process is running. A process that has ended stays listed until its parent waits for
 * it.
 */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Resolves when none of the processes runs. A killed process may run for a moment after the signal
 * was sent, and after its parent has exited.
 */
export async function ended(pids: readonly number[]): Promise<void> {
  await eventually(everyMoment, () => !pids.some(runs), `the end of processes ${pids.join(', ')}`, PATIENCE);
}
