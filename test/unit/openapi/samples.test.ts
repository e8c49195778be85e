/** Values made from schemas: they conform, are repeatable, and lie at and beyond bounds. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ApiRegistry, Samples } from '../../../src/openapi/index.ts';

type Part = Record<string, unknown>;

/** Returns the samples of a document whose operation has a body with a schema. */
function samplesOf(schema: unknown, schemas: Part = {}, seed = 1): { samples: Samples; pointer: string } {
  const registry = new ApiRegistry();
  registry.put('document', {
    openapi: '3.1.0',
    components: { schemas },
    paths: {
      '/a': {
        post: {
          'x-event-name': 'a',
          requestBody: { content: { 'application/json': { schema } } },
          responses: {},
        },
      },
    },
  });
  const { document, operations } = registry.snapshot();
  const pointer = operations[0]?.bodies[0]?.pointer ?? '';
  return { samples: new Samples(document, seed), pointer };
}

const SCHEMAS: [name: string, schema: unknown, schemas?: Part][] = [
  ['pattern', { type: 'string', pattern: '^[A-Z]{2}-\\d{4}(?:-(x|y))?$' }],
  ['pattern with a length', { type: 'string', pattern: '^[a-z0-9]+$', minLength: 12, maxLength: 14 }],
  ['pattern with a class of Unicode', { type: 'string', pattern: '^\\p{Lu}\\p{Ll}+$' }],
  ['negated class and back reference', { type: 'string', pattern: '^([^a-z])\\1$' }],
  ...[
    ...['date', 'time', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uri-reference'],
    ...['uuid', 'json-pointer', 'relative-json-pointer', 'regex', 'uri-template'],
  ].map((format): [string, unknown] => [`format ${format}`, { type: 'string', format }]),
  ['multiple of a fraction', { type: 'number', multipleOf: 0.01, exclusiveMinimum: 0, maximum: 0.03 }],
  ['close exclusive bounds', { type: 'number', exclusiveMinimum: 1, exclusiveMaximum: 1.1 }],
  ['integer between exclusive bounds', { type: 'integer', exclusiveMinimum: -3, exclusiveMaximum: -1 }],
  ['large multiple', { type: 'integer', multipleOf: 1000, minimum: 1500 }],
  [
    'unique items of a list',
    { type: 'array', items: { enum: ['a', 'b', 'c'] }, uniqueItems: true, minItems: 3 },
  ],
  [
    'tuple',
    { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }], items: false, minItems: 2 },
  ],
  ['contains', { type: 'array', items: {}, contains: { const: 7 } }],
  [
    'allOf',
    {
      allOf: [
        { type: 'object', required: ['a'], properties: { a: { type: 'integer', minimum: 3 } } },
        { properties: { a: { maximum: 3 } } },
      ],
    },
  ],
  ['oneOf', { oneOf: [{ type: 'string', maxLength: 3 }, { type: 'integer' }] }],
  ['not', { type: 'integer', minimum: 0, maximum: 3, not: { enum: [0, 1] } }],
  [
    'if, then, else',
    {
      type: 'object',
      required: ['k'],
      properties: { k: { enum: ['a', 'b'] } },
      if: { properties: { k: { const: 'a' } } },
      then: { required: ['x'], properties: { x: { type: 'integer' } } },
    },
  ],
  [
    'dependentRequired',
    {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
      dependentRequired: { a: ['b'] },
    },
  ],
  [
    'minProperties and propertyNames',
    {
      type: 'object',
      minProperties: 2,
      propertyNames: { pattern: '^n_[a-z]{3}$' },
      additionalProperties: { type: 'integer' },
    },
  ],
  [
    'recursion',
    { $ref: '#/components/schemas/Tree' },
    {
      Tree: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string' },
          children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } },
        },
      },
    },
  ],
  ['null', { type: ['null', 'string'] }],
];

