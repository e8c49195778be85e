import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { jsonText, UnsendableValueError } from '../../../../src/core/json/json-value.ts';

class Row {
  id = 1;
  readonly nothing = undefined;
}
class Hidden {
  readonly #id = 1;
  read(): number {
    return this.#id;
  }
}
class PrintedRow extends Hidden {
  toJSON(): unknown {
    return { id: this.read() };
  }
}

function* generator(): Generator<number> {
  yield 1;
}

const cycle: Record<string, unknown> = {};
cycle['self'] = { cycle };

/** Values that JSON.stringify would change or reject, and their names in the message. */
const UNSENDABLE: Readonly<Record<string, readonly [unknown, string]>> = {
  NaN: [Number.NaN, 'NaN'],
  Infinity: [-Infinity, '-Infinity'],
  'a boxed NaN': [Object(Number.NaN), 'a value of the class Number'],
  'a Map': [new Map([[1, 2]]), 'a value of the class Map'],
  'a Map with members': [Object.assign(new Map(), { id: 1 }), 'a value of the class Map'],
  'a Set': [new Set([1]), 'a value of the class Set'],
  'a generator': [generator(), 'a value of the class Generator'],
  'an iterator': [[1].values(), 'a value of the class'],
  'a stream': [Readable.from(['x']), 'a value of the class Readable'],
  'a web stream': [new ReadableStream(), 'a value of the class ReadableStream'],
  'a Response': [new Response('x'), 'a value of the class Response'],
  'search parameters': [new URLSearchParams('a=1'), 'a value of the class URLSearchParams'],
  'an Error': [new Error('secret'), 'a value of the class Error'],
  'an Error with members': [
    Object.assign(new TypeError('secret'), { code: 'X' }),
    'a value of the class TypeError',
  ],
  'a Buffer': [Buffer.from('x'), 'a value of the class Buffer'],
  'a typed array': [new Float64Array(2), 'a value of the class Float64Array'],
  'an ArrayBuffer': [new ArrayBuffer(2), 'a value of the class ArrayBuffer'],
  'a promise': [Promise.resolve(1), 'a value of the class Promise'],
  'a RegExp': [/x/, 'a value of the class RegExp'],
  'an invalid Date': [new Date(Number.NaN), 'an invalid Date'],
  'a class with private members only': [new Hidden(), 'a value of the class Hidden'],
  'a cycle': [cycle, 'a value that holds itself'],
  'a getter that throws': [
    {
      get secret(): never {
        throw new Error('secret');
      },
    },
    'a value whose code throws',
  ],
};

describe('jsonText', () => {
  for (const [what, [value, named]] of Object.entries(UNSENDABLE)) {
    it(`jsonText: rejects ${what} at any depth and reports its location`, () => {
      const refused = (root: unknown, pointer: string) => {
        assert.throws(
          () => jsonText(root),
          (error) => {
            assert.ok(error instanceof UnsendableValueError);
            assert.ok(error.message.startsWith(named), error.message);
            assert.ok(error.message.includes('has no JSON form'), error.message);
            assert.ok(error.message.includes(pointer), error.message);
            assert.ok(!error.message.includes('secret'), error.message);
            return true;
          },
        );
      };
      refused(value, '');
      refused({ plain: 1, 'a/b': [{ deep: value }] }, '(at /a~1b/0/deep');
      refused([[], [new Row(), value]], '(at /1/1');
    });
  }

  it('jsonText: rejects functions and symbols that JSON.stringify would drop or replace by null', () => {
    assert.throws(() => jsonText(() => 1), { message: 'a function has no JSON form' });
    assert.throws(() => jsonText(Symbol('s')), { message: 'a symbol has no JSON form' });
    assert.throws(() => jsonText({ list: [() => 1] }), {
      message: 'a function has no JSON form (at /list/0)',
    });
  });

  const shared = { id: 1 };
  for (const [what, value, text] of [
    ['undefined as null', undefined, 'null'],
    ['plain values', { a: [1, 'x', null, true, { b: undefined }] }, '{"a":[1,"x",null,true,{}]}'],
    ['empty objects and arrays', [{}, [], Object.create(null)], '[{},[],{}]'],
    ['instances of classes by their members', new Row(), '{"id":1}'],
    ['values by their toJSON', [new PrintedRow(), new URL('http://a/')], '[{"id":1},"http://a/"]'],
    ['dates', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['one value in several places', [shared, shared], '[{"id":1},{"id":1}]'],
    ['bigints with all their digits', { id: 9007199254740993n }, '{"id":9007199254740993}'],
    ['a bigint that toJSON gives', [{ toJSON: () => 9007199254740993n }], '[9007199254740993]'],
    ['boxed values', [Object('x'), Object(1)], '["x",1]'],
    ['gaps of arrays as null', [undefined, 1], '[null,1]'],
  ] as const) {
    it(`jsonText: writes ${what}`, () => assert.equal(jsonText(value), text));
  }
});
