/** A clock that advances only when a test advances it. */
import type { Cancel, Clock } from '../../src/core/time/clock.ts';

interface Timer {
  readonly due: number;
  readonly fn: () => void;
}

export class FakeClock implements Clock {
  private time: number;
  private offset: number;
  /** In the order in which they were set. */
  private readonly timers = new Set<Timer>();

  constructor({ now = 1000, wall = Date.UTC(2026, 0, 1) } = {}) {
    this.time = now;
    this.offset = wall - now;
  }

  now(): number {
    return this.time;
  }

  wall(): number {
    return Math.floor(this.time + this.offset);
  }

  after(delay: number, fn: () => void): Cancel {
    const timer: Timer = { due: this.time + Math.max(0, delay), fn };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  /** Number of pending timers. Tests of clean-up expect 0. */
  get pending(): number {
    return this.timers.size;
  }

  /**
   * Advances by `ms` and fires the timers that are due, in order, including those set meanwhile.
   */
  advance(ms: number): void {
    const end = this.time + ms;
    for (let timer = this.next(end); timer !== undefined; timer = this.next(end)) this.fire(timer);
    this.time = end;
  }

  /** Like `advance`, but lets resolved promises settle before each timer and at the end. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.time + ms;
    await settled();
    for (let timer = this.next(end); timer !== undefined; timer = this.next(end)) {
      this.fire(timer);
      await settled();
    }
    this.time = end;
  }

  /** Sets the wall clock forward or back without advancing the monotonic time. */
  jumpWall(ms: number): void {
    this.offset += ms;
  }

  private next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
    }
    return first;
  }

  private fire(timer: Timer): void {
    this.timers.delete(timer);
    this.time = Math.max(this.time, timer.due);
    timer.fn();
  }
}

/** Resolves when the promise chains that are ready now have run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
