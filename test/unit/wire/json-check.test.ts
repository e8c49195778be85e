import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  isClassicJson,
  isJson,
  MAX_CLASSIC_DEPTH,
  MAX_CLASSIC_DIGITS,
} from '../../../src/wire/json-check.ts';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const both = (text: string | Buffer): [boolean, boolean] => {
  const bytes = Buffer.from(text);
  return [isJson(bytes), isClassicJson(bytes)];
};

describe('isJson and isClassicJson', () => {
  for (const text of ['{}', ' [1, "x"] ', 'null', '-1.5e3', '"\\u2028 ü"', '"[[[[ 12345"']) {
    it(`isJson and isClassicJson: accept ${text}`, () => assert.deepEqual(both(text), [true, true]));
  }

  for (const text of ['', '{"a"', 'NaN', 'undefined', '\ufeff{}', '1 2', Buffer.from([0x22, 0xff, 0x22])]) {
    it(`isJson and isClassicJson: reject ${JSON.stringify(String(text))}`, () =>
      assert.deepEqual(both(text), [false, false]));
  }
});

describe('isClassicJson', () => {
  it('isClassicJson: rejects JSON that is nested too deeply for Python', () => {
    assert.deepEqual(both(nested(MAX_CLASSIC_DEPTH)), [true, true]);
    assert.deepEqual(both(nested(MAX_CLASSIC_DEPTH + 1)), [true, false]);
  });

  it('isClassicJson: rejects numbers with too many digits for Python', () => {
    const digits = (count: number): string => `[1,${'7'.repeat(count)},1]`;
    assert.deepEqual(both(digits(MAX_CLASSIC_DIGITS)), [true, true]);
    assert.deepEqual(both(digits(MAX_CLASSIC_DIGITS + 1)), [true, false]);
    assert.deepEqual(both(JSON.stringify('7'.repeat(10_000))), [true, true], 'a text of digits is none');
    assert.deepEqual(both(JSON.stringify(Array.from({ length: 5000 }, () => 7))), [true, true]);
  });

  it('isClassicJson: accepts quotes and backslashes in strings', () => {
    assert.deepEqual(both(JSON.stringify({ 'a"\\': `"${nested(900)}` })), [true, true]);
  });
});
