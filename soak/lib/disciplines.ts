/** Ways to serve a queue, to be compared in the simulation: each replaces what the router's lanes do. */
import { Pace } from '../../src/core/time/pace.ts';
import { ClientQueue } from '../../src/router/broker/fair-queue.ts';
import type { RouterRequest } from '../../src/router/broker/request.ts';

/** The request to serve next; one whose deadline has been made to pass is expired, and the next one is asked for. */
type Next = (lane: ClientQueue, now: number) => RouterRequest | undefined;

export interface Discipline {
  readonly name: string;
  /** Undefined: what the router does. */
  readonly next?: Next;
  /** Requests with less time left than their handler usually takes are dispatched all the same. */
  readonly hopeful?: boolean;
  readonly breaker?: false;
}

/** Longest wait and time to look at of CoDel, in ms: those that Facebook published for its services are 5 and 100. */
const TARGET = 5;
const INTERVAL = 100;

function drop(pending: RouterRequest, now: number): RouterRequest {
  Reflect.set(pending, 'deadline', now);
  return pending;
}

const first: Next = (lane) => lane.first;

/** CoDel as in RFC 8289: what waited for more than the target for an interval is dropped, ever more often. */
function codel(): Next {
  let above = Infinity;
  let dropNext = Infinity;
  let count = 0;
  return (lane, now) => {
    const { first: head } = lane;
    if (head === undefined) return undefined;
    if (now - head.enqueuedAt < TARGET || lane.length === 1) {
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

/** CoDel for servers, as Facebook describes it: while the queue does not become empty, nothing waits for long. */
function serverCodel(longest: number): Next {
  let emptyAt = 0;
  return (lane, now) => {
    const { first: head } = lane;
    if (head === undefined) return undefined;
    if (lane.length === 1) emptyAt = now;
    const limit = now - emptyAt > INTERVAL ? longest : INTERVAL;
    return now - head.enqueuedAt > limit ? drop(head, now) : head;
  };
}

/** Each with a name for people. Those with a memory begin anew at each call. */
export function disciplines(): Discipline[] {
  return [
    { name: 'first come, first served', next: first, hopeful: true },
    { name: 'the same without circuit breakers', next: first, hopeful: true, breaker: false },
    { name: 'the same, hopeless requests expired', next: first },
    { name: 'CoDel (RFC 8289)', next: codel() },
    { name: 'CoDel for servers, 5 ms', next: serverCodel(TARGET) },
    { name: 'newest first', next: (lane) => lane.last },
    { name: 'the router: late requests are passed over' },
  ];
}

/** Runs something with a discipline in force. */
export function under<T>({ next, hopeful }: Discipline, run: () => T): T {
  const lane = ClientQueue.prototype;
  const pace = Pace.prototype;
  const before = { next: Reflect.get(lane, 'next') as unknown, learn: Reflect.get(pace, 'learn') as unknown };
  if (next !== undefined) {
    lane.next = function (this: ClientQueue, now: number) {
      return next(this, now);
    };
  }
  if (hopeful === true) pace.record = () => undefined;
  try {
    return run();
  } finally {
    Reflect.set(lane, 'next', before.next);
    Reflect.set(pace, 'learn', before.learn);
  }
}
