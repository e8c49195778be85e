import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findUndelivered } from '../../../../src/router/backend/undelivered.ts';
import { controlFrames } from '../../../../src/wire/control.ts';
import { PackedBatch } from '../../../../src/wire/packed-batch.ts';
import { encodeToken } from '../../../../src/wire/token.ts';
import { makeRequest } from '../../wire/messages.ts';

describe('findUndelivered', () => {
  it('findUndelivered: reports the requests in messages that were never sent', () => {
    const identity = Buffer.from('worker');
    const batch = new PackedBatch();
    batch.addRequest(1, 2, makeRequest());
    batch.addCancel(9, 9);
    batch.addRequest(3, 4, makeRequest({ body: Buffer.alloc(20_000, '1') }));
    const classic = [encodeToken(5, 6), Buffer.alloc(0), Buffer.from('echo'), Buffer.from('1')];
    const found: number[][] = [];
    findUndelivered(
      [
        [identity, ...batch.take()],
        [identity, ...classic],
        [identity, ...controlFrames('$welcome', {})],
        [identity],
      ],
      (id, generation) => found.push([id, generation]),
    );
    assert.deepEqual(found, [
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
  });
});
