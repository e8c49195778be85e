import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Linked, LinkedList } from '../../../src/core/linked-list.ts';

class Member implements Linked<Member> {
  before: Member | undefined = undefined;
  after: Member | undefined = undefined;

  constructor(readonly name: string) {}
}

function names(list: LinkedList<Member>): string {
  let forwards = '';
  for (let member = list.first; member !== undefined; member = member.after) forwards += member.name;
  let backwards = '';
  for (let member = list.last; member !== undefined; member = member.before)
    backwards = member.name + backwards;
  assert.equal(backwards, forwards);
  assert.equal(list.length, forwards.length);
  return forwards;
}

describe('a linked list', () => {
  it('takes members at either end', () => {
    const list = new LinkedList<Member>();
    assert.equal(names(list), '');
    list.unshift(new Member('b'));
    list.push(new Member('c'));
    list.unshift(new Member('a'));
    assert.equal(names(list), 'abc');
  });

  it('lets members go from anywhere, and takes them again', () => {
    const list = new LinkedList<Member>();
    const members = ['a', 'b', 'c', 'd'].map((name) => new Member(name));
    for (const member of members) list.push(member);
    const [first, second, , last] = members;
    for (const [member, left] of [
      [second, 'acd'],
      [first, 'cd'],
      [last, 'c'],
    ] as const) {
      assert.ok(member);
      list.remove(member);
      assert.deepEqual([member.before, member.after], [undefined, undefined]);
      assert.equal(names(list), left);
    }
    assert.ok(first);
    list.push(first);
    assert.equal(names(list), 'ca');
  });
});
