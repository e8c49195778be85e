/**
 * Time for the framework. All code that waits takes a {@link Clock}, so that tests need not sleep.
 *
 * All durations are milliseconds.
 */
import { performance } from 'node:perf_hooks';

/** Cancels a timer. Calling it again, or after the timer fired, does nothing. */
export type Cancel = () => void;

/** A source of time and of timers. */
export interface Clock {
  /**
   * Monotonic time in fractional milliseconds from an arbitrary start. Use it for durations and
   * deadlines.
   */
  now(): number;
  /**
   * Wall time in whole milliseconds since the epoch. It can jump; use it only for people and other
   * machines.
   */
  wall(): number;
  /**
   * Calls `fn` once, `delay` milliseconds from now, never synchronously. `Infinity` never fires. A
   * system timer may fire up to one millisecond early by `now()`.
   *
   * @returns a function that cancels the call.
   */
  after(delay: number, fn: () => void): Cancel;
}

/** Maximum delay of a Node.js timer, which treats longer delays as 1 ms. */
const MAX_TIMER_DELAY = 2 ** 31 - 1;

/**
 * The clock of the machine. Its timers are unref'd: sockets keep a process alive, timers do not.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(delay, fn) {
    if (delay <= MAX_TIMER_DELAY) {
      const timer = setTimeout(fn, delay).unref();
      return () => clearTimeout(timer);
    }
    const due = performance.now() + delay;
    let cancel: Cancel = () => clearTimeout(timer);
    const timer = setTimeout(() => {
      cancel = systemClock.after(due - performance.now(), fn);
    }, MAX_TIMER_DELAY).unref();
    return () => cancel();
  },
};
