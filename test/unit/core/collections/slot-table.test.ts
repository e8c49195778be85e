import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SlotTable, type Slotted } from '../../../../src/core/collections/slot-table.ts';
import fc from '../../../helpers/property.ts';

class Item implements Slotted {
  id = 0;
  generation = 0;
}

describe('SlotTable', () => {
  it('SlotTable: finds a value by its key until the value is removed', () => {
    const table = new SlotTable<Item>();
    const item = new Item();
    table.add(item);
    const { id, generation } = item;
    assert.ok(generation >= 1 && generation <= 0x7fffffff);
    assert.equal(table.get(id, generation), item);
    assert.equal(table.size, 1);
    assert.equal(table.remove(item), true);
    assert.equal(table.get(id, generation), undefined);
    assert.equal(table.get(id, 0), undefined);
    assert.equal(table.remove(item), false);
    assert.equal(table.size, 0);
  });

  it('SlotTable: reuses slots with a new generation each time', () => {
    const table = new SlotTable<Item>();
    const seen = new Set<string>();
    for (let round = 0; round < 100; round++) {
      const item = new Item();
      table.add(item);
      assert.equal(item.id, 0);
      seen.add(`${item.id}:${item.generation}`);
      table.remove(item);
    }
    assert.equal(seen.size, 100);
  });

  it('SlotTable: starts generations at random, so that keys of another table match nothing', () => {
    const generations = new Set<number>();
    for (let index = 0; index < 50; index++) {
      const item = new Item();
      new SlotTable<Item>().add(item);
      generations.add(item.generation);
    }
    assert.ok(generations.size > 45);
  });

  it('SlotTable: distinguishes issued keys from made-up ones', () => {
    const table = new SlotTable<Item>();
    const item = new Item();
    table.add(item);
    const { id, generation } = item;
    assert.equal(table.wasIssued(id, generation), true);
    table.remove(item);
    assert.equal(table.wasIssued(id, generation), true);
    assert.equal(table.wasIssued(id, (generation + 1000) % 0x7fffffff), false);
    assert.equal(table.wasIssued(id + 1, generation), false);
    assert.equal(table.wasIssued(0xffffffff, 1), false);
    assert.equal(table.wasIssued(id, 0xffffffff), false);
  });

  it('SlotTable: behaves like a map from live keys to values under random changes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(-1), fc.nat(200)), { maxLength: 400 }), (steps) => {
        const table = new SlotTable<Item>();
        const live: Item[] = [];
        const dead: [number, number][] = [];
        for (const step of steps) {
          if (step < 0 || live.length === 0) {
            const item = new Item();
            table.add(item);
            live.push(item);
            continue;
          }
          const [item] = live.splice(step % live.length, 1);
          assert.ok(item);
          dead.push([item.id, item.generation]);
          assert.equal(table.remove(item), true);
        }
        for (const item of live) assert.equal(table.get(item.id, item.generation), item);
        for (const [id, generation] of dead) assert.equal(table.get(id, generation), undefined);
        assert.equal(table.size, live.length);
        assert.deepEqual(new Set(table.values()), new Set(live));
        assert.equal(new Set(live.map((item) => item.id)).size, live.length);
      }),
    );
  });
});
