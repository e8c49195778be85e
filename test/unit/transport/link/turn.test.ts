import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { flushAtEndOfTurn, turnNow } from '../../../../src/transport/link/turn.ts';

describe('end of a turn', () => {
  it('end of a turn: flushes each item once, in order', async () => {
    const flushed: string[] = [];
    flushAtEndOfTurn({ flush: () => flushed.push('a') });
    flushAtEndOfTurn({ flush: () => flushed.push('b') });
    assert.deepEqual(flushed, [], 'not within the turn');
    await turn();
    await turn();
    assert.deepEqual(flushed, ['a', 'b']);
  });

  it('end of a turn: flushes items that were added while flushing in the next turn', async () => {
    const flushed: string[] = [];
    flushAtEndOfTurn({
      flush: () => {
        flushed.push('first');
        flushAtEndOfTurn({ flush: () => flushed.push('second') });
      },
    });
    await turn();
    await turn();
    await turn();
    assert.deepEqual(flushed, ['first', 'second']);
  });

  it('end of a turn: emits a warning if an item fails, and flushes the others', async () => {
    const warned = once(process, 'warning');
    let flushed = false;
    flushAtEndOfTurn({
      flush: () => {
        throw new Error('planted');
      },
    });
    flushAtEndOfTurn({
      flush: () => {
        flushed = true;
      },
    });
    const [warning] = (await warned) as [Error];
    assert.equal(warning.message, 'planted');
    assert.ok(flushed);
  });
});

describe('time of a turn', () => {
  it('turnNow: is constant within a turn and advances with the next', async () => {
    const now = turnNow();
    for (let spun = performance.now(); performance.now() < spun + 2; );
    assert.equal(turnNow(), now);
    await turn();
    await turn();
    assert.ok(turnNow() > now);
  });
});
