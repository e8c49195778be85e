import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ExactNumber,
  numberLoss,
  numberLossIn,
  parseExact,
  stringifyExact,
} from '../../../../src/core/json/exact-json.ts';

describe('exact JSON', () => {
  it('exact JSON: detects numbers that a double changes', () => {
    const losses = {
      none: [
        '0',
        '1',
        '-1',
        '0.1',
        '19.99',
        '123456789012345',
        '9007199254740991',
        '1e+21',
        '1e-7',
        '100',
        '0.001',
      ],
      spelling: ['1.0', '-0', '-0.0', '0.10', '1E5', '1e2', '0.0000001', '1e3', '120.50'],
      value: [
        '9007199254740993',
        '-9223372036854775807',
        '1e400',
        '-1e400',
        '1e-400',
        '0.10000000000000000001',
      ],
    } as const;
    for (const [loss, texts] of Object.entries(losses)) {
      for (const text of texts) {
        assert.equal(numberLoss(text), loss, text);
        assert.equal(numberLossIn(Buffer.from(`{"a":[${text}]}`)), loss, text);
      }
    }
  });

  it('exact JSON: ignores digits in strings', () => {
    for (const text of ['{"a":"9007199254740993"}', '["\\"1.0",1]', '{"1.0":"1e400\\\\"}'])
      assert.equal(numberLossIn(Buffer.from(text)), 'none', text);
  });

  it('exact JSON: keeps the digits of numbers whose value a double changes', () => {
    const value = parseExact('{"id":9007199254740993,"price":1.0,"list":[1e400,1]}') as Record<
      string,
      unknown
    >;
    assert.deepEqual(value, {
      id: new ExactNumber('9007199254740993'),
      price: 1,
      list: [new ExactNumber('1e400'), 1],
    });
    assert.equal(stringifyExact(value), '{"id":9007199254740993,"price":1,"list":[1e400,1]}');
  });

  it('exact JSON: keeps the spelling of numbers on request', () => {
    const text = '{"id":9007199254740993,"price":1.0,"list":[1e400,-0,1E5]}';
    assert.equal(stringifyExact(parseExact(text, 'spelling')), text);
  });

  it('exact JSON: the last of several equal member names wins, and __proto__ is an ordinary name', () => {
    const value = parseExact('{"a":1,"a":9007199254740993,"__proto__":{"b":1}}');
    assert.equal(stringifyExact(value), '{"a":9007199254740993,"__proto__":{"b":1}}');
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
  });

  it('exact JSON: writes bigints, and everything else like JSON.stringify', () => {
    assert.equal(stringifyExact({ id: 2n ** 70n }), '{"id":1180591620717411303424}');
    const value = { a: [undefined, 'x\u2028"\ud800', null, -0, NaN], b: undefined, c: new Date(0), d: {} };
    assert.equal(stringifyExact(value), JSON.stringify(value));
  });

  it('exact JSON: JSON.stringify writes exact numbers as text', () => {
    assert.equal(JSON.stringify([new ExactNumber('1e400')]), '["1e400"]');
  });

  it('exact JSON: rejects invalid JSON', () => {
    for (const text of ['', '{"a":9007199254740993', '[1e400,]', '9007199254740993.', '01', '[1.0.0]'])
      assert.throws(() => parseExact(text), SyntaxError, text);
  });
});
