import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';
import { Backoff } from '../../../../src/core/time/backoff.ts';

describe('Backoff', () => {
  it('Backoff: doubles its bound up to the maximum', () => {
    const backoff = new Backoff({ initial: 100, max: 1000, min: 0, random: () => 1 });
    assert.deepEqual(
      Array.from({ length: 6 }, () => backoff.next()),
      [100, 200, 400, 800, 1000, 1000],
    );
    assert.equal(backoff.attempts, 6);
  });

  it('Backoff: jitters over the whole range down to the minimum', () => {
    const backoff = new Backoff({ initial: 100, min: 20, random: () => 0 });
    assert.deepEqual([backoff.next(), backoff.next()], [20, 20]);
    const half = new Backoff({ initial: 100, min: 20, random: () => 0.5 });
    assert.deepEqual([half.next(), half.next()], [60, 110]);
  });

  it('Backoff: starts again after a reset and never overflows', () => {
    const backoff = new Backoff({ initial: 100, max: 5000, min: 0, random: () => 1 });
    for (let i = 0; i < 5000; i += 1) assert.ok(backoff.next() <= 5000);
    backoff.reset();
    assert.equal(backoff.attempts, 0);
    assert.equal(backoff.next(), 100);
  });

  it('Backoff: rejects contradictory bounds', () => {
    for (const options of [
      { min: -1 },
      { initial: 5, min: 6 },
      { max: 50 },
      { max: Infinity },
      { initial: NaN },
      { factor: 0.5 },
    ]) {
      assert.throws(() => new Backoff(options), ZeroMQConfigError, JSON.stringify(options));
    }
  });
});
