import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeToken, isToken, TOKEN_BYTES, tokenGeneration, tokenId } from '../../../src/wire/token.ts';

describe('tokens', () => {
  it('token: contains a slot and its generation', () => {
    for (const [id, generation] of [
      [0, 0],
      [1, 0xffffffff],
      [0xffffffff, 1],
    ] as const) {
      const token = encodeToken(id, generation);
      assert.ok(isToken(token));
      assert.deepEqual([tokenId(token), tokenGeneration(token)], [id, generation]);
    }
  });

  it('token: has nine bytes and starts with a T', () => {
    assert.ok(!isToken(Buffer.from('T')));
    assert.ok(!isToken(Buffer.alloc(TOKEN_BYTES)));
    assert.ok(!isToken(Buffer.alloc(TOKEN_BYTES + 1, 'T')));
  });
});
