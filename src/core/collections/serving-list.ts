/**
 * Queued requests, in order of arrival. Late requests (`lateness.ts`) are passed over: they are
 * served only when no other request is queued, or in one of eight turns. All operations are
 * amortised O(1).
 */
import { isLate, isRecentlyLate, type QueuedTimes } from '../time/lateness.ts';
import { type Linked, LinkedList } from './linked-list.ts';

/**
 * One in this many turns serves a request that became late recently, so that none is lost when the
 * load drops.
 */
const LATE_TURN = 8;

export class ServingList<T extends Linked<T> & QueuedTimes> extends LinkedList<T> {
  /** Requests served so far. The code that removes a request to serve it increments this. */
  turns = 0;
  /**
   * The first request that was not late at the last check; the requests before it are passed over.
   */
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

  /** The request to serve next: the first that is not late, or the newest one if all are late. */
  next(now: number): T | undefined {
    let { head } = this;
    while (head !== undefined && isLate(head, now)) head = head.after;
    this.head = head;
    if (head === undefined) return this.last;
    const late = head.before;
    const lateTurn = late !== undefined && this.turns % LATE_TURN === 0 && isRecentlyLate(late, now);
    return lateTurn ? late : head;
  }

  /** The first request that is passed over. */
  get passedOver(): T | undefined {
    return this.first === this.head ? undefined : this.first;
  }
}
