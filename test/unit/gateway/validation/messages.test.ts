import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Joi from 'joi';
import { joiToSchema } from '../../../../src/contract/index.ts';
import type { JsonObject } from '../../../../src/contract/json.ts';
import { describeErrors } from '../../../../src/gateway/validation/messages.ts';
import { createAjv } from '../../../../src/openapi/index.ts';

function faults(schema: JsonObject, value: unknown): string[] {
  const validate = createAjv().compile(schema);
  assert.equal(validate(value), false);
  return describeErrors(validate.errors ?? [], value, '').map(({ pointer, detail }) =>
    `${pointer} ${detail}`.trim(),
  );
}

function joiFaults(schema: Joi.Schema, value: unknown): string[] {
  const { schema: converted, definitions } = joiToSchema(schema, 'json');
  return faults({ ...converted, $defs: definitions }, value);
}

const EMAIL = '/x must match the pattern ^(?:[^@]+@[^\\s/@.]+(?:\\.[^\\s/@.]+)+\\.?)$';

describe('messages of validation errors', () => {
  const object = Joi.object({ a: Joi.number(), b: Joi.number(), c: Joi.number() });
  const text = (rule: (schema: Joi.StringSchema) => Joi.Schema): Joi.Schema =>
    Joi.object({ x: rule(Joi.string()) });
  const cases: [title: string, schema: Joi.Schema, value: unknown, expected: string[]][] = [
    ['or', object.or('a', 'b'), { c: 1 }, ['must have at least one of a, b']],
    ['xor, none', object.xor('a', 'b'), {}, ['must have exactly one of a, b']],
    ['xor, both', object.xor('a', 'b'), { a: 1, b: 1 }, ['must have only one of a, b']],
    ['oxor', object.oxor('a', 'b', 'c'), { a: 1, b: 1 }, ['must have only one of a, b, c']],
    ['oxor of two', object.oxor('a', 'b'), { a: 1, b: 1 }, ['must not have a and b together']],
    ['nand', object.nand('a', 'b'), { a: 1, b: 1 }, ['must not have a and b together']],
    ['and', object.and('a', 'b'), { a: 1 }, ['must have "b" together with "a"']],
    ['without', object.without('a', 'b'), { a: 1, b: 1 }, ['must not have b together with a']],
    ['min', text((x) => x.min(3)), { x: 'ab' }, ['/x must have at least 3 characters']],
    ['email', text((x) => x.email({ tlds: false })), { x: 'q' }, [`${EMAIL} (An e-mail address.)`]],
    ['number', object, { a: 'q', z: 1 }, ['/z is not a known property', '/a must be a number']],
    [
      'alternatives',
      Joi.object({ x: Joi.alternatives(Joi.number().strict(), Joi.boolean().strict(), Joi.valid('all')) }),
      { x: 'q' },
      ['/x must be a number, not a string, or must be true or false, not a string, or must be one of "all"'],
    ],
    ['valid', text((x) => x.valid('a', 'b')), { x: 'q' }, ['/x must be one of "a", "b"']],
  ];
  for (const [title, schema, value, expected] of cases) {
    it(`validation messages: describe ${title}`, () => assert.deepEqual(joiFaults(schema, value), expected));
  }

  it('validation messages: describe alternatives that require more than members', () => {
    const schema: JsonObject = {
      anyOf: [
        { required: ['a', 'b'] },
        { required: ['c'], minProperties: 2 },
        { additionalProperties: false },
      ],
    };
    assert.deepEqual(faults(schema, { x: 1 }), [
      'must have a and must have b, or must have at least 2 members and must have c, or x is not a known property',
    ]);
  });

  it('validation messages: describe each alternative if they concern different values', () => {
    const item = (type: string) => ({ properties: { x: { type } } });
    assert.deepEqual(faults({ anyOf: [item('number'), item('boolean')] }, { x: 'q' }), [
      '/x must be a number, not a string',
      '/x must be true or false, not a string',
      'matches none of the allowed schemas',
    ]);
    const $defs = { A: { type: 'number', allOf: [{ $ref: '#/$defs/B' }] }, B: { minimum: 3 } };
    const referred = faults({ $defs, anyOf: [{ $ref: '#/$defs/A' }, { type: 'boolean' }] }, 'q');
    assert.equal(referred.at(-1), 'matches none of the allowed schemas');
  });

  it('validation messages: are limited in number', () => {
    const many = Array<string>(300_000).fill('q');
    const count = faults({ items: { anyOf: [{ type: 'number' }, { type: 'null' }] } }, many).length;
    assert.ok(count > 600 && count <= 2000, String(count));
  });
});
