/** Load with a fixed number of requests in flight: each reply triggers the next request. */
import type { LoadResult } from '../lib/load.ts';
import { percentile } from '../lib/stats.ts';

/** Sends the request of slot `slot` in the window. Calls `done` once, when the reply arrives. */
export type Trip = (slot: number, done: (ok: boolean) => void) => void;

/** Number of latencies kept for the percentiles. */
const KEPT = 200_000;

/**
 * How long, in milliseconds, to wait for replies after the end of the load. Replies missing after
 * that count as lost, which can happen with bare sockets.
 */
const LOST_AFTER = 6000;

/**
 * Keeps `window` requests in flight for this many seconds, then waits for the last replies. Lost
 * ones count as errors.
 */
export function runWindow(trip: Trip, window: number, seconds: number): Promise<LoadResult> {
  return new Promise((resolve) => {
    const latencies: number[] = [];
    const sentAt = new Float64Array(window);
    let requests = 0;
    let errors = 0;
    let under = window;
    const begun = performance.now();
    const end = begun + seconds * 1000;
    let finished = false;
    const finish = (): void => {
      finished = true;
      clearTimeout(timer);
      const took = (performance.now() - begun) / 1000;
      const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
      resolve({ requests, seconds: took, p50, p99, errors });
    };
    const timer = setTimeout(
      () => {
        errors += under;
        finish();
      },
      seconds * 1000 + LOST_AFTER,
    );
    const startSlot = (slot: number): void => {
      const done = (ok: boolean): void => {
        if (finished) return;
        const now = performance.now();
        requests += 1;
        if (!ok) errors += 1;
        const taken = now - (sentAt[slot] ?? now);
        if (latencies.length < KEPT) latencies.push(taken);
        else latencies[requests % KEPT] = taken;
        if (now < end) {
          sentAt[slot] = now;
          trip(slot, done);
        } else {
          under -= 1;
          if (under === 0) finish();
        }
      };
      sentAt[slot] = performance.now();
      trip(slot, done);
    };
    for (let slot = 0; slot < window; slot += 1) startSlot(slot);
  });
}
