/** Slices of one step each, which continue when a test calls `run`. */
import { setImmediate as turn } from 'node:timers/promises';

export class SteppedSlices {
  /** Number of slices that ended. */
  count = 0;
  private time = 0;
  private resume: (() => void) | undefined;

  /** Each reading of the clock ends the slice. */
  readonly now = (): number => (this.time += 1000);

  readonly pause = (): Promise<void> => {
    this.count += 1;
    return new Promise((resolve) => {
      this.resume = resolve;
    });
  };

  /** Continues the work until it is done. */
  async run(): Promise<void> {
    while (this.resume !== undefined) {
      const { resume } = this;
      this.resume = undefined;
      resume();
      await turn();
    }
  }
}
