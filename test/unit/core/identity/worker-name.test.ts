/** Names of workers for people. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { placeOf, printable, shortId, workerName } from '../../../../src/core/identity/worker-name.ts';

const ID = '0123456789abcdef0123456789abcdef_00112233aabbccdd';

describe('worker names', () => {
  it('worker names: have contract, file, host and the end of the identity', () => {
    const parts = { contract: 'shop', file: 'shop.ts', host: 'host-1' };
    assert.equal(workerName(ID, parts), 'shop/shop.ts@host-1#aabbccdd');
  });

  it('worker names: leave out what a worker did not announce', () => {
    assert.equal(workerName(ID, { file: 'echo.ts' }), 'echo.ts#aabbccdd');
    assert.equal(workerName(ID, {}), 'worker#aabbccdd');
    assert.equal(workerName('stock-1', { classic: true }), 'classic#stock-1');
  });

  it('worker names: escape what cannot be printed', () => {
    assert.equal(workerName('\0k\x8bEg', { classic: true }), 'classic#6b8b4567');
    assert.equal(workerName('a\u202eb', { contract: 'x\u001b[2J' }), 'x\\x1b[2J#a\\u202eb');
    assert.equal(printable('back\\slash \u{e0001} ü 店'), 'back\\\\slash \\u{e0001} ü 店');
  });

  it('worker names: show short identities whole, and the end of long ones', () => {
    assert.equal(shortId('stock-worker-1'), 'stock-worker-1');
    assert.equal(shortId('a-long-identity-of-a-worker-7'), 'worker-7');
  });

  it('worker names: the place is the file of the module and this host', () => {
    assert.deepEqual(placeOf('/srv/workers/shop.ts'), { file: 'shop.ts', host: hostname() });
    assert.deepEqual(placeOf('file:///srv/my%20shop.ts?v=2'), { file: 'my shop.ts', host: hostname() });
  });
});
