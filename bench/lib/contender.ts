/** A contender: a set of processes that do the same work as the others, and what they do and leave out. */
import { type ProcessSpec, type RunningProcess, startProcess } from './process.ts';

/** Something that takes part in a comparison. */
export interface Contender {
  /** Short name, used in tables and the baseline. */
  readonly name: string;
  /** What it does and does not do beside the work itself; stands beside its figure. */
  readonly does: string;
  /** Why it cannot take part on this machine; undefined when it can. */
  missing?(): string | undefined;
  /** Starts its processes, in order; what is left of a start that failed is ended. */
  start(launch: Launch): Promise<string>;
}

/** Starts one process of a contender and waits until it is ready. */
export type Launch = (spec: ProcessSpec) => Promise<RunningProcess>;

/** A contender that takes requests. */
export interface RunningContender {
  readonly contender: Contender;
  /** Where it takes them: an origin, or an endpoint of ZeroMQ. */
  readonly at: string;
  readonly processes: readonly RunningProcess[];
  stop(): Promise<void>;
}

/** Starts a contender; ends whatever it had started when it fails. */
export async function startContender(contender: Contender): Promise<RunningContender> {
  const processes: RunningProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((running) => running.stop()));
  };
  try {
    const at = await contender.start(async (spec) => {
      const running = await startProcess(spec);
      processes.push(running);
      return running;
    });
    return { contender, at, processes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts contenders, calls `use`, and ends them all, whether it succeeded or not. */
export async function withContenders<T>(
  contenders: readonly Contender[],
  use: (running: RunningContender[]) => Promise<T>,
): Promise<T> {
  const starts = await Promise.allSettled(contenders.map(startContender));
  const running = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  try {
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return await use(running);
  } finally {
    await Promise.all(running.map((each) => each.stop()));
  }
}
