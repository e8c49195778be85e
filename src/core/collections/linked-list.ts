/**
 * A doubly linked list whose links are fields of its members. It holds objects that come and go
 * with each request.
 *
 * A `Set` or `Map` is unsuitable for these. V8 replaces its hash table after a number of deletions,
 * and the old table keeps a pointer to the new one for active iterators. Once one table has been
 * promoted to the old generation, which only major collections free, it keeps the next table alive,
 * that one the next, and so on, with everything they held. Requests are then never collected young.
 */

/** The fields that a list needs on a member. A member is in at most one list at a time. */
export interface Linked<T> {
  before: T | undefined;
  after: T | undefined;
}

/** Adding and removing are O(1) and allocate nothing. A removed member keeps no links. */
export class LinkedList<T extends Linked<T>> {
  first: T | undefined = undefined;
  last: T | undefined = undefined;
  length = 0;

  /** Appends a member, which must not be in a list. */
  push(member: T): void {
    member.before = this.last;
    member.after = undefined;
    if (this.last === undefined) this.first = member;
    else this.last.after = member;
    this.last = member;
    this.length++;
  }

  /** Prepends a member, which must not be in a list. */
  unshift(member: T): void {
    member.before = undefined;
    member.after = this.first;
    if (this.first === undefined) this.last = member;
    else this.first.before = member;
    this.first = member;
    this.length++;
  }

  /** Whether a member is in this list. The result is undefined for a member of another list. */
  has(member: T): boolean {
    return member.before !== undefined || this.first === member;
  }

  /** Removes a member; does nothing if it is not in a list. */
  remove(member: T): void {
    if (!this.has(member)) return;
    const { before, after } = member;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    member.before = undefined;
    member.after = undefined;
    this.length--;
  }

  /** Yields the members in order. The current member may be removed during the iteration. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let member = this.first; member !== undefined; ) {
      const next: T | undefined = member.after;
      yield member;
      member = next;
    }
  }
}
