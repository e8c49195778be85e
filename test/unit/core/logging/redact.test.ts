import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CENSORED, redact } from '../../../../src/core/logging/redact.ts';

describe('redact', () => {
  it('redact: replaces secrets by field name at any depth', () => {
    const names = [
      'authorization',
      'Proxy-Authorization',
      'cookie',
      'set-cookie',
      'password',
      'passwd',
      'passphrase',
      'secretKey',
      'curve_secret',
      'apiKey',
      'x-api-key',
      'privateKey',
      'token',
      'accessToken',
      'credentials',
    ];
    for (const name of names) {
      assert.deepEqual(redact({ list: [{ deep: { [name]: 'x', other: 1 } }] }), {
        list: [{ deep: { [name]: CENSORED, other: 1 } }],
      });
    }
  });

  it('redact: leaves everything else and does not copy values without secrets', () => {
    const fields = {
      publicKey: 'k',
      tokens: 3,
      author: 'x',
      at: new Date(0),
      body: Buffer.from('x'),
      list: [1, { a: 2 }],
    };
    assert.equal(redact(fields), fields);
    assert.equal(redact('password'), 'password');
    assert.equal(redact(null), null);
  });

  it('redact: does not modify its argument and handles cycles', () => {
    const fields: Record<string, unknown> = { password: 'x' };
    fields['self'] = fields;
    const clean = redact(fields);
    assert.equal(clean['password'], CENSORED);
    assert.equal(fields['password'], 'x');
  });
});
