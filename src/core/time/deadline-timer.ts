import { type Cancel, type Clock, systemClock } from './clock.ts';
import { type Timed, TimingWheel } from './timing-wheel.ts';

/** Very many deadlines on one timer of a clock: a `TimingWheel` wheel and what drives it. */
export class DeadlineTimer<T extends Timed<T>> {
  private readonly wheel: TimingWheel<T>;
  private cancelTimer: Cancel | undefined;
  private armedFor = Infinity;

  /** @param onExpired called for each item whose deadline passed, at most one resolution (8 ms) late. */
  constructor(
    private readonly onExpired: (item: T) => void,
    private readonly clock: Clock = systemClock,
  ) {
    this.wheel = new TimingWheel<T>(clock.now());
  }

  /** Sets the deadline of an item that has none: the time `at` of the clock's `now()`, in ms. */
  add(item: T, at: number): void {
    this.wheel.add(item, at);
    if (this.wheel.nextWakeup() < this.armedFor) this.arm();
  }

  /** Takes the deadline of an item away. */
  cancel(item: T): void {
    this.wheel.cancel(item);
  }

  /** Stops the timer. Deadlines that are left never fire. */
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
