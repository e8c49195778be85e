import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonReader, type LargeIntegers } from '../../../../src/core/json/large-integers.ts';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';
import fc from '../../../helpers/property.ts';

const SAFE = Number.MAX_SAFE_INTEGER;

describe('jsonReader', () => {
  it('jsonReader: changes the type of integers beyond 2^53 - 1 and of no other numbers', () => {
    const text = `{"a":[${SAFE},-${SAFE},9007199254740992,-9007199254740993,10000000000000000000000]}`;
    const exact = [9007199254740992n, -9007199254740993n, 10000000000000000000000n];
    assert.deepEqual(jsonReader('bigint')(text), { a: [SAFE, -SAFE, ...exact] });
    assert.deepEqual(jsonReader('string')(text), { a: [SAFE, -SAFE, ...exact.map(String)] });
    assert.deepEqual(jsonReader('number')(text), { a: [SAFE, -SAFE, ...exact.map(Number)] });
    assert.deepEqual(jsonReader()(text), jsonReader('number')(text));
  });

  for (const option of ['bigint', 'string'] as const) {
    it(`jsonReader: returns numbers with a fraction or an exponent as doubles: ${option}`, () => {
      const text = '[9007199254740993.0,1e400,1e20,0.12345678901234567890,1234567890123456.5]';
      assert.deepEqual(jsonReader(option)(text), JSON.parse(text));
    });

    it(`jsonReader: leaves digits in strings and names alone: ${option}`, () => {
      const text = '{"9007199254740993":"9007199254740993","\\"12345678901234567890":[1,"\\\\"]}';
      assert.deepEqual(jsonReader(option)(text), JSON.parse(text));
    });

    it(`jsonReader: keeps a member named __proto__ and the last of two equal names: ${option}`, () => {
      const value = jsonReader(option)('{"__proto__":{"x":9007199254740993},"a":1,"a":2}') as object;
      assert.deepEqual(Object.keys(value), ['__proto__', 'a']);
      assert.equal((value as { a: unknown }).a, 2);
    });

    it(`jsonReader: rejects invalid JSON like JSON.parse: ${option}`, () => {
      for (const text of ['', '{"a":9007199254740993', '[09007199254740993]', '+9007199254740993']) {
        assert.throws(() => jsonReader(option)(text), { name: 'SyntaxError' }, text);
      }
    });

    it(`jsonReader: reports a text that is nested too deeply: ${option}`, () => {
      const text = '['.repeat(100_000) + '9007199254740993' + ']'.repeat(100_000);
      assert.throws(() => jsonReader(option)(text), {
        name: 'RangeError',
        message: 'it is nested too deeply to read its large integers',
      });
    });
  }

  it('jsonReader: rejects a bigint with more digits than Python accepts', () => {
    assert.equal(jsonReader('bigint')('9'.repeat(4300)), BigInt('9'.repeat(4300)));
    assert.throws(() => jsonReader('bigint')('9'.repeat(4301)), {
      name: 'RangeError',
      message: 'it has an integer of more than 4300 characters',
    });
    assert.equal(jsonReader('string')('9'.repeat(4301)), '9'.repeat(4301));
  });

  it('jsonReader: keeps all digits of every integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), fc.json(), (integer, other) => {
        const [bigint, rest] = jsonReader('bigint')(`[${integer},${other}]`) as [unknown, unknown];
        assert.equal(String(bigint), String(integer));
        assert.equal(typeof bigint, Number.isSafeInteger(Number(integer)) ? 'number' : 'bigint');
        assert.deepEqual(rest, jsonReader('bigint')(other));
        assert.equal(String((jsonReader('string')(`[${integer}]`) as unknown[])[0]), String(integer));
      }),
    );
  });

  it('jsonReader: rejects an unknown option value', () => {
    assert.throws(() => jsonReader('BigInt' as LargeIntegers), {
      constructor: ZeroMQConfigError,
      message: "largeIntegers must be 'number', 'bigint', 'string', got BigInt",
    });
  });
});
