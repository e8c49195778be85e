/**
 * Time as the framework sees it. Everything that waits takes a `Clock`, so that its tests need not.
 *
 * All durations are milliseconds.
 */
import { performance } from 'node:perf_hooks';

/** Stops what was started; calling it again, or after the fact, does nothing. */
export type Cancel = () => void;

/** A source of time and of timers. */
export interface Clock {
  /** Monotonic time in ms with a fraction, from an arbitrary start. For durations and deadlines. */
  now(): number;
  /** Wall time in whole ms since the epoch. It can jump; only for what people or other machines read. */
  wall(): number;
  /**
   * Calls `fn` once, `delay` ms from now, never synchronously. `Infinity` never fires. A timer of the system may fire up to
   * one millisecond early by `now()`.
   *
   * @returns cancels the call.
   */
  after(delay: number, fn: () => void): Cancel;
}

/** Longest delay of a timer in Node; it takes anything longer for 1 ms. */
const MAX_TIMER_DELAY = 2 ** 31 - 1;

/** The clock of the machine. Its timers are unref'd: sockets keep a process alive, waiting does not. */
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
