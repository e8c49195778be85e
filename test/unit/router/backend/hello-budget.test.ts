import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HelloBudget, HelloDebts } from '../../../../src/router/backend/hello-budget.ts';

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

describe('HelloDebts', () => {
  it('hello debts: what a connection used up is left to the next ones, in whole budgets, and becomes less', () => {
    const debts = new HelloDebts();
    const budget = new HelloBudget();
    budget.take(3 * MIB, 0);
    budget.charge(0, 6 * 1024);
    assert.equal(budget.debt(0), 6 * MIB);
    assert.equal(budget.debt(16_000), 5 * MIB);
    debts.add('one', budget.debt(16_000), 16_000);
    assert.equal(debts.take('other', 16_000), 0);
    assert.deepEqual([debts.take('one', 32_000), debts.take('one', 32_000)], [4 * MIB, 0]);
    debts.add('one', 9 * MIB, 32_000);
    debts.add('one', MIB, 32_000);
    assert.deepEqual([debts.take('one', 32_000), debts.take('one', 48_000)], [4 * MIB, 4 * MIB]);
    assert.deepEqual([debts.take('one', 56_000), debts.take('one', 80_000)], [0.5 * MIB, 0]);
  });

  it('hello debts: a connection that owes waits for its first hello', () => {
    const budget = new HelloBudget();
    budget.owe(4 * MIB);
    assert.equal(budget.take(64 * KIB, 0), 1000);
    assert.equal(budget.take(64 * KIB, 1000), 0);
  });

  it('hello debts: the oldest of more than 10,000 owners are dropped', () => {
    const debts = new HelloDebts();
    for (let count = 0; count <= 10_000; count += 1) debts.add(`${count}`, MIB, 0);
    assert.deepEqual([debts.take('0', 0), debts.take('1', 0), debts.take('10000', 0)], [0, MIB, MIB]);
  });
});
