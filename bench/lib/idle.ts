/** Waits until contenders have finished what they do after their replies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { usageOf } from './proc-fs.ts';
import type { RunningProcess } from './process.ts';

/** Time between two measurements, in ms. */
const INTERVAL = 500;
/** CPU time per interval below which a contender is idle, in microseconds. */
const IDLE = 50_000;
/** Maximum time to wait, in ms. */
const PATIENCE = 60_000;

/** Resolves when the processes use hardly any CPU time, at most after a minute. */
export async function untilIdle(processes: readonly RunningProcess[]): Promise<void> {
  const used = (): number => processes.reduce((sum, { pid }) => sum + usageOf(pid).cpu, 0);
  const end = performance.now() + PATIENCE;
  let before = used();
  while (performance.now() < end) {
    await sleep(INTERVAL);
    const now = used();
    if (now - before < IDLE) return;
    before = now;
  }
}
