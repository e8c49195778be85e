/** Samples of memory and open descriptors of processes over time. */
import { readdirSync } from 'node:fs';
import { usageOf } from '../../bench/lib/proc-fs.ts';
import type { Cluster } from './cluster.ts';

/** A sample of one process. */
export interface Sample {
  /** Seconds after the start. */
  readonly at: number;
  /** Resident memory in MiB. */
  readonly memory: number;
  /** Open descriptors: files, sockets, pipes. */
  readonly handles: number;
}

/** Growth of a measured value of a process. */
export interface Growth {
  /** Mean of the second quarter of the run. The first quarter is warm-up. */
  readonly before: number;
  /** Mean of the last quarter. */
  readonly after: number;
}

/** Samples of all processes by name. */
export class Samples {
  readonly all = new Map<string, Sample[]>();
  private readonly start = performance.now();

  constructor(private readonly cluster: Cluster) {}

  /** Samples every running process. */
  take(): void {
    const at = (performance.now() - this.start) / 1000;
    for (const { name, running } of this.cluster.members) {
      const handles = running === undefined ? undefined : countHandles(running.pid);
      if (running === undefined || handles === undefined) continue;
      const series = this.all.get(name) ?? [];
      this.all.set(name, series);
      series.push({ at, memory: usageOf(running.pid).rss / 2 ** 20, handles });
    }
  }
}

/** Returns the growth of a series from its second quarter to its last. */
export function growthOf(series: readonly Sample[], measure: 'memory' | 'handles'): Growth {
  const quarter = Math.floor(series.length / 4);
  const mean = (from: number, to: number): number => {
    const part = series.slice(from, Math.max(to, from + 1));
    return part.reduce((sum, sample) => sum + sample[measure], 0) / part.length;
  };
  return {
    before: mean(quarter, 2 * quarter),
    after: mean(series.length - Math.max(1, quarter), series.length),
  };
}

/** Slope of a process's memory in the second half of a run, in MiB per minute (least squares). */
export function slopeOf(series: readonly Sample[]): number {
  const half = series.slice(Math.floor(series.length / 2));
  const mean = (pick: (sample: Sample) => number): number =>
    half.reduce((sum, sample) => sum + pick(sample), 0) / half.length;
  const middle = mean(({ at }) => at);
  const level = mean(({ memory }) => memory);
  let above = 0;
  let below = 0;
  for (const { at, memory } of half) {
    above += (at - middle) * (memory - level);
    below += (at - middle) ** 2;
  }
  return below === 0 ? 0 : (60 * above) / below;
}

/** Number of open descriptors of a process (Linux); undefined if the process has ended. */
function countHandles(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}
