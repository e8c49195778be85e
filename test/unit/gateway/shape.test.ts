import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json } from '../../../src/contract/json.ts';
import { fillDefaults, hasDefaults } from '../../../src/gateway/binding/defaults.ts';
import { type Shape, shapeOf } from '../../../src/gateway/validation/shape.ts';

const document = {
  components: {
    schemas: {
      Id: { type: 'integer' },
      Limit: { type: 'integer', default: 20 },
      Alias: { $ref: '#/components/schemas/Limit' },
      Loop: { allOf: [{ $ref: '#/components/schemas/Loop' }], type: 'object' },
      Tree: {
        type: 'object',
        properties: { n: { default: 1 }, next: { $ref: '#/components/schemas/Tree' } },
      },
      'a/b %': { type: 'boolean' },
    },
  },
};
const shape = (schema: Json): Shape => shapeOf(schema, document);
const types = (schema: Json): string[] => [...shape(schema).types];

describe('shapes', () => {
  it('Shape: reports the types that a value may have', () => {
    assert.deepEqual(types({ type: 'string' }), ['string']);
    assert.deepEqual(types({ type: ['integer', 'null'] }), ['integer', 'null']);
    assert.deepEqual(types({}), []);
    assert.deepEqual(types(true), []);
    assert.deepEqual(types({ $ref: '#/components/schemas/Id' }), ['integer']);
    assert.deepEqual(types({ $ref: '#/components/schemas/a~1b%20%25' }), ['boolean']);
    assert.deepEqual(types({ $ref: '#/nowhere' }), []);
    assert.deepEqual(types({ $ref: 'other.json' }), []);
    assert.deepEqual(types({ anyOf: [{ type: 'string' }, { type: 'array' }] }), ['string', 'array']);
    assert.deepEqual(types({ anyOf: [{ type: 'string' }, {}] }), []);
    assert.deepEqual(types({ allOf: [{ type: ['string', 'integer'] }, { type: 'number' }] }), ['integer']);
    assert.deepEqual(types({ type: 'number', allOf: [{ type: 'integer' }] }), ['integer']);
    assert.deepEqual(types({ enum: [1, 'a', null, 1.5] }), ['integer', 'string', 'null', 'number']);
    assert.deepEqual(types({ const: true }), ['boolean']);
    assert.deepEqual(types({ items: {} }), ['array']);
    assert.deepEqual(types({ properties: {} }), ['object']);
    assert.deepEqual(types({ $ref: '#/components/schemas/Loop' }), ['object']);
  });

  it('Shape: reports whether a schema restricts only the type', () => {
    assert.ok(shape({ type: 'integer', description: 'x', example: 5, 'x-y': 1, default: 1 }).typeOnly);
    for (const schema of [
      { type: 'integer', minimum: 0 },
      { type: ['string', 'null'] },
      { $ref: '#/components/schemas/Id' },
      {},
    ]) {
      assert.ok(!shape(schema as Json).typeOnly, JSON.stringify(schema));
    }
  });

  it('Shape: provides the shapes of items and properties', () => {
    const list = shape({ prefixItems: [{ type: 'string' }], items: { type: 'integer' } });
    assert.deepEqual([...list.item(0).types], ['string']);
    assert.deepEqual([...list.item(1).types], ['integer']);
    const object = shape({
      properties: { a: { type: 'integer' }, __proto__: {} },
      additionalProperties: { type: 'boolean' },
    });
    assert.deepEqual([...object.property('a').types], ['integer']);
    assert.deepEqual([...object.property('constructor').types], ['boolean']);
    assert.ok(object.open);
    assert.ok(!shape({ properties: {}, additionalProperties: false }).open);
    const own = shape(JSON.parse('{"properties":{"__proto__":{"type":"integer"}}}') as Json);
    assert.deepEqual(own.names, ['__proto__']);
    assert.deepEqual([...own.property('__proto__').types], ['integer']);
  });
});

describe('defaults', () => {
  const filled = (schema: Json, value: Json): Json => {
    fillDefaults(value, shape(schema));
    return value;
  };

  it('defaults: are found behind references, also in a cycle', () => {
    assert.ok(hasDefaults({ $ref: '#/components/schemas/Tree' }, document as never));
    assert.ok(!hasDefaults({ $ref: '#/components/schemas/Loop' }, document as never));
  });

  it('defaults: replace missing members at every level', () => {
    const tree = { $ref: '#/components/schemas/Tree' };
    assert.deepEqual(filled(tree, { next: { n: 5, next: {} } }), { n: 1, next: { n: 5, next: { n: 1 } } });
    assert.deepEqual(filled({ items: tree }, [{}, { n: 2 }]), [{ n: 1 }, { n: 2 }]);
    assert.deepEqual(filled({ properties: { a: { default: [] } } }, { a: null }), { a: null });
  });

  it('defaults: are skipped where they may not apply', () => {
    const choice: Json = {
      anyOf: [{ properties: { a: { default: 1 } } }, { properties: { b: { default: 2 } } }] as Json[],
    };
    assert.deepEqual(filled(choice, {}), {});
  });

  it('defaults: of a whole value are found behind references, allOf and nullable', () => {
    const id: Json = { $ref: '#/components/schemas/Limit' };
    for (const schema of [
      id,
      { $ref: '#/components/schemas/Alias' },
      { allOf: [id] },
      { allOf: [{ description: 'x' }, { allOf: [{ $ref: '#/components/schemas/Alias' }] }] },
      { anyOf: [id, { type: 'null' }] },
    ] as Json[]) {
      assert.equal(shape(schema).defaultValue, 20, JSON.stringify(schema));
      assert.deepEqual(filled({ properties: { limit: schema } }, {}), { limit: 20 }, JSON.stringify(schema));
    }
    assert.equal(shape({ default: 5, allOf: [id] }).defaultValue, 5);
    assert.equal(shape({ anyOf: [id, { type: 'string' }] }).defaultValue, undefined);
    assert.deepEqual(filled({ properties: { n: { default: 1 } }, oneOf: [{}, {}] }, {}), {});
    const nullable: Json = { anyOf: [{ properties: { n: { default: 1 } } }, { type: 'null' }] };
    assert.deepEqual(filled(nullable, {}), { n: 1 });
    assert.equal(filled(nullable, null), null);
  });

  it('defaults: never modify a prototype', () => {
    const schema = JSON.parse('{"properties":{"__proto__":{"default":{"polluted":true}}}}') as Json;
    const value = filled(schema, {}) as object;
    assert.deepEqual(Object.keys(value), ['__proto__']);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });
});
