import { type Cancel, type Clock, systemClock } from './clock.ts';
import { type Timed, TimingWheel } from './timing-wheel.ts';

/** Drives many deadlines with one timer of a clock, on a {@link TimingWheel}. */
export class DeadlineTimer<T extends Timed<T>> {
  private readonly wheel: TimingWheel<T>;
  private cancelTimer: Cancel | undefined;
  private armedFor = Infinity;

  /**
   * @param onExpired called for each item whose deadline passed, at most one resolution (8 ms)
   * late.
   */
  constructor(
    private readonly onExpired: (item: T) => void,
    private readonly clock: Clock = systemClock,
  ) {
    this.wheel = new TimingWheel<T>(clock.now());
  }

  /** Sets the deadline of an item without one, as a time of the clock's `now()` in milliseconds. */
  add(item: T, at: number): void {
    this.wheel.add(item, at);
    if (this.wheel.nextWakeup() < this.armedFor) this.arm();
  }

  /** Removes the deadline of an item. */
  cancel(item: T): void {
    this.wheel.cancel(item);
  }

  /** Stops the timer. Remaining deadlines never fire. */
  close(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.armedFor = Infinity;
  }

  private arm(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.armedFor = this.wheel.nextWakeup();
    if (this.armedFor === Infinity) return;
    this.cancelTimer = this.clock.after(Math.max(0, this.armedFor - this.clock.now()), () => {
      this.armedFor = Infinity;
      this.wheel.advance(this.clock.now(), this.onExpired);
      this.arm();
    });
  }
}
