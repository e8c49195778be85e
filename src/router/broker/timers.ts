/** The router's own few timers (rests, grace periods), on a wheel of their own. */
import { NOT_TIMED, type Timed, TimingWheel } from '../../core/time/timing-wheel.ts';

/** Something to be done at a time. */
export class TimerEntry implements Timed<TimerEntry> {
  dueTick = NOT_TIMED;
  dueBefore: TimerEntry | undefined = undefined;
  dueAfter: TimerEntry | undefined = undefined;

  constructor(readonly ring: (now: number) => void) {}
}

export type TimerWheel = TimingWheel<TimerEntry>;

export function createTimerWheel(now: number): TimerWheel {
  return new TimingWheel<TimerEntry>(now, { buckets: 256 });
}

export function ring(alarm: TimerEntry, now: number): void {
  alarm.ring(now);
}
