/** Durations in whole milliseconds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wholeMilliseconds } from '../../../../src/core/time/whole-milliseconds.ts';

describe('wholeMilliseconds', () => {
  it('rounds up', () => {
    assert.deepEqual([1, 1.2, 1.9, 261_600].map(wholeMilliseconds), [1, 2, 2, 261_600]);
  });

  it('keeps a duration that went through a deadline, whatever the time is', () => {
    let grown = 0;
    for (let now = 0.1; now < 1e10; now *= 1.003) {
      for (const duration of [1, 5000, 60_000, 261_600, 2 ** 31 - 1]) {
        const left = now + duration - now;
        if (left > duration) grown += 1;
        assert.equal(wholeMilliseconds(left), duration, `at ${now}`);
      }
    }
    assert.ok(grown > 1000, `${grown} of the sums exceed their duration`);
  });
});
