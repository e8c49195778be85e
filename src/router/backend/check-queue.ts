/** Checks of large contracts: one runs at a time, in slices between which the router does its other work. */
import { runInSlices, type SliceOptions, type Steps } from '../../core/time/steps.ts';

/** How checks are cut into slices. */
export type CheckSlices = Pick<SliceOptions, 'now' | 'pause'>;

export class CheckQueue {
  /** Starts each check that waits for its turn, in the order they came: each peer has one at most. */
  private readonly waiting = new Set<() => void>();
  private running: string | undefined;

  /**
   * @param finished called after each check, before the next one starts.
   * @param slices how the work is cut.
   */
  constructor(
    private readonly finished: () => void,
    private readonly slices: CheckSlices = {},
  ) {}

  /** Whether a contract of that name is being checked. */
  isRunning(name: string): boolean {
    return this.running === name;
  }

  /**
   * Runs a check in its turn.
   * @param begin called when it is its turn.
   * @param signal takes the check out of the queue, or stops it before its next slice.
   * @returns its result; undefined when it was aborted.
   */
  run<T>(name: string, begin: () => Steps<T>, signal: AbortSignal): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const abandon = (): void => {
        if (this.waiting.delete(start)) resolve(undefined);
      };
      const start = (): void => {
        signal.removeEventListener('abort', abandon);
        this.running = name;
        runInSlices(begin(), { ...this.slices, signal })
          .catch((error: unknown) => {
            if (!signal.aborted) throw error;
            return undefined;
          })
          .finally(() => this.end())
          .then(resolve, reject);
      };
      signal.addEventListener('abort', abandon, { once: true });
      this.waiting.add(start);
      this.next();
    });
  }

  private end(): void {
    this.running = undefined;
    this.finished();
    this.next();
  }

  private next(): void {
    if (this.running !== undefined) return;
    for (const start of this.waiting) {
      this.waiting.delete(start);
      return start();
    }
  }
}
