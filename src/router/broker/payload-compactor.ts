/**
 * Requests that workers hold for long. A payload is a slice of the batch it came in, and one slow request of a
 * thousand would hold the whole batch in memory; so what is not answered within a second gets a copy of its own.
 */

import { detached, Slab } from './payload.ts';
import { TimerEntry, type TimerWheel } from './timers.ts';
import type { Worker } from './worker.ts';

/** How long a worker may hold a request before its payload is copied, and how often that is looked at; ms. */
const LONG = 1000;

export class PayloadCompactor {
  private readonly slab = new Slab();
  private readonly alarm = new TimerEntry((now) => this.sweep(now));
  private watching = false;

  constructor(
    private readonly workers: ReadonlySet<Worker>,
    private readonly alarms: TimerWheel,
  ) {}

  /** A worker was given a request. */
  watch(now: number): void {
    if (this.watching) return;
    this.watching = true;
    this.alarms.add(this.alarm, now + LONG);
  }

  private sweep(now: number): void {
    this.watching = false;
    for (const { holding } of this.workers) {
      if (holding.length > 0) this.watch(now);
      for (
        let held = holding.first;
        held !== undefined && held.dispatchedAt <= now - LONG;
        held = held.after
      ) {
        if (held.owned) continue;
        held.message = detached(held.message, held.message.eventName, this.slab, 0);
        held.owned = true;
      }
    }
  }
}
