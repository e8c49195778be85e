import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkUnit } from '../../../src/core/messages/checks.ts';

test('checkUnit: a duration below 50 ms is rejected with the value for seconds', () => {
  for (const [value, hint] of [
    [5, 'timeout is 5 ms: .*did you mean 5 seconds\\? write 5_000,'],
    [1, 'did you mean 1 second\\? write 1_000,'],
    [0.5, 'did you mean 0.5 seconds\\? write 500,'],
    [30, 'write 30_000, or set allowShortDurations$'],
    [49.9, 'write 49_900,'],
  ] as const) {
    assert.throws(() => checkUnit('timeout', value, false), {
      name: 'ZeroMQConfigError',
      code: 'INVALID_ARGUMENT',
      message: new RegExp(hint),
    });
  }
});

test('checkUnit: 0, Infinity, durations from 50 ms and allowed short ones pass', () => {
  for (const value of [0, Infinity, 50, 5_000]) assert.equal(checkUnit('timeout', value, undefined), value);
  assert.equal(checkUnit('timeout', 5, true), 5);
});
