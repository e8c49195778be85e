import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_KEY_LENGTH, readKey } from '../../../../src/gateway/idempotency/key.ts';
import { allowed } from '../../../helpers/patience.ts';

describe('Idempotency-Key', () => {
  it('Idempotency-Key: may be absent', () => {
    assert.deepEqual(readKey(undefined), { kind: 'absent' });
  });

  const VALID: [string, string][] = [
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['  "a b, c;d"  ', 'a b, c;d'],
    ['"say \\"hi\\" \\\\"', 'say "hi" \\'],
    ['"a";p=1; q', 'a'],
    ['a:b/c+d=', 'a:b/c+d='],
    [`"${'k'.repeat(MAX_KEY_LENGTH)}"`, 'k'.repeat(MAX_KEY_LENGTH)],
  ];
  for (const [field, key] of VALID) {
    it(`Idempotency-Key: ${field} is the key ${key}`, () => {
      assert.deepEqual(readKey(field), { kind: 'key', key });
    });
  }

  const INVALID: [string, RegExp][] = [
    ['', /must be one string/],
    ['""', /must not be empty/],
    ['"a", "b"', /must be one string/],
    ['a, b', /must be one string/],
    ['"a', /must be one string/],
    ['"a\\b"', /must be one string/],
    ['"é"', /must be one string/],
    ['a b', /must be one string/],
    ['k'.repeat(MAX_KEY_LENGTH + 1), /at most 255 characters/],
  ];
  for (const [field, detail] of INVALID) {
    it(`Idempotency-Key: ${field.slice(0, 20)} is not valid`, () => {
      const read = readKey(field);
      assert.equal(read.kind, 'invalid');
      assert.match(read.kind === 'invalid' ? read.detail : '', detail);
    });
  }

  it('Idempotency-Key: a long value that is not valid is rejected in linear time', () => {
    const started = performance.now();
    assert.equal(readKey(`"a"${';p=1'.repeat(20_000)},`).kind, 'invalid');
    assert.equal(readKey(`"${'\\"'.repeat(20_000)}`).kind, 'invalid');
    assert.ok(performance.now() - started < allowed(1000));
  });
});
