import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { flushAtEndOfTurn, turnNow } from '../../../../src/transport/link/turn.ts';

describe('the end of a turn', () => {
  it('flushes each item once, in order', async () => {
    const flushed: string[] = [];
    flushAtEndOfTurn({ flush: () => flushed.push('a') });
    flushAtEndOfTurn({ flush: () => flushed.push('b') });
    assert.deepEqual(flushed, [], 'not within the turn');
    await turn();
    await turn();
    assert.deepEqual(flushed, ['a', 'b']);
  });

  it('puts what is added while flushing off to the next one', async () => {
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

  it('flushes the others when one fails, and warns', async () => {
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

describe('the time of a turn', () => {
  it('stands still within it and goes on with the next', async () => {
    const now = turnNow();
    for (let spun = performance.now(); performance.now() < spun + 2; );
    assert.equal(turnNow(), now);
    await turn();
    await turn();
    assert.ok(turnNow() > now);
  });
});
