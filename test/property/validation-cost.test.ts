// test:all: 10 s; ../unit/gateway/validation represents it
/** Tests that validation takes time proportional to the value, and that caching changes no result. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Ajv2020, ValidateFunction } from 'ajv/dist/2020.js';
import type { Json, JsonObject } from '../../src/contract/json.ts';
import { repeatedComponents } from '../../src/openapi/checks/repeated.ts';
import { ResultCache } from '../../src/openapi/checks/result-cache.ts';
import { createAjv } from '../../src/openapi/index.ts';
import fc, { runs } from '../helpers/property.ts';

const COUNT = 3;

/**
 * A schema of component `own`. It applies only later components to the same value, so that no cycle
 * is endless.
 */
function schemaOf(own: number): fc.Arbitrary<JsonObject> {
  const build = (depth: number, from: number): fc.Arbitrary<JsonObject> => {
    const leaf = fc.constantFrom<JsonObject>(
      {},
      { type: 'object' },
      { type: 'integer' },
      { required: ['a'] },
    );
    const ref = fc
      .integer({ min: from, max: Math.max(from, COUNT - 1) })
      .map((name): JsonObject => (name < COUNT ? { $ref: `C${name}` } : {}));
    if (depth === 0) return fc.oneof({ arbitrary: leaf, weight: 1 }, { arbitrary: ref, weight: 3 });
    const beside = build(depth - 1, from);
    // Members and items of the value may refer to any component.
    const part = build(depth - 1, 0);
    const two = fc.array(beside, { minLength: 1, maxLength: 2 });
    const keyword = fc.oneof(
      fc.tuple(fc.constantFrom('oneOf', 'anyOf', 'allOf'), two),
      fc.tuple(fc.constantFrom('not', 'if', 'then', 'else'), beside),
      fc.tuple(fc.constantFrom('items', 'contains'), part),
      fc.tuple(fc.constant('properties'), fc.record({ a: part, b: part }, { requiredKeys: [] })),
      fc.tuple(fc.constant('patternProperties'), fc.record({ '^a': part })),
      fc.tuple(fc.constant('dependentSchemas'), fc.record({ a: beside })),
      fc.tuple(fc.constantFrom('unevaluatedProperties', 'unevaluatedItems'), fc.constant(false)),
      fc.tuple(fc.constant('uniqueItems'), fc.constant(true)),
    );
    const keywords = fc
      .uniqueArray(keyword as fc.Arbitrary<[string, Json]>, {
        minLength: 1,
        maxLength: 3,
        selector: ([name]) => name,
      })
      .map((entries): JsonObject => Object.fromEntries(entries));
    return fc.oneof({ arbitrary: keywords, weight: 4 }, { arbitrary: ref, weight: 1 });
  };
  return build(2, own + 1);
}

const schemas: fc.Arbitrary<JsonObject> = fc
  .tuple(...Array.from({ length: COUNT }, (_, own) => schemaOf(own)))
  .map((all) => Object.fromEntries(all.map((schema, own) => [`C${own}`, schema])));

interface CountingValidator {
  readonly validate: ValidateFunction;
  /** Number of schema evaluations so far. */
  readonly visits: () => number;
}

function createValidator(all: JsonObject, cached: boolean, allErrors: boolean): CountingValidator {
  const cache = new ResultCache();
  const repeated = cached ? repeatedComponents(all) : new Set<string>();
  const ajv: Ajv2020 = createAjv({ allErrors, repeated, cache });
  let visits = 0;
  const countVisit = (): boolean => (visits += 1) > 0;
  ajv.addKeyword({ keyword: 'x-visit', validate: countVisit, schema: false });
  for (const [name, schema] of Object.entries(all)) ajv.addSchema(withVisits(schema) as object, name);
  const compiled = ajv.getSchema('C0');
  assert.ok(compiled);
  const withEmptyCache = (value: unknown): boolean => {
    cache.clear();
    const valid = compiled(value) as boolean;
    withEmptyCache.errors = compiled.errors;
    return valid;
  };
  withEmptyCache.errors = compiled.errors;
  return { validate: withEmptyCache as unknown as ValidateFunction, visits: () => visits };
}

const SCHEMA_MAPS = new Set(['properties', 'patternProperties', 'dependentSchemas']);

