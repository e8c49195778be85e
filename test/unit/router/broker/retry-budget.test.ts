import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RetryBudget } from '../../../../src/router/broker/retry-budget.ts';

describe('RetryBudget', () => {
  it('retry budget: starts full and is used up', () => {
    const budget = new RetryBudget({ reserve: 2, ratio: 0, perSecond: 0 }, 0);
    assert.deepEqual([budget.take(0), budget.take(0), budget.take(0)], [true, true, false]);
  });

  it('retry budget: grows with requests up to its reserve', () => {
    const budget = new RetryBudget({ reserve: 1, ratio: 0.5, perSecond: 0 }, 0);
    assert.equal(budget.take(0), true);
    budget.deposit();
    assert.equal(budget.take(0), false);
    for (let index = 0; index < 10; index++) budget.deposit();
    assert.deepEqual([budget.take(0), budget.take(0)], [true, false]);
  });

  it('retry budget: grows with time', () => {
    const budget = new RetryBudget({ reserve: 5, ratio: 0, perSecond: 2 }, 1000);
    for (let index = 0; index < 5; index++) assert.equal(budget.take(1000), true);
    assert.equal(budget.take(1400), false);
    assert.equal(budget.take(1500), true);
    assert.equal(budget.take(1500), false);
  });
});
