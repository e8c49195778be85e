/**
 * Which of the requests that wait can still be answered. One rule for all queues: the router's, the client's and the
 * executor's.
 *
 * Requests are served in the order they came. Under lasting overload each of them would reach the front with hardly any
 * time left, and time out. So a request that is late is passed over: it is served while nothing else waits, or in one of
 * eight turns, and not at all once it has less time left than its handler usually takes. `npm run soak:overload` compares this with other ways.
 */
import type { Pace } from './pace.ts';

/** What the rule looks at. Times in ms on one clock. */
export interface QueuedTimes {
  readonly enqueuedAt: number;
  readonly deadline: number;
  /** How long requests of its kind usually take, where that is known. */
  readonly pace: Pace | undefined;
}

/** Times the usual duration that a request which waited for long must be given to blame its worker for a timeout. */
const BLAME_FACTOR = 3;

/** Time left, in usual durations of a handler, below which a request is late; never more than half of its time. */
const LATE_FACTOR = 8;

/** Whether so little time is left that a request gives way: less than a quarter, or too little for a slower handler. */
export function isLate(request: QueuedTimes, now: number): boolean {
  return request.deadline - now < lateThreshold(request);
}

/** Whether a request that is late became so only lately. */
export function isRecentlyLate(request: QueuedTimes, now: number): boolean {
  return request.deadline - now >= lateThreshold(request) / 2;
}

function lateThreshold({ deadline, enqueuedAt, pace }: QueuedTimes): number {
  const allowed = deadline - enqueuedAt;
  const safe = pace === undefined ? 0 : Math.min(pace.typical * LATE_FACTOR, allowed / 2);
  return Math.max(allowed / 4, safe);
}

/** Whether at least half of the time that a request was allowed is left. */
export function isFresh({ deadline, enqueuedAt }: QueuedTimes, now: number): boolean {
  return deadline - now >= now - enqueuedAt;
}

/** Whether less time is left than a handler usually takes. */
export function cannotFinish({ deadline, pace }: QueuedTimes, now: number): boolean {
  const left = deadline - now;
  return left <= 0 || (pace !== undefined && left < pace.typical);
}

/** Whether a request that was dispatched at `at` had enough time then, so that a timeout says something of the worker. */
export function hadEnoughTime(request: QueuedTimes, at: number): boolean {
  if (cannotFinish(request, at)) return false;
  const { deadline, pace } = request;
  return isFresh(request, at) || pace === undefined || deadline - at >= BLAME_FACTOR * pace.typical;
}
