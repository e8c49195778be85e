/** The clock of a worker under test. */
import type { Cancel, Clock } from '../index.ts';

interface Timer {
  readonly due: number;
  readonly fn: () => void;
}

/** The function of the system, even while a test runner replaces the global one. */
const nextTurn = setImmediate;

/**
 * A clock that advances only when a test advances it. It drives the deadlines of requests:
 * `timeLeft()`, the abort of `signal`, and the timeouts of calls. Timers that a handler sets itself
 * follow the clock of the system, or that of the test runner.
 *
 * @example
 * ```ts
 * const call = worker.call('reports.get', { id: 7 }, { timeout: 30_000 });
 * await worker.clock.advance(30_000);
 * await assert.rejects(call, { code: 'TIMEOUT' });
 * ```
 */
export class TestClock implements Clock {
  private time = 0;
  private readonly started = Date.now();
  /** In the order in which they were set. */
  private readonly timers = new Set<Timer>();

  /** Returns the time since the clock was created, in milliseconds. */
  now(): number {
    return this.time;
  }

  /** Returns the wall time: that of its creation, plus `now()`. */
  wall(): number {
    return Math.floor(this.started + this.time);
  }

  /**
   * Calls a function once, when the clock was advanced far enough.
   *
   * @param delay milliseconds from now.
   * @param fn function to call.
   * @returns a function that cancels the call.
   */
  after(delay: number, fn: () => void): Cancel {
    const timer: Timer = { due: this.time + Math.max(0, delay), fn };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  /**
   * Advances the clock and calls the timers that are due, in order, including those set meanwhile.
   * Promises that can settle do so before each timer and at the end.
   *
   * @param ms milliseconds to advance.
   * @returns a promise that resolves when all of it has run.
   */
  async advance(ms: number): Promise<void> {
    const end = this.time + Math.max(0, ms);
    await settled();
    for (let timer = this.next(end); timer !== undefined; timer = this.next(end)) {
      this.timers.delete(timer);
      this.time = Math.max(this.time, timer.due);
      timer.fn();
      await settled();
    }
    this.time = Math.max(this.time, end);
  }

  private next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
    }
    return first;
  }
}

/** Turns of the event loop in which requests, replies and promise chains reach their receivers. */
const TURNS = 3;

/** Resolves when the promise chains that are ready now have run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise<void>((resolve) => nextTurn(resolve));
}
