import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../../../src/core/time/clock.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

describe('systemClock', () => {
  it('systemClock: calls back once, asynchronously, and not after a cancel', async () => {
    let cancelled = 0;
    systemClock.after(1, () => (cancelled += 1))();
    const before = systemClock.now();
    const keepAlive = setInterval(() => undefined, 1000);
    await new Promise<void>((resolve) => systemClock.after(5, resolve));
    clearInterval(keepAlive);
    assert.ok(systemClock.now() - before >= 4);
    assert.equal(cancelled, 0);
  });

  it('systemClock: does not fire at once for delays beyond the maximum of a timer', async () => {
    const fired: string[] = [];
    const cancels = [Infinity, 2 ** 31, 2 ** 40].map((delay) =>
      systemClock.after(delay, () => fired.push(`${delay}`)),
    );
    const keepAlive = setInterval(() => undefined, 1000);
    await new Promise<void>((resolve) => systemClock.after(5, resolve));
    clearInterval(keepAlive);
    for (const cancel of cancels) cancel();
    assert.deepEqual(fired, []);
  });

  it('systemClock: returns wall time in whole milliseconds', () => {
    assert.ok(Number.isInteger(systemClock.wall()));
    assert.ok(Math.abs(systemClock.wall() - Date.now()) < 1000);
  });
});

describe('FakeClock', () => {
  it('FakeClock: fires in order of due time, then of creation, including timers set meanwhile', () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    const start = clock.now();
    clock.after(20, () => seen.push(`b@${clock.now() - start}`));
    clock.after(10, () => {
      seen.push(`a@${clock.now() - start}`);
      clock.after(5, () => seen.push(`nested@${clock.now() - start}`));
    });
    clock.after(20, () => seen.push('c'));
    clock.after(20, () => seen.push('never'))();
    clock.advance(25);
    assert.deepEqual(seen, ['a@10', 'nested@15', 'b@20', 'c']);
    assert.equal(clock.pending, 0);
    assert.equal(clock.now() - start, 25);
  });

  it('FakeClock: lets promises settle between timers on request', async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    const wait = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
    void (async () => {
      await wait(10);
      seen.push('first');
      await wait(10);
      seen.push('second');
    })();
    await clock.advanceAsync(20);
    assert.deepEqual(seen, ['first', 'second']);
  });

  it('FakeClock: advances the wall clock with time, and can make it jump', () => {
    const clock = new FakeClock({ wall: 5000 });
    clock.advance(100);
    assert.equal(clock.wall(), 5100);
    clock.jumpWall(-3000);
    assert.equal(clock.wall(), 2100);
  });
});
