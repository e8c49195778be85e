/** Formats of Joi in the document: what documentation shows, and what the gateway accepts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Joi from 'joi';
import { joiToSchema } from '../../../src/contract/index.ts';
import { createAjv } from '../../../src/openapi/index.ts';

function schemaOf(schema: Joi.Schema): Record<string, unknown> {
  return joiToSchema(schema).schema;
}

describe('dates of Joi', () => {
  for (const [name, joi] of [
    ['string().isoDate()', Joi.string().isoDate()],
    ['date().iso()', Joi.date().iso()],
  ] as const) {
    it(`dates: ${name} is a date-time with an example, and has no pattern`, () => {
      const { format, pattern, examples } = schemaOf(joi);
      assert.deepEqual([format, pattern, examples], ['date-time', undefined, ['2026-01-31T12:00:00Z']]);
    });

    it(`dates: ${name} accepts the dates without time that Joi accepts`, () => {
      const validate = createAjv().compile(schemaOf(joi));
      for (const text of ['2026-01-31T12:00:00Z', '2026-01-31', '2026-01-31T12:00+02:00'])
        assert.deepEqual([validate(text), joi.validate(text).error], [true, undefined], text);
      assert.equal(validate('1.1.2020'), false);
      assert.equal(validate.errors?.[0]?.message, 'must be an ISO 8601 date, such as 2026-01-31T12:00:00Z');
    });
  }

  it('dates: the format of other schemas is still checked', () => {
    const validate = createAjv().compile({ type: 'string', format: 'date-time' });
    assert.deepEqual([validate('2026-01-31'), validate('2026-01-31T12:00:00Z')], [false, true]);
  });
});

describe('examples of Joi formats', () => {
  const FORMATS: Readonly<Record<string, Joi.StringSchema>> = {
    uuid: Joi.string().guid(),
    'uuid of version 4': Joi.string().guid({ version: 'uuidv4' }),
    email: Joi.string().email(),
    uri: Joi.string().uri(),
    ip: Joi.string().ip(),
    hostname: Joi.string().hostname(),
    domain: Joi.string().domain(),
    hex: Joi.string().hex(),
    'hex with prefix': Joi.string().hex({ prefix: true }),
    base64: Joi.string().base64(),
    'data URI': Joi.string().dataUri(),
    duration: Joi.string().isoDuration(),
    'credit card': Joi.string().creditCard(),
    alphanum: Joi.string().alphanum(),
    token: Joi.string().token(),
  };
  for (const [name, joi] of Object.entries(FORMATS)) {
    it(`examples: that of ${name} is valid for Joi and for the schema`, () => {
      const schema = schemaOf(joi);
      const [example] = schema['examples'] as string[];
      assert.equal(joi.validate(example).error, undefined, example);
      assert.equal(createAjv().compile(schema)(example), true, example);
    });
  }

  it('examples: a text with further rules or with examples of its own has none of the format', () => {
    assert.equal(schemaOf(Joi.string().alphanum().length(3))['examples'], undefined);
    assert.deepEqual(schemaOf(Joi.string().email().example('eva@example.org'))['examples'], [
      'eva@example.org',
    ]);
  });
});
