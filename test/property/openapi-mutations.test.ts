// test:all: 20 s; document-references.test.ts represents it
/** Real documents with random damage: each is rejected with a ContractError, or is served and compiles. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ContractError } from '../../src/contract/errors.ts';
import { at, isObject, type Json } from '../../src/contract/json.ts';
import { ApiRegistry, SchemaCompiler } from '../../src/openapi/index.ts';
import fc, { runs } from '../helpers/property.ts';

const RUNS = runs(400);

const folder = fileURLToPath(new URL('../../node_modules/@readme/oas-examples/', import.meta.url));
const originals = [
  '3.0/json/petstore.json',
  '3.1/json/train-travel.json',
  '3.0/json/circular.json',
  '3.1/json/schema-types.json',
].map((name) => readFileSync(folder + name, 'utf8'));

const names = [
  '$ref',
  'type',
  'properties',
  'items',
  'allOf',
  'required',
  'schema',
  'content',
  'in',
  'name',
  'parameters',
  'x-event-name',
  'x-event-body',
  'enum',
  'nullable',
  'pattern',
  '$id',
  'additionalProperties',
];
const refs = [
  '#',
  '#/',
  '#/paths',
  '#/components/schemas/Pet',
  '#/components',
  '#/info',
  'x.yaml',
  '#/components/schemas/none',
];
const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, '', 'object', 'string', ['a'], [], {}, 'path', 'query'),
  fc.constantFrom(...refs).map(($ref) => ({ $ref })),
  fc.constantFrom(...refs),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>,
);
const damage = fc.record({
  steps: fc.array(fc.nat(), { maxLength: 14 }),
  how: fc.constantFrom('set', 'delete', 'rename', 'copy'),
  name: fc.constantFrom(...names),
  value,
});

/** Follows the steps into a document and damages the value there. */
function applyDamage(
  root: unknown,
  { steps, how, name, value: replacement }: { steps: number[]; how: string; name: string; value: unknown },
): void {
  let holder = root as Record<string, unknown>;
  let key = '';
  for (const step of steps) {
    const keys = Object.keys(holder);
    key = keys[step % Math.max(keys.length, 1)] ?? name;
    const next = holder[key];
    if (typeof next !== 'object' || next === null) break;
    if (step !== steps.at(-1)) holder = next as Record<string, unknown>;
  }
  if (key === '') key = name;
  if (how === 'delete') delete holder[key];
  else if (how === 'set') holder[key] = structuredClone(replacement);
  else if (Array.isArray(holder)) holder.push(structuredClone(replacement));
  else if (how === 'rename') holder[name] = holder[key];
  else holder[`${key}x`] = structuredClone(holder[key]);
}

describe('damaged documents', () => {
  for (const kind of ['worker', 'document'] as const) {
    it(`damaged documents: are rejected with a ContractError or served, as the contract of a ${kind}`, () => {
      const registry = new ApiRegistry();
      registry.put('good', { paths: { '/good': { get: {} } } });
      let served = 0;
      let rejected = 0;
      fc.assert(
        fc.property(
          fc.constantFrom(...originals),
          fc.array(damage, { minLength: 1, maxLength: 3 }),
          (original, damages) => {
            const document: unknown = JSON.parse(original);
            for (const one of damages) applyDamage(document, one);
            const before = registry.snapshot();
            try {
              const { document: merged, operations } = registry.put('damaged', document, {
                kind,
                prefix: '/v1',
              });
              const compiler = new SchemaCompiler({ document: merged });
              for (const { parameters, bodies, replies } of operations) {
                for (const { pointer, schema } of [...parameters, ...bodies, ...replies]) {
                  assert.deepEqual(at(merged as unknown as Json, pointer), schema);
                  compiler.compile(pointer)({});
                }
              }
              assert.ok(isObject(merged.paths));
              registry.remove('damaged');
              served += 1;
            } catch (error) {
              if (!(error instanceof ContractError)) throw error;
              assert.match(error.message, /^damaged: /);
              assert.equal(registry.snapshot(), before);
              rejected += 1;
            }
          },
        ),
        { numRuns: RUNS },
      );
      assert.ok(served > RUNS / 20 && rejected > RUNS / 20, `${served} served, ${rejected} rejected`);
    });
  }
});
