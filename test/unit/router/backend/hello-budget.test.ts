import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HelloBudget } from '../../../../src/router/backend/hello-budget.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('HelloBudget', () => {
  it('hello budget: allows 4 MiB at once and 64 KiB per second', () => {
    const budget = new HelloBudget();
    assert.equal(budget.take(4 * MIB, 0), 0);
    assert.equal(budget.take(64 * KIB, 0), 1000);
    assert.equal(budget.take(64 * KIB, 1000), 0);
    assert.equal(budget.take(9 * MIB, 1000), 64_000, 'a hello waits at most until the budget is full');
  });

  it('hello budget: charges 32 bytes for an event and 512 for an operation', () => {
    const budget = new HelloBudget();
    assert.equal(budget.take(4 * MIB, 0), 0);
    budget.charge(2048, 0);
    assert.equal(budget.take(64 * KIB, 0), 2000);
    budget.charge(0, 128);
    assert.equal(budget.take(64 * KIB, 0), 3000);
  });
});
