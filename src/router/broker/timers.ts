/** The router's own few timers (rests, grace periods), on a wheel of their own. */
import { Deadlines, NOT_TIMED, type Timed } from '../../core/time/timing-wheel.ts';

/** Something to be done at a time. */
export class Alarm implements Timed<Alarm> {
  dueTick = NOT_TIMED;
  dueBefore: Alarm | undefined = undefined;
  dueAfter: Alarm | undefined = undefined;

  constructor(readonly ring: (now: number) => void) {}
}

export type Alarms = Deadlines<Alarm>;

export function createAlarms(now: number): Alarms {
  return new Deadlines<Alarm>(now, { buckets: 256 });
}

export function ring(alarm: Alarm, now: number): void {
  alarm.ring(now);
}
