/** A list whose members hold their neighbours themselves: one leaves from anywhere in constant time and makes no garbage. */

/** What can be in a list, one at a time. */
export interface Linked<T> {
  before: T | undefined;
  after: T | undefined;
}

export class LinkedList<T extends Linked<T>> {
  first: T | undefined = undefined;
  last: T | undefined = undefined;
  length = 0;

  push(member: T): void {
    member.before = this.last;
    member.after = undefined;
    if (this.last === undefined) this.first = member;
    else this.last.after = member;
    this.last = member;
    this.length++;
  }

  unshift(member: T): void {
    member.before = undefined;
    member.after = this.first;
    if (this.first === undefined) this.last = member;
    else this.first.before = member;
    this.first = member;
    this.length++;
  }

  /** Takes out a member, which must be in this list. */
  remove(member: T): void {
    const { before, after } = member;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    member.before = undefined;
    member.after = undefined;
    this.length--;
  }
}
