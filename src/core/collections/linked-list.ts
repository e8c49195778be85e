/**
 * A list linked through its members, for what comes and goes with each request.
 *
 * A `Set` or `Map` will not do there. V8 makes it a new table after so many deletions, and the old table points to the new
 * one, for iterators under way. Once one table has grown old enough to be looked at by full collections only, it keeps the
 * next one alive, that one the next, and so on with all that was in them: no request is freed young any more.
 */

/** The fields that a list needs on a member. One is in one list at a time. */
export interface Linked<T> {
  before: T | undefined;
  after: T | undefined;
}

/** Adding and removing are O(1) and allocate nothing; a member that was removed points nowhere. */
export class LinkedList<T extends Linked<T>> {
  first: T | undefined = undefined;
  last: T | undefined = undefined;
  length = 0;

  /** Appends a member, which must be in no list. */
  push(member: T): void {
    member.before = this.last;
    member.after = undefined;
    if (this.last === undefined) this.first = member;
    else this.last.after = member;
    this.last = member;
    this.length++;
  }

  /** Puts a member first, which must be in no list. */
  unshift(member: T): void {
    member.before = undefined;
    member.after = this.first;
    if (this.first === undefined) this.last = member;
    else this.first.before = member;
    this.first = member;
    this.length++;
  }

  /** Whether a member is in; one that is in no other list. */
  has(member: T): boolean {
    return member.before !== undefined || this.first === member;
  }

  /** Takes a member out; nothing happens when it is in no list. */
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

  /** The members, the first first. The one at hand may be removed meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let member = this.first; member !== undefined; ) {
      const next: T | undefined = member.after;
      yield member;
      member = next;
    }
  }
}