describe('samples', () => {
  for (const [name, schema, schemas] of SCHEMAS) {
    it(`conform: ${name}`, () => {
      const { samples, pointer } = samplesOf(schema, schemas);
      const validate = samples.validator(pointer);
      for (const extent of ['minimal', 'full', 'random'] as const) {
        for (let label = 0; label < 5; label += 1) {
          const value = samples.valid(pointer, extent, label);
          assert.notEqual(value, undefined, extent);
          assert.ok(validate(value), JSON.stringify(value));
        }
      }
    });
  }

  it('the same seed returns the same values, another seed others', () => {
    const schema = { type: 'array', items: { type: 'string' }, minItems: 5 };
    const value = (seed: number) => {
      const { samples, pointer } = samplesOf(schema, {}, seed);
      return samples.valid(pointer, 'random', 'label');
    };
    assert.deepEqual(value(3), value(3));
    assert.notDeepEqual(value(3), value(4));
  });

  it('minimal has required members only, full has all', () => {
    const schema = {
      type: 'object',
      required: ['a'],
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
    };
    const { samples, pointer } = samplesOf(schema);
    const keys = (extent: 'minimal' | 'full') => Object.keys(samples.valid(pointer, extent, 1) as object);
    assert.deepEqual([keys('minimal'), keys('full')], [['a'], ['a', 'b']]);
  });

  it('members that a direction does not have are left out', () => {
    const schema = {
      type: 'object',
      required: ['id', 'key'],
      properties: { id: { type: 'integer', readOnly: true }, key: { type: 'string', writeOnly: true } },
    };
    const { samples, pointer } = samplesOf(schema);
    const keys = (direction: 'request' | 'response') =>
      Object.keys(samples.valid(pointer, 'full', 1, { direction }) as object);
    assert.deepEqual([keys('request'), keys('response')], [['key'], ['id']]);
  });

  it('examples and defaults take precedence if asked, unless they do not conform', () => {
    const object = (example: unknown) => ({
      type: 'object',
      properties: { a: { type: 'integer', examples: [example] }, b: { type: 'string', default: 'usual' } },
      required: ['a', 'b'],
    });
    const good = samplesOf(object(77));
    assert.deepEqual(good.samples.valid(good.pointer, 'full', 1, { examples: true }), { a: 77, b: 'usual' });
    const bad = samplesOf(object('text'));
    const made = bad.samples.valid(bad.pointer, 'full', 1, { examples: true }) as { a: unknown };
    assert.equal(typeof made.a, 'number');
  });

  it('a schema without a value returns undefined', () => {
    for (const schema of [
      false,
      { type: 'string', minLength: 3, maxLength: 2 },
      { enum: [1], not: { const: 1 } },
    ]) {
      const { samples, pointer } = samplesOf(schema);
      assert.equal(samples.valid(pointer, 'full', 1), undefined);
    }
  });

  it('variants lie at the bounds, and just beyond', () => {
    const schema = {
      type: 'object',
      required: ['n', 's'],
      additionalProperties: false,
      properties: {
        n: { type: 'integer', minimum: 2, maximum: 9 },
        s: { type: 'string', minLength: 1, maxLength: 3 },
        t: { type: 'array', items: { enum: ['a', 'b'] }, maxItems: 2, uniqueItems: true },
      },
    };
    const { samples, pointer } = samplesOf(schema);
    const base = { n: 5, s: 'ab', t: ['a'] };
    const whats = (wanted: 'valid' | 'invalid') =>
      samples.variants(pointer, base, wanted, 100).map(({ what }) => what);
    const valid = whats('valid');
    for (const what of [
      '/n: the bound 2',
      '/n: the bound 9',
      '/s: 1 character',
      '/s: 3 characters',
      '/t: no items',
      'without t',
      '/t/0: the value "b"',
    ])
      assert.ok(valid.includes(what), `${what} in ${valid.join('; ')}`);
    const invalid = whats('invalid');
    for (const what of [
      'without n',
      'without s',
      '/n: 1, beyond the bound',
      '/n: 10, beyond the bound',
      '/n: 1.5 as value',
      '/s: 4 characters',
      '/s: 0 characters',
      '/t: an item twice',
      '/t/0: a value that is not listed',
      'a member that is not described',
    ])
      assert.ok(invalid.includes(what), `${what} in ${invalid.join('; ')}`);
    assert.deepEqual(
      valid.filter((what) => invalid.includes(what)),
      [],
    );
  });

  it('a large document: nearly all schemas have values', () => {
    const file = fileURLToPath(
      new URL('../../../node_modules/@directus/specs/dist/openapi.json', import.meta.url),
    );
    const registry = new ApiRegistry();
    registry.put('directus', readFileSync(file, 'utf8'));
    const { document, operations } = registry.snapshot();
    const samples = new Samples(document, 1);
    let count = 0;
    for (const { parameters, bodies, replies } of operations.slice(0, 40)) {
      for (const { pointer } of [...parameters, ...bodies, ...replies]) {
        assert.notEqual(samples.valid(pointer, 'full', 1), undefined, pointer);
        count += 1;
      }
    }
    assert.ok(count > 150, String(count));
  });
});
