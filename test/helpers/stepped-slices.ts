/** Slices of one step each, which go on when a test says so. */
import { setImmediate as turn } from 'node:timers/promises';

export class SteppedSlices {
  /** Slices that ended. */
  count = 0;
  private time = 0;
  private resume: (() => void) | undefined;

  /** Every look at the clock finds that a slice is over. */
  readonly now = (): number => (this.time += 1000);

  readonly pause = (): Promise<void> => {
    this.count += 1;
    return new Promise((resolve) => {
      this.resume = resolve;
    });
  };

  /** Lets the work go on until it is done. */
  async run(): Promise<void> {
    while (this.resume !== undefined) {
      const { resume } = this;
      this.resume = undefined;
      resume();
      await turn();
    }
  }
}
