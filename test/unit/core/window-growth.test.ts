/** Windows grow while their receiver keeps up, share a budget, and shrink when it falls behind. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WindowBudget, WindowGrowth } from '../../../src/core/messages/window-growth.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Consumes bytes in steps of 64 KiB, and returns what was granted in all. */
function consume(growth: WindowGrowth, bytes: number, waiting = 0): number {
  let granted = 0;
  for (let done = 0; done < bytes; done += 64 * KIB) granted += growth.grantFor(64 * KIB, waiting);
  return granted;
}

describe('WindowGrowth', () => {
  it('doubles the window each time that it was consumed, up to 2 MiB', () => {
    const growth = new WindowGrowth(new WindowBudget());
    assert.equal(consume(growth, 256 * KIB), 512 * KIB);
    assert.equal(consume(growth, 512 * KIB), 1 * MIB);
    assert.equal(consume(growth, 1 * MIB), 2 * MIB);
    assert.equal(consume(growth, 8 * MIB), 8 * MIB);
  });

  it('asks for a grant after a quarter of the window', () => {
    const growth = new WindowGrowth(new WindowBudget());
    assert.equal(growth.step, 64 * KIB);
    consume(growth, 8 * MIB);
    assert.equal(growth.step, 512 * KIB);
    growth.release();
    assert.equal(growth.step, 64 * KIB);
  });

  it('keeps the window of a receiver that is behind', () => {
    const growth = new WindowGrowth(new WindowBudget());
    assert.equal(consume(growth, 4 * MIB, 256 * KIB), 4 * MIB);
  });

  it('shrinks the window when the receiver falls behind, by granting less than it consumed', () => {
    const budget = new WindowBudget(4 * MIB);
    const growth = new WindowGrowth(budget);
    consume(growth, 4 * MIB);
    assert.equal(consume(growth, 4 * MIB, 200 * KIB), 4 * MIB - (2 * MIB - 256 * KIB));
    assert.equal(budget.take(8 * MIB), 4 * MIB);
  });

  it('stays within the budget of all streams, and returns its part', () => {
    const budget = new WindowBudget(1 * MIB);
    const [first, second] = [new WindowGrowth(budget), new WindowGrowth(budget)];
    assert.equal(consume(first, 4 * MIB) - 4 * MIB, 1 * MIB);
    assert.equal(consume(second, 4 * MIB), 4 * MIB);
    first.release();
    assert.equal(consume(second, 4 * MIB) - 4 * MIB, 1 * MIB);
    second.release();
    second.release();
    assert.equal(budget.take(2 * MIB), 1 * MIB);
  });
});
