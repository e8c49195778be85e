/**
 * Requests that wait to be served, in the order that they came. A request that has become late (`lateness.ts`) is passed
 * over, and served only while nothing else waits, or in one of eight turns. Every operation is O(1), amortised.
 */
import { isLate, isRecentlyLate, type QueuedTimes } from '../time/lateness.ts';
import { type Linked, LinkedList } from './linked-list.ts';

/** One of so many turns is for a request that has just become late: none is lost when the load drops. */
const LATE_TURN = 8;

export class ServingList<T extends Linked<T> & QueuedTimes> extends LinkedList<T> {
  /** Requests that were served. Whoever takes one out to serve it counts it. */
  turns = 0;
  /** The first request that was not late when it was looked at; those before it are passed over. */
  protected head: T | undefined = undefined;

  override push(request: T): void {
    super.push(request);
    this.head ??= request;
  }

  override unshift(request: T): void {
    if (this.head === this.first) this.head = request;
    super.unshift(request);
  }

  override remove(request: T): void {
    if (this.head === request) this.head = request.after;
    super.remove(request);
  }

  /** The request to serve next: in order, or the newest one when all are late. */
  next(now: number): T | undefined {
    let { head } = this;
    while (head !== undefined && isLate(head, now)) head = head.after;
    this.head = head;
    if (head === undefined) return this.last;
    const late = head.before;
    const lateTurn = late !== undefined && this.turns % LATE_TURN === 0 && isRecentlyLate(late, now);
    return lateTurn ? late : head;
  }

  /** The first of the requests that are passed over. */
  get passedOver(): T | undefined {
    return this.first === this.head ? undefined : this.first;
  }
}
