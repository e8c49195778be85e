/** When a thread counts as stalled. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cancel, Clock } from '../../../../src/core/time/clock.ts';
import { newPulse, type Pulse, PulseWatch } from '../../../../src/worker/threads/pulse.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

const LIMIT = 1000;

function watched() {
  const clock = new FakeClock();
  const pulse: Pulse = newPulse(LIMIT);
  let stalled = 0;
  const watch = new PulseWatch(pulse, () => (stalled += 1), clock);
  watch.start();
  return { clock, watch, beat: () => Atomics.add(pulse.beats, 0, 1), stalled: () => stalled };
}

describe('PulseWatch', () => {
  it('PulseWatch: does not report a thread that beats', () => {
    const { clock, beat, stalled } = watched();
    for (let time = 0; time < 100 * LIMIT; time += 100) {
      beat();
      clock.advance(100);
    }
    assert.equal(stalled(), 0);
  });

  for (const phase of [0, 1, 50, 99]) {
    it(`PulseWatch: reports a stalled thread after 1 to 1.2 times the limit (last beat ${phase} ms after a check)`, () => {
      const { clock, beat, stalled } = watched();
      clock.advance(100 + phase);
      beat();
      clock.advance(LIMIT);
      assert.equal(stalled(), 0, 'work may take as long as the limit');
      clock.advance(0.2 * LIMIT);
      assert.equal(stalled(), 1);
      clock.advance(10 * LIMIT);
      assert.deepEqual([stalled(), clock.pending], [1, 0], 'once');
    });
  }

  it('PulseWatch: does not report a thread that often pauses for less than the limit', () => {
    const { clock, beat, stalled } = watched();
    for (let count = 0; count < 100; count += 1) {
      clock.advance(LIMIT);
      beat();
    }
    assert.equal(stalled(), 0);
  });

  it('PulseWatch: does not count time in which the parent or the whole process was suspended', () => {
    const timers: (() => void)[] = [];
    const late: Clock = { now: () => 1e9, wall: () => 1e9, after: (_delay, fn) => set(fn) };
    const set = (fn: () => void): Cancel => {
      timers.push(fn);
      return () => undefined;
    };
    const pulse = newPulse(LIMIT);
    new PulseWatch(pulse, () => assert.fail('stalled'), late).start();
    for (let count = 0; count < 100; count += 1) {
      timers.shift()?.(); // at any time
      Atomics.add(pulse.beats, 0, 1);
    }
    assert.equal(timers.length, 1);
  });

  it('PulseWatch: does nothing after stop', () => {
    const { clock, watch, stalled } = watched();
    watch.stop();
    clock.advance(10 * LIMIT);
    assert.deepEqual([stalled(), clock.pending], [0, 0]);
  });
});
