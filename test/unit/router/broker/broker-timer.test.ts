import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BrokerTimer } from '../../../../src/router/broker/broker-timer.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

/** A broker with wakeups at times of the clock. */
class FakeBroker {
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
  const broker = new FakeBroker();
  return { clock, broker, timer: new BrokerTimer(broker, clock) };
}

describe('BrokerTimer', () => {
  it('broker timer: ticks when a wakeup is due and not before', () => {
    const { clock, broker, timer } = make();
    timer.arm();
    assert.equal(clock.pending, 0);
    broker.due.push(100, 300);
    timer.arm();
    timer.arm();
    assert.equal(clock.pending, 1);
    clock.advance(1000);
    assert.deepEqual([broker.ticks, clock.pending], [[100, 300], 0]);
  });

  it('broker timer: rearms for an earlier wakeup', () => {
    const { clock, broker, timer } = make();
    broker.due.push(500);
    timer.arm();
    broker.due.push(100);
    timer.arm();
    clock.advance(100);
    assert.deepEqual(broker.ticks, [100]);
  });

  it('broker timer: leaves no timer after close', () => {
    const { clock, broker, timer } = make();
    broker.due.push(500);
    timer.arm();
    timer.close();
    broker.due.push(100);
    timer.arm();
    clock.advance(1000);
    assert.deepEqual([broker.ticks, clock.pending], [[], 0]);
  });
});
