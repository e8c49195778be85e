/** Checks large contracts one at a time, in slices between which the router does its other work. */
import { runInSlices, type SliceOptions, type Steps } from '../../core/time/steps.ts';

/** How checks are cut into slices. */
export type CheckSlices = Pick<SliceOptions, 'now' | 'pause'>;

export class CheckQueue {
  /** Starters of queued checks, in order of arrival; at most one per peer. */
  private readonly waiting = new Set<() => void>();
  private running: string | undefined;

  /**
   * @param finished called after each check, before the next one starts.
   * @param slices how checks are cut into slices.
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
   * Queues a check.
   *
   * @param begin called when its turn comes.
   * @param signal removes the check from the queue, or stops it before its next slice.
   * @returns the result of the check; undefined if it was aborted.
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
