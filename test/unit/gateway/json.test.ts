import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BodyError, parseJson } from '../../../src/gateway/binding/json.ts';

describe('JSON bodies', () => {
  it('parseJson: keeps the bytes if they can be forwarded', () => {
    for (const text of [
      '{}',
      ' [1, {"a":":,{[\\"]}"}] ',
      '"a:b"',
      '{"a":{"b":[{"c":1}]}}',
      '{"\\u0061":1,"b":1}',
    ]) {
      assert.equal(parseJson(Buffer.from(text), 10).bytes.toString(), text);
    }
  });

  it('parseJson: rewrites a body with a duplicate name, also if it is escaped differently; the last member counts', () => {
    const texts = {
      '{"a":1,"a":2}': '{"a":2}',
      '{"a":1,"\\u0061":1.0}': '{"a":1.0}',
      '[{"x":{"a":1,"b":1,"a":9007199254740993}}]': '[{"x":{"a":9007199254740993,"b":1}}]',
      '{"__proto__":1,"__proto__":2}': '{"__proto__":2}',
    };
    for (const [text, written] of Object.entries(texts)) {
      assert.equal(parseJson(Buffer.from(text), 10).bytes.toString(), written);
    }
  });

  it('parseJson: rejects numbers that are too long', () => {
    const text = `{"a":${'7'.repeat(4301)}}`;
    assert.throws(() => parseJson(Buffer.from(text), 10), /a number of more than 4300 characters/);
  });

  it('parseJson: limits the depth, and ignores brackets in strings', () => {
    const deep = (levels: number): Buffer => Buffer.from('['.repeat(levels) + ']'.repeat(levels));
    assert.doesNotThrow(() => parseJson(deep(100), 100));
    assert.throws(() => parseJson(deep(101), 100), BodyError);
    assert.throws(() => parseJson(deep(400_000), 100), BodyError);
    assert.doesNotThrow(() => parseJson(Buffer.from(JSON.stringify('['.repeat(500))), 1));
  });

  it('parseJson: reports the position of a syntax error', () => {
    const places: [text: string, message: RegExp][] = [
      ['', /ends too early, at position 0 \(line 1, column 1\)/],
      ['{"a":1', /ends too early, at position 6/],
      ['{a:1}', /has an unexpected "a", at position 1 \(line 1, column 2\)/],
      ['[1,\n2,\n x]', /has an unexpected "x", at position 8 \(line 3, column 2\)/],
      ['NaN', /unexpected "N"/],
      ['{"a":01}', /unexpected "1"/],
      ["{'a':1}", /unexpected "'"/],
      ['{} {}', /has an unexpected "\{", at position 3/],
      ['[1}', /has an unexpected "\}", at position 2/],
      ['{"a":1,}', /has an unexpected "\}", at position 7/],
      ['[1,]', /has an unexpected "\]", at position 3/],
      ['"a\\x"', /has an unexpected "\\\\", at position 2/],
      ['tru', /has an unexpected "t", at position 0/],
      ['[😀]', /has an unexpected "😀", at position 1/],
      ['"\u0001"', /unexpected "\\u0001"/],
    ];
    for (const [text, message] of places)
      assert.throws(() => parseJson(Buffer.from(text), 10), message, text);
  });

  it('parseJson: rejects bytes that are not UTF-8', () => {
    assert.throws(() => parseJson(Buffer.from([0x22, 0xff, 0x22]), 10), /is not UTF-8/);
    assert.throws(() => parseJson(Buffer.from('"a"', 'utf16le'), 10), BodyError);
  });
});
