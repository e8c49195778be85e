import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NOT_TIMED, type Timed, TimingWheel } from '../../../../src/core/time/timing-wheel.ts';
import fc from '../../../helpers/property.ts';

class Item implements Timed<Item> {
  dueTick = NOT_TIMED;
  dueBefore: Item | undefined = undefined;
  dueAfter: Item | undefined = undefined;
  firedAt = -1;

  constructor(readonly at: number) {}
}

const fire = (item: Item, now: number): void => {
  assert.equal(item.firedAt, -1, 'fires once');
  item.firedAt = now;
};

describe('TimingWheel', () => {
  it('TimingWheel: never fires early and at most one resolution late', () => {
    const wheel = new TimingWheel<Item>(1000);
    const item = new Item(1100.5);
    wheel.add(item, item.at);
    assert.equal(wheel.advance(1100, fire), 0);
    assert.equal(wheel.advance(1108.5, fire), 1);
    assert.equal(item.firedAt, 1108.5);
    assert.equal(wheel.size, 0);
    assert.equal(wheel.nextWakeup(), Infinity);
  });

  it('TimingWheel: fires a past deadline at the next tick', () => {
    const wheel = new TimingWheel<Item>(1000);
    wheel.add(new Item(5), 5);
    assert.equal(wheel.advance(1008, fire), 1);
  });

  it('TimingWheel: does not fire cancelled deadlines', () => {
    const wheel = new TimingWheel<Item>();
    const item = new Item(50);
    wheel.add(item, 50);
    wheel.cancel(item);
    wheel.cancel(item);
    assert.equal(wheel.advance(1000, fire), 0);
    assert.equal(item.dueTick, NOT_TIMED);
  });

  it('TimingWheel: a callback can cancel other due deadlines and set new ones', () => {
    const wheel = new TimingWheel<Item>();
    const items = [new Item(10), new Item(10), new Item(10), new Item(10)];
    for (const item of items) wheel.add(item, item.at);
    const called: Item[] = [];
    wheel.advance(16, (item) => {
      called.push(item);
      for (const other of items) if (other !== item) wheel.cancel(other);
      if (called.length === 1) wheel.add(item, 0);
    });
    assert.equal(called.length, 1);
    assert.equal(wheel.size, 1);
    assert.equal(wheel.nextWakeup(), 24);
    assert.equal(
      wheel.advance(24, (item) => called.push(item)),
      1,
    );
    assert.equal(called[1], called[0]);
  });

  it('TimingWheel: keeps the remaining items for the next call when a callback throws', () => {
    const wheel = new TimingWheel<Item>();
    for (let index = 0; index < 3; index++) wheel.add(new Item(1), 1);
    assert.throws(() => wheel.advance(8, () => assert.fail('planted')), /planted/);
    assert.equal(wheel.size, 2);
    assert.equal(wheel.advance(8, fire), 2);
  });

  it('TimingWheel: handles random deadlines, cancellations and time jumps', () => {
    const entry = fc.record({ delay: fc.double({ min: 0, max: 3000, noNaN: true }), cancel: fc.boolean() });
    const round = fc.record({
      entries: fc.array(entry, { maxLength: 8 }),
      leap: fc.oneof(
        fc.double({ min: 0, max: 20, noNaN: true }),
        fc.double({ min: 0, max: 5000, noNaN: true }),
      ),
    });
    fc.assert(
      fc.property(fc.array(round, { maxLength: 30 }), fc.constantFrom(32, 64, 4096), (rounds, buckets) => {
        let now = 77;
        const wheel = new TimingWheel<Item>(now, { resolution: 8, buckets });
        let live: Item[] = [];
        for (const { entries, leap } of rounds) {
          for (const { delay, cancel } of entries) {
            const item = new Item(now + delay);
            wheel.add(item, item.at);
            if (cancel) wheel.cancel(item);
            else live.push(item);
          }
          const first = Math.min(...live.map((item) => item.at));
          assert.ok(wheel.nextWakeup() <= first + 16, `wake at ${wheel.nextWakeup()} for ${first}`);
          now += leap;
          wheel.advance(now, fire);
          for (const item of live) {
            if (item.firedAt === now) assert.ok(item.at <= now, 'early');
            else assert.ok(item.at > now - 16, `late: due ${item.at}, now ${now}`);
          }
          live = live.filter((item) => item.firedAt < 0);
          assert.equal(wheel.size, live.length);
        }
      }),
    );
  });
});
