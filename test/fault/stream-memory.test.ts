// test:all: 20 s; slow-consumer.test.ts represents it
/** A short run of `npm run soak:streams`: transfers are complete, and no process holds them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { aliveCount } from '../../bench/lib/process.ts';
import { measureStreams } from '../../soak/lib/streams.ts';

const MIB = 2 ** 20;
const needed = process.platform === 'linux' && spawnSync('curl', ['--version']).status === 0;

describe('memory of streams', { skip: needed ? false : 'needs Linux and curl' }, () => {
  after(() => assert.equal(aliveCount(), 0, 'a process is still running'));

  it('grows by less than 64 MiB in gateway, router and worker, whatever the direction and speed', async () => {
    const sizes = { bytes: 160 * MIB, slowBytes: 12 * MIB, slowRate: 8 * MIB, requests: 20 };
    const { growth, alone, beside } = await measureStreams(sizes, () => undefined);
    assert.deepEqual(Object.keys(growth), ['download', 'upload', 'slow download', 'slow upload']);
    for (const [transfer, grown] of Object.entries(growth)) {
      assert.deepEqual(Object.keys(grown), ['router', 'worker', 'gateway'], transfer);
      for (const [name, mebibytes] of Object.entries(grown)) {
        assert.ok(mebibytes < 64, `${transfer}: ${name} grew by ${mebibytes.toFixed(0)} MiB`);
      }
    }
    assert.ok(alone > 0 && beside > 0);
  });
});
