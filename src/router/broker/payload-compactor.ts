/**
 * Copies payloads of requests that workers hold for long. A payload is a slice of the batch that it
 * arrived in, so one slow request in a thousand would keep the whole batch in memory. After one
 * second it gets a copy of its own.
 */

import { detached, Slab } from './payload.ts';
import { TimerEntry, type TimerWheel } from './timers.ts';
import type { Worker } from './worker.ts';

/**
 * How long a worker may hold a request before its payload is copied, and the interval of the
 * checks, in ms.
 */
const COPY_AFTER = 1000;

export class PayloadCompactor {
  private readonly slab = new Slab();
  private readonly timer = new TimerEntry((now) => this.compact(now));
  private watching = false;

  constructor(
    private readonly workers: ReadonlySet<Worker>,
    private readonly timers: TimerWheel,
  ) {}

  /** Schedules a check after a request was dispatched. */
  watch(now: number): void {
    if (this.watching) return;
    this.watching = true;
    this.timers.add(this.timer, now + COPY_AFTER);
  }

  private compact(now: number): void {
    this.watching = false;
    for (const { holding } of this.workers) {
      if (holding.length > 0) this.watch(now);
      for (
        let held = holding.first;
        held !== undefined && held.dispatchedAt <= now - COPY_AFTER;
        held = held.after
      ) {
        if (held.ownsPayload) continue;
        held.message = detached(held.message, held.message.eventName, this.slab, 0);
        held.ownsPayload = true;
      }
    }
  }
}
