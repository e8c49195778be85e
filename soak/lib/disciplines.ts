/**
 * Queue disciplines to compare in the simulation. Each replaces the one of the router's client
 * queues.
 */
import { Pace } from '../../src/core/time/pace.ts';
import { ClientQueue } from '../../src/router/broker/fair-queue.ts';
import type { RouterRequest } from '../../src/router/broker/request.ts';

/**
 * Selects the request to serve next. If the discipline sets the deadline of a request to the past,
 * the request expires and the next one is selected.
 */
type Next = (queue: ClientQueue, now: number) => RouterRequest | undefined;

export interface Discipline {
  readonly name: string;
  /** Undefined for the router's own discipline. */
  readonly next?: Next;
  /** Whether to dispatch requests that have less time left than their handler usually takes. */
  readonly dispatchLate?: boolean;
  readonly breaker?: false;
}

/**
 * Target delay and interval of CoDel, in milliseconds. Facebook published 5 and 100 for its
 * services.
 */
const TARGET = 5;
const INTERVAL = 100;

function drop(pending: RouterRequest, now: number): RouterRequest {
  Reflect.set(pending, 'deadline', now);
  return pending;
}

const first: Next = (queue) => queue.first;

/**
 * CoDel as in RFC 8289: when the waiting time has exceeded the target for an interval, requests are
 * dropped at an increasing rate.
 */
function codel(): Next {
  let above = Infinity;
  let dropNext = Infinity;
  let count = 0;
  return (queue, now) => {
    const { first: head } = queue;
    if (head === undefined) return undefined;
    if (now - head.enqueuedAt < TARGET || queue.length === 1) {
      above = Infinity;
      dropNext = Infinity;
      return head;
    }
    if (above === Infinity) above = now + INTERVAL;
    if (now < above) return head;
    if (dropNext === Infinity) {
      count = count > 2 ? count - 2 : 1;
      dropNext = now;
    }
    if (now < dropNext) return head;
    count += 1;
    dropNext += INTERVAL / Math.sqrt(count);
    return drop(head, now);
  };
}

/**
 * CoDel for servers, as described by Facebook: the limit on waiting time is short unless the queue
 * was empty within the last interval.
 */
function serverCodel(longest: number): Next {
  let emptyAt = 0;
  return (queue, now) => {
    const { first: head } = queue;
    if (head === undefined) return undefined;
    if (queue.length === 1) emptyAt = now;
    const limit = now - emptyAt > INTERVAL ? longest : INTERVAL;
    return now - head.enqueuedAt > limit ? drop(head, now) : head;
  };
}

/**
 * Returns all disciplines with their display names. Each call returns disciplines in their initial
 * state.
 */
export function disciplines(): Discipline[] {
  return [
    { name: 'first come, first served', next: first, dispatchLate: true },
    { name: 'the same without circuit breakers', next: first, dispatchLate: true, breaker: false },
    { name: 'the same, requests that cannot complete in time expired', next: first },
    { name: 'CoDel (RFC 8289)', next: codel() },
    { name: 'CoDel for servers, 5 ms', next: serverCodel(TARGET) },
    { name: 'newest first', next: (queue) => queue.last },
    { name: 'the router: late requests are skipped' },
  ];
}

/** Runs a function with a discipline in place of the router's own. */
export function withDiscipline<T>({ next, dispatchLate }: Discipline, run: () => T): T {
  const queue = ClientQueue.prototype;
  const pace = Pace.prototype;
  const before = {
    next: Reflect.get(queue, 'next') as unknown,
    record: Reflect.get(pace, 'record') as unknown,
  };
  if (next !== undefined) {
    queue.next = function (this: ClientQueue, now: number) {
      return next(this, now);
    };
  }
  if (dispatchLate === true) pace.record = () => undefined;
  try {
    return run();
  } finally {
    Reflect.set(queue, 'next', before.next);
    Reflect.set(pace, 'record', before.record);
  }
}