/** Adds the counting keyword to a schema and all its subschemas. */
function withVisits(schema: Json | undefined): Json {
  if (Array.isArray(schema)) return schema.map(withVisits);
  if (typeof schema !== 'object' || schema === null) return schema ?? true;
  const entries = Object.entries(schema).map(([keyword, value]): [string, Json] => {
    if (keyword === 'required' || keyword === 'type') return [keyword, value];
    if (!SCHEMA_MAPS.has(keyword)) return [keyword, withVisits(value)];
    return [
      keyword,
      Object.fromEntries(Object.entries(value as JsonObject).map(([name, one]) => [name, withVisits(one)])),
    ];
  });
  return { ...Object.fromEntries(entries), 'x-visit': true };
}

const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.integer({ max: 2, min: 0 }),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.record({ a: tie('value'), b: tie('value') }, { requiredKeys: [] }),
  ),
}));

/** A value of `levels` levels, which take the forms in turn. */
function nested(levels: number, forms: readonly ('a' | 'b' | 'list')[]): Json {
  let built: Json = 1;
  for (let level = 0; level < levels; level += 1) {
    const form = forms[level % forms.length] ?? 'a';
    built = form === 'list' ? [built] : { [form]: built };
  }
  return built;
}

describe('ResultCache', () => {
  it('result cache: results are the same as without it', () => {
    fc.assert(
      fc.property(schemas, value, fc.boolean(), (all, given, allErrors) => {
        const plain = createValidator(all, false, allErrors).validate;
        const caching = createValidator(all, true, allErrors).validate;
        assert.equal(caching(given), plain(given));
        const places = ({ errors }: ValidateFunction): string[] => [
          ...new Set((errors ?? []).slice(0, 20).map(({ instancePath }) => instancePath)),
        ];
        if ((plain.errors?.length ?? 0) <= 20) assert.deepEqual(places(caching), places(plain));
      }),
      { numRuns: runs(200) },
    );
  });

  it('result cache: the number of evaluations is proportional to the value', () => {
    const forms = fc.array(fc.constantFrom('a' as const, 'b' as const, 'list' as const), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(schemas, forms, fc.boolean(), (all, shape, allErrors) => {
        const { validate, visits } = createValidator(all, true, allErrors);
        const size = JSON.stringify(all).length;
        validate(nested(40, shape));
        assert.ok(visits() <= 40 * size, `${visits()} visits by schemas of ${size} characters`);
        assert.ok((validate.errors?.length ?? 0) <= 40 * size);
      }),
      { numRuns: runs(200) },
    );
  });
});

describe('recursive unions', () => {
  const node = (kind: string): Json => ({
    type: 'object',
    required: ['kind', 'children'],
    properties: { kind: { const: kind }, children: { items: { $ref: 'C0' } } },
  });
  const union = { oneOf: [{ $ref: 'C1' }, { $ref: 'C2' }] };
  const folders = (levels: number, last: Json): Json => {
    let built = last;
    for (let level = 0; level < levels; level += 1) {
      built = { kind: level % 2 === 0 ? 'folder' : 'group', children: [built, built] };
    }
    return structuredClone(built);
  };

  it('recursive unions: every level of a value costs the same', () => {
    const all = { C0: union, C1: node('folder'), C2: node('group') };
    for (const last of [{ kind: 'folder', children: [] }, 5]) {
      const costs = [4, 8].map((levels) => {
        const { validate, visits } = createValidator(all, true, true);
        assert.equal(validate(folders(levels, last)), last !== 5);
        return visits() / 2 ** levels;
      });
      assert.ok((costs[1] ?? 0) < 1.5 * (costs[0] ?? 0), costs.join(' then '));
    }
  });

  it('repeatedComponents: returns components that one value can reach in two ways', () => {
    const ref = (name: string): Json => ({ $ref: name });
    const list = (item: Json): Json => ({ items: item });
    const names = (all: JsonObject): string[] => [...repeatedComponents(all)].sort();
    assert.deepEqual(names({ C0: union, C1: node('a'), C2: node('b') }), ['C0', 'C1', 'C2']);
    assert.deepEqual(names({ T: { properties: { left: ref('T'), right: ref('T') } } }), []);
    assert.deepEqual(names({ T: { properties: { next: { anyOf: [ref('T'), { type: 'null' }] } } } }), []);
    assert.deepEqual(names({ T: { items: ref('T'), contains: ref('T') } }), ['T']);
    assert.deepEqual(names({ T: { if: list(ref('T')), then: list(ref('T')) } }), ['T']);
    const chain: JsonObject = { L0: { type: 'integer' } };
    for (let level = 1; level < 20; level += 1)
      chain[`L${level}`] = { allOf: [ref(`L${level - 1}`), ref(`L${level - 1}`)] };
    const { validate, visits } = createValidator({ ...chain, C0: ref('L19') }, true, true);
    assert.equal(validate(5), true);
    assert.ok(visits() < 2000, String(visits()));
  });
});
