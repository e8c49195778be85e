import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BrokerTimer } from '../../../../src/router/broker/broker-timer.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

/** A core with things to do at times of the clock. */
class FakeCore {
  readonly due: number[] = [];
  readonly ticks: number[] = [];

  nextWakeup(): number {
    return Math.min(Infinity, ...this.due);
  }

  tick(now: number): void {
    this.ticks.push(now);
    const later = this.due.filter((at) => at > now);
    this.due.splice(0, this.due.length, ...later);
  }
}

function make() {
  const clock = new FakeClock({ now: 0 });
  const core = new FakeCore();
  return { clock, core, timer: new BrokerTimer(core, clock) };
}

describe('the timer of a core', () => {
  it('ticks when something comes due, and no sooner', () => {
    const { clock, core, timer } = make();
    timer.arm();
    assert.equal(clock.pending, 0);
    core.due.push(100, 300);
    timer.arm();
    timer.arm();
    assert.equal(clock.pending, 1);
    clock.advance(1000);
    assert.deepEqual([core.ticks, clock.pending], [[100, 300], 0]);
  });

  it('hears of something earlier', () => {
    const { clock, core, timer } = make();
    core.due.push(500);
    timer.arm();
    core.due.push(100);
    timer.arm();
    clock.advance(100);
    assert.deepEqual(core.ticks, [100]);
  });

  it('leaves nothing once it is closed', () => {
    const { clock, core, timer } = make();
    core.due.push(500);
    timer.arm();
    timer.close();
    core.due.push(100);
    timer.arm();
    clock.advance(1000);
    assert.deepEqual([core.ticks, clock.pending], [[], 0]);
  });
});
