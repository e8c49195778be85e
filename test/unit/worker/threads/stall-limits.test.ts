/** When a handler counts as hung. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineContract, defineWorker } from '../../../../src/index.ts';
import { StallWatch, stallLimitsOf } from '../../../../src/worker/threads/stall-limits.ts';
import type { HeldRequest } from '../../../../src/worker/threads/thread-executor.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

/** A clock whose timers fire late when the process was paused. */
class PausableClock extends FakeClock {
  private paused = 0;

  override now(): number {
    return super.now() + this.paused;
  }

  pause(ms: number): void {
    this.paused += ms;
  }
}

function make(limits: Record<string, number>) {
  const clock = new PausableClock();
  const held: { event: string; since: number }[] = [];
  const hung: HeldRequest[] = [];
  const list = (): HeldRequest[] =>
    held.map(({ event, since }) => ({ event, requestId: 'r', heldFor: clock.now() - since }));
  const watch = new StallWatch(new Map(Object.entries(limits)), list, (one) => hung.push(one), clock);
  const hold = (event: string): void => void held.push({ event, since: clock.now() });
  return { clock, held, hung, watch, hold };
}

/** Advances the time in small steps, as timers of a live process do. */
function pass(clock: FakeClock, time: number): void {
  for (let passed = 0; passed < time; passed += 10) clock.advance(10);
}

describe('StallWatch', () => {
  it('StallWatch: reports a request once it is held for longer than the limit of its event', () => {
    const { clock, hung, hold } = make({ slow: 5000, fast: 1000 });
    hold('slow');
    hold('fast');
    hold('unlimited');
    pass(clock, 1000);
    assert.deepEqual(hung, []);
    pass(clock, 100);
    assert.deepEqual(hung, [{ event: 'fast', requestId: 'r', heldFor: 1100 }]);
    pass(clock, 10_000);
    assert.equal(hung.length, 1, 'a thread is replaced once');
  });

  it('StallWatch: replies that arrived during a pause of the process are read first', () => {
    const { clock, held, hung, hold } = make({ fast: 1000 });
    hold('fast');
    clock.pause(60_000);
    clock.advance(100);
    assert.deepEqual(hung, []);
    held.length = 0;
    pass(clock, 5000);
    assert.deepEqual(hung, []);
  });

  it('StallWatch: does nothing after it was stopped', () => {
    const { clock, hung, hold, watch } = make({ fast: 1000 });
    hold('fast');
    watch.stop();
    pass(clock, 5000);
    assert.deepEqual([hung, clock.pending], [[], 0]);
  });
});

describe('stallLimitsOf', () => {
  it('has the limits of the contract by event, and nothing without them', () => {
    const handlers = { a: () => 1, b: () => 2 };
    const limited = defineContract({ name: 'c', events: { a: { stallTimeout: 500 }, b: {} } });
    const limits = stallLimitsOf(defineWorker({ contract: limited, handlers }));
    assert.deepEqual([...(limits ?? [])], [['a', 500]]);
    const unlimited = defineContract({ name: 'c', events: { a: {}, b: {} } });
    assert.equal(stallLimitsOf(defineWorker({ contract: unlimited, handlers })), undefined);
    assert.equal(stallLimitsOf(defineWorker({ handlers })), undefined);
  });
});
