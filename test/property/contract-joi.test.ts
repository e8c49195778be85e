// test:all: 40 s; test/unit/contract/joi-table.test.ts represents it
/**
 * The rule of the conversion: ajv accepts with the converted schema whatever Joi accepts. Schemas
 * and values are random. Values are chosen to be valid often, since values that Joi rejects prove
 * nothing.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type Joi from 'joi';
import { type ConversionMode, joiToSchema } from '../../src/contract/index.ts';
import { createAjv } from '../../src/openapi/index.ts';
import fc, { runs } from '../helpers/property.ts';
import { recursive, withReferences } from './joi-references.ts';
import {
  anySchema,
  anyValue,
  booleans,
  common,
  dates,
  dependentKeys,
  numberSchemas,
  type SchemaSample,
  scalar,
  strings,
} from './joi-schemas.ts';

const RUNS = runs(500);

/** Whether Joi accepts a value; undefined if the schema itself is invalid. */
function joiAccepts(schema: Joi.Schema, value: unknown): boolean | undefined {
  try {
    return schema.validate(value).error === undefined;
  } catch {
    return undefined;
  }
}

let accepted = 0;
let tried = 0;

function checkConversion(
  { schema, candidates }: SchemaSample,
  values: readonly unknown[],
  mode: ConversionMode,
): void {
  if (!canDescribe(schema)) return;
  const { schema: converted, definitions } = joiToSchema(schema, mode);
  const validate = createAjv().compile({ ...converted, $defs: definitions });
  for (const value of [...candidates.slice(0, 400), ...values]) {
    const json: unknown = JSON.parse(JSON.stringify(value ?? null));
    tried += 1;
    if (joiAccepts(schema, json) !== true) continue;
    accepted += 1;
    if (!validate(json)) {
      assert.fail(
        `Joi accepts ${JSON.stringify(json)}, the schema does not: ${JSON.stringify({ ...converted, $defs: definitions })}`,
      );
    }
  }
}

/** Joi cannot describe a schema that allows a number beyond the safe integers. */
function canDescribe(schema: Joi.Schema): boolean {
  try {
    schema.describe();
    return true;
  } catch {
    return false;
  }
}

/** Prints a counterexample as Joi describes it instead of its internal state. */
function printable(arbitrary: fc.Arbitrary<SchemaSample>): fc.Arbitrary<SchemaSample> {
  return arbitrary.map((one) => {
    const text = (): string =>
      canDescribe(one.schema)
        ? JSON.stringify(one.schema.describe(), (_key, value: unknown) => value ?? null)
        : '?';
    return Object.defineProperty({ ...one }, fc.toStringMethod, { value: text });
  });
}

describe('joiToSchema with random schemas', () => {
  for (const [what, arbitrary] of [
    ['strings', strings],
    ['numbers', numberSchemas],
    ['any schema', anySchema],
    ['keys that depend on each other', dependentKeys],
    ['rules that refer to other values', withReferences],
    ['recursive schemas', recursive],
  ] as const) {
    it(`joiToSchema, ${what}: the converted schema accepts every value that Joi accepts`, () => {
      fc.assert(
        fc.property(printable(arbitrary), fc.array(anyValue, { maxLength: 20 }), (one, values) =>
          checkConversion(one, values, 'json'),
        ),
        { numRuns: RUNS },
      );
    });
  }

  it('joiToSchema, common rules: the converted schema accepts every value that Joi accepts', () => {
    const both = fc
      .tuple(fc.oneof(strings, numberSchemas, booleans, dates), common)
      .map(([one, step]) => ({ ...one, schema: step(one.schema) }));
    fc.assert(
      fc.property(printable(both), fc.array(scalar, { maxLength: 20 }), (one, values) =>
        checkConversion(one, values, 'json'),
      ),
      { numRuns: RUNS },
    );
  });

  it('joiToSchema: random values are valid often enough to be significant', () =>
    assert.ok(accepted > tried / 20, `${accepted} of ${tried}`));
});
