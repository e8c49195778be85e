import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../../../src/core/time/clock.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

describe('systemClock', () => {
  it('calls back once, later, and not when cancelled', async () => {
    let cancelled = 0;
    systemClock.after(1, () => (cancelled += 1))();
    const before = systemClock.now();
    const keepAlive = setInterval(() => undefined, 1000);
    await new Promise<void>((resolve) => systemClock.after(5, resolve));
    clearInterval(keepAlive);
    assert.ok(systemClock.now() - before >= 4);
    assert.equal(cancelled, 0);
  });

  it('does not fire at once when the delay is longer than a timer can be', async () => {
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

  it('tells wall time in whole milliseconds', () => {
    assert.ok(Number.isInteger(systemClock.wall()));
    assert.ok(Math.abs(systemClock.wall() - Date.now()) < 1000);
  });
});

describe('FakeClock', () => {
  it('fires in order of due time, then of setting, and timers set meanwhile', () => {
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

  it('lets promises settle between timers when asked to', async () => {
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

  it('moves the wall clock with time, and apart from it when it jumps', () => {
    const clock = new FakeClock({ wall: 5000 });
    clock.advance(100);
    assert.equal(clock.wall(), 5100);
    clock.jumpWall(-3000);
    assert.equal(clock.wall(), 2100);
  });
});
