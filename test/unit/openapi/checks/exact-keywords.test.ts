import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json } from '../../../../src/contract/json.ts';
import { parseExact } from '../../../../src/core/json/exact-json.ts';
import { SchemaCompiler, validateExactly } from '../../../../src/openapi/index.ts';

/** Whether a schema accepts a value; both are JSON text. */
function accepts(schema: string, value: string): boolean {
  const document = { components: { schemas: { X: parseExact(schema), Named: { type: 'integer' } } } };
  const compiler = new SchemaCompiler({ document: document as never });
  return validateExactly(
    compiler.compile('/components/schemas/X', { precision: 'exact' }),
    parseExact(value, 'spelling') as Json,
  );
}

const BEYOND = '9007199254740993';
const CASES: readonly [schema: string, accepts: readonly string[], refuses: readonly string[]][] = [
  [
    '{"type":"integer"}',
    [BEYOND, '1.0', '1e400', '-1e400', '0e5', '100e-2'],
    ['9007199254740993.5', '1.00000000000000000001', '1e-400', '0.1e-30'],
  ],
  ['{"type":"number"}', [BEYOND, '1e400', '1e-400', '0.1234567890123456789'], []],
  ['{"type":["object","array","string","null","boolean"]}', [], [BEYOND, '1e400']],
  [
    '{"maximum":9007199254740992}',
    ['9007199254740992', '-1e400', '9007199254740991.9999999'],
    [BEYOND, '9007199254740992.5', '1e400'],
  ],
  [
    '{"maximum":9007199254740993}',
    [BEYOND, '9007199254740993.0'],
    ['9007199254740994', '9007199254740993.1'],
  ],
  [
    '{"minimum":9007199254740993}',
    [BEYOND, '9007199254740994', '1e400'],
    ['9007199254740992', '9007199254740992.9'],
  ],
  [
    '{"exclusiveMaximum":9007199254740993}',
    ['9007199254740992', '9007199254740992.999'],
    [BEYOND, '9007199254740994'],
  ],
  ['{"exclusiveMinimum":9007199254740992}', [BEYOND], ['9007199254740992', '9007199254740992.0']],
  ['{"exclusiveMinimum":0}', ['1e-400'], ['-1e-400', '0', '-0.0']],
  ['{"multipleOf":2}', ['9007199254740994', '1e400', '0'], [BEYOND, '3e-400']],
  ['{"multipleOf":3}', [BEYOND, '3e400', '9e400'], ['9007199254740994', '1e400']],
  [
    '{"multipleOf":0.01}',
    ['19.99', '90071992547409.93', '9007199254740993.01', '1e400'],
    ['0.001', '9007199254740993.001'],
  ],
  ['{"multipleOf":1e-400}', ['1', '5e-400'], ['1e-401']],
  [
    '{"const":9007199254740993}',
    [BEYOND, '9007199254740993.0', '9.007199254740993e15'],
    ['9007199254740992', `"${BEYOND}"`, `[${BEYOND}]`],
  ],
  [
    '{"enum":[1,[9007199254740993],{"a":9007199254740993}]}',
    ['1', '1.0', `[${BEYOND}]`, `{"a":${BEYOND}}`],
    [BEYOND, '[9007199254740992]'],
  ],
  ['{"enum":[9007199254740992]}', ['9007199254740992'], [BEYOND]],
  [
    '{"uniqueItems":true}',
    [`[9007199254740992,${BEYOND}]`, '[{"a":1e400},{"a":1e401}]', `["${BEYOND}",${BEYOND}]`],
    [`[${BEYOND},${BEYOND}.0]`, '[{"a":1e400},{"a":10e399}]', '[1,1.0]'],
  ],
  [
    '{"format":"int64"}',
    ['9223372036854775807', '-9223372036854775808'],
    ['9223372036854775808', '-9223372036854775809', '9007199254740993.5'],
  ],
  ['{"format":"int32"}', ['2147483647'], [BEYOND]],
  ['{"not":{"maximum":9007199254740992}}', [BEYOND], ['9007199254740992']],
  ['{"oneOf":[{"type":"integer"},{"type":"object"}]}', [BEYOND], ['9007199254740993.5']],
  [
    '{"properties":{"a":{"$ref":"#/components/schemas/Named","maximum":9007199254740992}}}',
    ['{"a":1}'],
    [`{"a":${BEYOND}}`, '{"a":1.00000000000000000001}'],
  ],
  [
    '{"items":{"anyOf":[{"maximum":1},{"minimum":9007199254740993}]}}',
    [`[1,${BEYOND}]`],
    ['[9007199254740992,1e-400]'],
  ],
  [
    '{"required":["text"],"minProperties":1,"additionalProperties":false}',
    [BEYOND, '1e400'],
    [`{"text":${BEYOND}}`],
  ],
];

describe('exact keywords', () => {
  for (const [schema, good, bad] of CASES) {
    it(`exact keywords: compare all digits with ${schema}`, () => {
      for (const value of good) assert.equal(accepts(schema, value), true, value);
      for (const value of bad) assert.equal(accepts(schema, value), false, value);
    });
  }

  it('exact keywords: apply to a schema with an exact number and a value without one', () => {
    const document = {
      components: { schemas: { X: parseExact('{"items":{"maximum":9223372036854775807}}') } },
    };
    const validate = new SchemaCompiler({ document: document as never }).compile('/components/schemas/X');
    assert.deepEqual([validate([1, 2 ** 62]), validate([2 ** 63])], [true, false]);
  });

  it('exact keywords: use decimal arithmetic for a fractional multipleOf', () => {
    const document = { components: { schemas: { X: { multipleOf: 0.01 } } } };
    const validate = new SchemaCompiler({ document: document as never }).compile('/components/schemas/X');
    assert.deepEqual(
      [19.99, 0.07, 1.1, 4.35, 1e21].map((value) => validate(value)),
      [true, true, true, true, true],
    );
    assert.equal(validate(0.015), false);
  });

  it('exact keywords: cache results for each exact number separately', () => {
    const ref = { $ref: '#/components/schemas/Tree' };
    const Tree = parseExact('{"maximum":9007199254740992}') as object;
    const X = { items: { ...ref } };
    const schemas = { X, Tree: { ...Tree, items: ref, contains: ref } };
    const compiler = new SchemaCompiler({ document: { components: { schemas } } as never });
    const validate = compiler.compile('/components/schemas/X', { precision: 'exact' });
    const judged = (text: string): boolean => validateExactly(validate, parseExact(text, 'spelling') as Json);
    assert.equal(judged('[9007199254740992,9007199254740992]'), true);
    // Both numbers have the same double.
    assert.equal(judged('[9007199254740992,9007199254740993]'), false);
    assert.equal(judged('[[9007199254740992],[9007199254740993]]'), false);
  });
});
