/** Repeats an asynchronous task. */
import type { Cancel, Clock } from '../../core/time/clock.ts';

/** A task that runs again some time after it has ended. It never overlaps with itself. */
export class Loop {
  private cancel: Cancel | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;

  /**
   * @param interval time between the end of a run and the next one, in ms.
   * @param run the task; must not reject. It may return another interval for the next run.
   */
  constructor(
    private readonly clock: Clock,
    private readonly interval: number,
    private readonly run: () => Promise<number | undefined>,
  ) {}

  /** Runs the task now, unless it is running. */
  start(): void {
    if (this.stopped || this.running !== undefined) return;
    this.cancel?.();
    this.running = this.run().then((next) => {
      this.running = undefined;
      if (!this.stopped) this.cancel = this.clock.after(next ?? this.interval, () => this.start());
    });
  }

  /** Stops; resolves when the current run has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    await this.running;
  }
}
