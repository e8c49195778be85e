/**
 * The rule of the conversion: ajv accepts with the converted schema whatever Joi accepts. Schemas
 * and values are random. Values are chosen to be valid often, since values that Joi rejects prove
 * nothing.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type Joi from 'joi';
import { type ConversionMode, joiToSchema } from '../../src/contract/index.ts';
import { createAjv } from '../../src/openapi/index.ts';
import { recursive, referring } from './joi-references.ts';
import {
  anything,
  booleans,
  common,
  conditioned,
  dates,
  type Made,
  made,
  numbersMade,
  scalar,
  strings,
} from './joi-schemas.ts';

const RUNS = Number(process.env['FC_RUNS'] ?? 500);

/** Joi's result; undefined if the schema itself is invalid. */
function joiTakes(schema: Joi.Schema, value: unknown): boolean | undefined {
  try {
    return schema.validate(value).error === undefined;
  } catch {
    return undefined;
  }
}

let taken = 0;
let tried = 0;

function holdAgainst({ schema, likes }: Made, values: readonly unknown[], mode: ConversionMode): void {
  if (!canDescribe(schema)) return;
  const { schema: converted, definitions } = joiToSchema(schema, mode);
  const validate = createAjv().compile({ ...converted, $defs: definitions });
  for (const value of [...likes.slice(0, 400), ...values]) {
    const json: unknown = JSON.parse(JSON.stringify(value ?? null));
    tried += 1;
    if (joiTakes(schema, json) !== true) continue;
    taken += 1;
    if (!validate(json)) {
      assert.fail(
        `Joi takes ${JSON.stringify(json)}, the schema does not: ${JSON.stringify({ ...converted, $defs: definitions })}`,
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
function shown(arbitrary: fc.Arbitrary<Made>): fc.Arbitrary<Made> {
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
    ['numbers', numbersMade],
    ['any schema', made],
    ['keys that depend on one another', conditioned],
    ['rules that refer to other values', referring],
    ['schemas that lead back to themselves', recursive],
  ] as const) {
    it(`${what}: the converted schema accepts what Joi accepts`, () => {
      fc.assert(
        fc.property(shown(arbitrary), fc.array(anything, { maxLength: 20 }), (one, values) =>
          holdAgainst(one, values, 'json'),
        ),
        { numRuns: RUNS },
      );
    });
  }

  it('strings with all common rules: the converted schema accepts what Joi accepts', () => {
    const both = fc
      .tuple(fc.oneof(strings, numbersMade, booleans, dates), common)
      .map(([one, step]) => ({ ...one, schema: step(one.schema) }));
    fc.assert(
      fc.property(shown(both), fc.array(scalar, { maxLength: 20 }), (one, values) =>
        holdAgainst(one, values, 'json'),
      ),
      { numRuns: RUNS },
    );
  });

  it('random values are valid often enough to be significant', () =>
    assert.ok(taken > tried / 20, `${taken} of ${tried}`));
});
