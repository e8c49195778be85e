/**
 * A contender: a set of processes that do the same work as other contenders, and a description of
 * what it includes and omits.
 */
import { type ProcessSpec, type RunningProcess, startProcess } from './process.ts';

/** A participant of a comparison. */
export interface Contender {
  /** Short name, used in tables and the baseline. */
  readonly name: string;
  /** What it includes and omits besides the work itself; shown next to its figures. */
  readonly does: string;
  /** Returns why it cannot run on this machine, or undefined if it can. */
  missing?(): string | undefined;
  /**
   * Starts its processes in order and resolves with the origin or endpoint to send requests to. If
   * it rejects, the processes already started are stopped.
   */
  start(launch: Launch): Promise<string>;
}

/** Starts a process of a contender and waits until it is ready. */
export type Launch = (spec: ProcessSpec) => Promise<RunningProcess>;

/** A contender that accepts requests. */
export interface RunningContender {
  readonly contender: Contender;
  /** An HTTP origin or a ZeroMQ endpoint. */
  readonly at: string;
  readonly processes: readonly RunningProcess[];
  stop(): Promise<void>;
}

/** Starts a contender. If this fails, stops the processes already started. */
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

/** Starts contenders, calls `use`, and stops all of them, even if starting or `use` fails. */
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
