/**
 * Timers of the router itself (circuit breakers, suspensions, grace periods), on a separate timing
 * wheel.
 */
import { NOT_TIMED, type Timed, TimingWheel } from '../../core/time/timing-wheel.ts';

/** A callback to run at a given time. */
export class TimerEntry implements Timed<TimerEntry> {
  dueTick = NOT_TIMED;
  dueBefore: TimerEntry | undefined = undefined;
  dueAfter: TimerEntry | undefined = undefined;

  constructor(readonly fire: (now: number) => void) {}
}

export type TimerWheel = TimingWheel<TimerEntry>;

export function createTimerWheel(now: number): TimerWheel {
  return new TimingWheel<TimerEntry>(now, { buckets: 256 });
}

export function fireTimer(timer: TimerEntry, now: number): void {
  timer.fire(now);
}
