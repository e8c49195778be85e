/** Tests that validation takes time proportional to the value, and that caching changes no result. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Ajv2020, ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { Json, JsonObject } from '../../src/contract/json.ts';
import { repeatedComponents } from '../../src/openapi/checks/repeated.ts';
import { ResultCache } from '../../src/openapi/checks/result-cache.ts';
import { createAjv } from '../../src/openapi/index.ts';

const COUNT = 3;

/** A schema of component `own`; the same value goes to later components only, so that no circle stays in place. */
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
    // Parts of the value may go to any component.
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

interface Judge {
  readonly judge: ValidateFunction;
  /** Schemas that were held against values so far. */
  readonly visits: () => number;
}

function judgeOf(all: JsonObject, remembers: boolean, allErrors: boolean): Judge {
  const cache = new ResultCache();
  const repeated = remembers ? repeatedComponents(all) : new Set<string>();
  const ajv: Ajv2020 = createAjv({ allErrors, repeated, cache });
  let visits = 0;
  const validate = (): boolean => (visits += 1) > 0;
  ajv.addKeyword({ keyword: 'x-visit', validate, schema: false });
  for (const [name, schema] of Object.entries(all)) ajv.addSchema(marked(schema) as object, name);
  const judge = ajv.getSchema('C0');
  assert.ok(judge);
  const forgetting = (value: unknown): boolean => {
    cache.clear();
    const valid = judge(value) as boolean;
    forgetting.errors = judge.errors;
    return valid;
  };
  forgetting.errors = judge.errors;
  return { judge: forgetting as unknown as ValidateFunction, visits: () => visits };
}

const HOLDS_SCHEMAS = new Set(['properties', 'patternProperties', 'dependentSchemas']);

/** The schema with a mark in it and in all schemas below. */
function marked(schema: Json | undefined): Json {
  if (Array.isArray(schema)) return schema.map(marked);
  if (typeof schema !== 'object' || schema === null) return schema ?? true;
  const entries = Object.entries(schema).map(([keyword, value]): [string, Json] => {
    if (keyword === 'required' || keyword === 'type') return [keyword, value];
    if (!HOLDS_SCHEMAS.has(keyword)) return [keyword, marked(value)];
    return [
      keyword,
      Object.fromEntries(Object.entries(value as JsonObject).map(([name, one]) => [name, marked(one)])),
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

/** A value of so many levels, each as one of the forms says. */
function tower(levels: number, forms: readonly ('a' | 'b' | 'list')[]): Json {
  let built: Json = 1;
  for (let level = 0; level < levels; level += 1) {
    const form = forms[level % forms.length] ?? 'a';
    built = form === 'list' ? [built] : { [form]: built };
  }
  return built;
}

describe('cached results', () => {
  it('are those that ajv would give without', () => {
    fc.assert(
      fc.property(schemas, value, fc.boolean(), (all, given, allErrors) => {
        const plain = judgeOf(all, false, allErrors).judge;
        const remembering = judgeOf(all, true, allErrors).judge;
        assert.equal(remembering(given), plain(given));
        const places = ({ errors }: ValidateFunction): string[] => [
          ...new Set((errors ?? []).slice(0, 20).map(({ instancePath }) => instancePath)),
        ];
        if ((plain.errors?.length ?? 0) <= 20) assert.deepEqual(places(remembering), places(plain));
      }),
      { numRuns: 200 },
    );
  });

  it('keep the cost of a value in proportion to it', () => {
    const forms = fc.array(fc.constantFrom('a' as const, 'b' as const, 'list' as const), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(schemas, forms, fc.boolean(), (all, shape, allErrors) => {
        const { judge, visits } = judgeOf(all, true, allErrors);
        const size = JSON.stringify(all).length;
        judge(tower(40, shape));
        assert.ok(visits() <= 40 * size, `${visits()} visits by schemas of ${size} characters`);
        assert.ok((judge.errors?.length ?? 0) <= 40 * size);
      }),
      { numRuns: 200 },
    );
  });
});

describe('unions that lead back to themselves', () => {
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

  it('cost the same for each level', () => {
    const all = { C0: union, C1: node('folder'), C2: node('group') };
    for (const last of [{ kind: 'folder', children: [] }, 5]) {
      const costs = [4, 8].map((levels) => {
        const { judge, visits } = judgeOf(all, true, true);
        assert.equal(judge(folders(levels, last)), last !== 5);
        return visits() / 2 ** levels;
      });
      assert.ok((costs[1] ?? 0) < 1.5 * (costs[0] ?? 0), costs.join(' then '));
    }
  });

  it('are found where one value can reach the circle in two ways, and only there', () => {
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
    const { judge, visits } = judgeOf({ ...chain, C0: ref('L19') }, true, true);
    assert.equal(judge(5), true);
    assert.ok(visits() < 2000, String(visits()));
  });
});
