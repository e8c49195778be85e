import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Linked, LinkedList } from '../../../../src/core/collections/linked-list.ts';
import fc from '../../../helpers/property.ts';

class Item implements Linked<Item> {
  before: Item | undefined = undefined;
  after: Item | undefined = undefined;
}

describe('LinkedList', () => {
  it('LinkedList: behaves like a Set and releases removed members', () => {
    const step = fc.record({ add: fc.boolean(), index: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const items = Array.from({ length: 10 }, () => new Item());
        const list = new LinkedList<Item>();
        const model = new Set<Item>();
        for (const { add, index } of steps) {
          const item = items[index];
          assert.ok(item);
          if (!add) {
            list.remove(item);
            model.delete(item);
          } else if (!model.has(item)) {
            list.push(item);
            model.add(item);
          }
          assert.equal(list.length, model.size);
          assert.deepEqual([...list], [...model]);
          for (const each of items) assert.equal(list.has(each), model.has(each));
        }
        for (const item of items) {
          if (!model.has(item)) assert.deepEqual([item.before, item.after], [undefined, undefined]);
        }
      }),
    );
  });

  it('LinkedList: adds members at both ends', () => {
    const list = new LinkedList<Item>();
    const [first, second, third] = [new Item(), new Item(), new Item()];
    list.unshift(second);
    list.push(third);
    list.unshift(first);
    assert.deepEqual([...list], [first, second, third]);
    assert.equal(list.length, 3);
  });

  it('LinkedList: continues an iteration after the current member is removed', () => {
    const list = new LinkedList<Item>();
    const items = [new Item(), new Item(), new Item()];
    for (const item of items) list.push(item);
    const seen: Item[] = [];
    for (const item of list) {
      seen.push(item);
      list.remove(item);
    }
    assert.deepEqual(seen, items);
    assert.equal(list.length, 0);
  });
});
