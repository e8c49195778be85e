import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IdMap } from '../../../../src/core/collections/id-map.ts';
import fc from '../../../helpers/property.ts';

const someId = fc.oneof(fc.nat(5), fc.constantFrom(15, 16, 31, 32, 60, 1000, -1, -2, 0xffffffff, 0.5));

describe('IdMap', () => {
  it('IdMap: behaves like a Map', () => {
    const step = fc.record({ set: fc.boolean(), id: someId });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const map = new IdMap<object>(16);
        const model = new Map<number, object>();
        for (const { set, id } of steps) {
          const value = {};
          if (set) {
            map.set(id, value);
            model.set(id, value);
          } else {
            map.delete(id);
            model.delete(id);
          }
          assert.equal(map.get(id), model.get(id));
          assert.equal(map.size, model.size);
          assert.deepEqual(new Set(map.values()), new Set(model.values()));
        }
        map.clear();
        assert.deepEqual([map.size, [...map.values()].length], [0, 0]);
        for (const { id } of steps) assert.equal(map.get(id), undefined);
      }),
    );
  });

  it('IdMap: allows deletions during an iteration', () => {
    const map = new IdMap<object>();
    for (const id of [0, 1, 7, 70_000, -5]) map.set(id, { id });
    const seen: object[] = [];
    for (const value of map.values()) {
      seen.push(value);
      map.delete((value as { id: number }).id);
    }
    assert.equal(seen.length, 5);
    assert.equal(map.size, 0);
  });
});
