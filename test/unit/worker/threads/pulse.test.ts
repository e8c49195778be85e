/** When a thread counts as frozen, and when it does not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cancel, Clock } from '../../../../src/core/time/clock.ts';
import { newPulse, type Pulse, PulseWatch } from '../../../../src/worker/threads/pulse.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

const LIMIT = 1000;

function watched() {
  const clock = new FakeClock();
  const pulse: Pulse = newPulse(LIMIT);
  let frozen = 0;
  const watch = new PulseWatch(pulse, () => (frozen += 1), clock);
  watch.start();
  return { clock, watch, beat: () => Atomics.add(pulse.beats, 0, 1), frozen: () => frozen };
}

describe('a thread', () => {
  it('that beats is not frozen, however long it lives', () => {
    const { clock, beat, frozen } = watched();
    for (let time = 0; time < 100 * LIMIT; time += 100) {
      beat();
      clock.advance(100);
    }
    assert.equal(frozen(), 0);
  });

  for (const phase of [0, 1, 50, 99]) {
    it(`is frozen after the limit and 1.2 of it at most (last beat ${phase} ms after a check)`, () => {
      const { clock, beat, frozen } = watched();
      clock.advance(100 + phase);
      beat();
      clock.advance(LIMIT);
      assert.equal(frozen(), 0, 'not for work that takes as long as is allowed');
      clock.advance(0.2 * LIMIT);
      assert.equal(frozen(), 1);
      clock.advance(10 * LIMIT);
      assert.deepEqual([frozen(), clock.pending], [1, 0], 'once');
    });
  }

  it('that is silent now and then, each time for as long as it may, is not frozen', () => {
    const { clock, beat, frozen } = watched();
    for (let count = 0; count < 100; count += 1) {
      clock.advance(LIMIT);
      beat();
    }
    assert.equal(frozen(), 0);
  });

  it('is not blamed for time in which the parent, or the whole process, stood still', () => {
    const timers: (() => void)[] = [];
    const late: Clock = { now: () => 1e9, wall: () => 1e9, after: (_delay, fn) => set(fn) };
    const set = (fn: () => void): Cancel => {
      timers.push(fn);
      return () => undefined;
    };
    const pulse = newPulse(LIMIT);
    new PulseWatch(pulse, () => assert.fail('frozen'), late).start();
    for (let count = 0; count < 100; count += 1) {
      timers.shift()?.(); // however late
      Atomics.add(pulse.beats, 0, 1);
    }
    assert.equal(timers.length, 1);
  });

  it('is not watched any more once that is stopped', () => {
    const { clock, watch, frozen } = watched();
    watch.stop();
    clock.advance(10 * LIMIT);
    assert.deepEqual([frozen(), clock.pending], [0, 0]);
  });
});
