/** ReleasingMap: behaves like a Map, and holds no value that was removed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ReleasingMap } from '../../../../src/core/collections/releasing-map.ts';

interface Value {
  readonly n: number;
}

type Change = readonly ['set' | 'take', number, number] | readonly ['clear'];

const changes = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: fc.tuple(fc.constantFrom('set', 'take'), fc.nat(20), fc.nat()) },
    { weight: 1, arbitrary: fc.constant(['clear'] as const) },
  ),
) as fc.Arbitrary<Change[]>;

function change(map: ReleasingMap<number, Value>, model: Map<number, Value>, step: Change): void {
  if (step[0] === 'clear') {
    map.clear();
    model.clear();
    return;
  }
  const [kind, key, n] = step;
  if (kind === 'set') {
    const value = { n };
    map.set(key, value);
    model.set(key, value);
    return;
  }
  assert.equal(map.take(key), model.get(key));
  model.delete(key);
}

describe('ReleasingMap', () => {
  it('behaves like a Map', () => {
    fc.assert(
      fc.property(changes, (steps) => {
        const map = new ReleasingMap<number, Value>();
        const model = new Map<number, Value>();
        for (const step of steps) {
          change(map, model, step);
          assert.equal(map.size, model.size);
          assert.deepEqual([...map.values()], [...model.values()]);
          for (let key = 0; key <= 20; key += 1) assert.equal(map.get(key), model.get(key));
        }
      }),
    );
  });

  it('lets values be removed while they are iterated', () => {
    const map = new ReleasingMap<string, Value>();
    for (const key of ['a', 'b', 'c']) map.set(key, { n: 1 });
    let seen = 0;
    for (const _ of map.values()) {
      map.take('b');
      seen += 1;
    }
    assert.equal(seen, 2);
  });
});
