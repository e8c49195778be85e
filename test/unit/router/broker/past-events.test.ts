/** Limits on the names of past events. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PastEvents } from '../../../../src/router/broker/past-events.ts';

describe('past events', () => {
  it('past events: are remembered until a worker announces them again', () => {
    const past = new PastEvents();
    past.add('a');
    past.add('b');
    past.delete('a');
    past.delete('never');
    assert.deepEqual([past.has('a'), past.has('b'), past.size], [false, true, 1]);
  });

  it('past events: are limited in number, and the oldest is removed first', () => {
    const past = new PastEvents(2);
    for (const name of ['a', 'b', 'a', 'c']) past.add(name);
    assert.deepEqual([past.has('a'), past.has('b'), past.has('c')], [true, false, true]);
  });

  it('past events: are limited in characters', () => {
    const past = new PastEvents(100, 10);
    for (const name of ['four', 'five5', 'six666']) past.add(name);
    assert.deepEqual(
      [past.has('four'), past.has('five5'), past.has('six666'), past.size],
      [false, false, true, 1],
    );
    past.delete('six666');
    for (const name of ['aaaa', 'bbbbb']) past.add(name);
    assert.equal(past.size, 2, 'removed names do not count');
  });
});
