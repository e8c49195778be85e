/**
 * Decides which queued requests can still be answered in time. The queues of router, client and
 * executor share this rule.
 *
 * Requests are served in order of arrival. Under lasting overload, each request would reach the
 * front with hardly any time left and then time out. The queues therefore pass over late requests:
 * they serve these only when no other request is queued, or in one of eight turns, and not at all
 * once less time is left than the handler typically takes. `npm run soak:overload` compares this
 * rule with alternatives.
 */
import type { Pace } from './pace.ts';

/** Times of a queued request, in milliseconds on one clock. */
export interface QueuedTimes {
  readonly enqueuedAt: number;
  readonly deadline: number;
  /** How long requests of this kind typically take; undefined when unknown. */
  readonly pace: Pace | undefined;
}

/**
 * A timeout of a long-queued request counts against its worker only if at least this many typical
 * durations were left.
 */
const BLAME_FACTOR = 3;

/**
 * A request is late when less than this many typical durations are left, or less than half of the
 * time allowed if that is shorter.
 */
const LATE_FACTOR = 8;

/**
 * Whether a request is late: less than a quarter of the time allowed is left, or too little for its
 * handler.
 */
export function isLate(request: QueuedTimes, now: number): boolean {
  return request.deadline - now < lateThreshold(request);
}

/** Whether a late request became late only recently. */
export function isRecentlyLate(request: QueuedTimes, now: number): boolean {
  return request.deadline - now >= lateThreshold(request) / 2;
}

function lateThreshold({ deadline, enqueuedAt, pace }: QueuedTimes): number {
  const allowed = deadline - enqueuedAt;
  const safe = pace === undefined ? 0 : Math.min(pace.typical * LATE_FACTOR, allowed / 2);
  return Math.max(allowed / 4, safe);
}

/** Whether at least half of the time allowed is left. */
export function isFresh({ deadline, enqueuedAt }: QueuedTimes, now: number): boolean {
  return deadline - now >= now - enqueuedAt;
}

/** Whether less time is left than the handler typically takes. */
export function cannotFinish({ deadline, pace }: QueuedTimes, now: number): boolean {
  const left = deadline - now;
  return left <= 0 || (pace !== undefined && left < pace.typical);
}

/**
 * Whether a request dispatched at `at` had enough time left, so that a timeout counts against the
 * worker.
 */
export function hadEnoughTime(request: QueuedTimes, at: number): boolean {
  if (cannotFinish(request, at)) return false;
  const { deadline, pace } = request;
  return isFresh(request, at) || pace === undefined || deadline - at >= BLAME_FACTOR * pace.typical;
}
