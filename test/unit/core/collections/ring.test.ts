import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ring } from '../../../../src/core/collections/ring.ts';
import fc from '../../../helpers/property.ts';

describe('Ring', () => {
  it('Ring: behaves like an array', () => {
    const step = fc.oneof(
      { weight: 40, arbitrary: fc.constant('push' as const) },
      { weight: 40, arbitrary: fc.constantFrom('unshift' as const, 'shift' as const, 'pop' as const) },
      { weight: 1, arbitrary: fc.constant('clear' as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 500 }), (steps) => {
        const ring = new Ring<number>();
        let model: number[] = [];
        steps.forEach((kind, value) => {
          switch (kind) {
            case 'push':
              ring.push(value);
              model.push(value);
              break;
            case 'unshift':
              ring.unshift(value);
              model.unshift(value);
              break;
            case 'shift':
              assert.equal(ring.shift(), model.shift());
              break;
            case 'pop':
              assert.equal(ring.pop(), model.pop());
              break;
            case 'clear':
              ring.clear();
              model = [];
              break;
          }
          assert.equal(ring.length, model.length);
        });
        for (let index = -1; index <= model.length; index++) assert.equal(ring.at(index), model[index]);
      }),
    );
  });

  it('Ring: shrinks its buffer after it has emptied', () => {
    const ring = new Ring<number>();
    for (let value = 0; value < 100_000; value++) ring.push(value);
    assert.ok(ring.capacity >= 100_000);
    for (let value = 0; value < 99_990; value++) assert.equal(ring.shift(), value);
    assert.ok(ring.capacity <= 128, `capacity ${ring.capacity}`);
    assert.equal(ring.at(0), 99_990);
  });
});
