// test:all: 40 s; durable-checker.test.ts represents it
/** Short runs of the soak test of durable requests: processes are killed, and no outcome is wrong. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { aliveCount } from '../../bench/lib/process.ts';
import { POSTGRES_MISSING } from '../../scripts/lib/postgres.ts';
import { soakDurable } from '../../soak/lib/durable.ts';

describe('soak of durable requests', { skip: process.platform !== 'linux' }, () => {
  after(() => assert.equal(aliveCount(), 0, 'a process is still running'));

  for (const store of ['sqlite', 'postgres'] as const) {
    const skip = store === 'postgres' ? POSTGRES_MISSING : false;
    it(`soak of durable requests: ${store}: no violation in a few seconds of kills`, { skip }, async () => {
      const { check, kills } = await soakDurable({
        seconds: 8,
        rate: 30,
        seed: 3,
        store,
        report: () => undefined,
      });
      assert.deepEqual(check.violations, []);
      assert.ok(check.accepted > 50 && kills.size > 0, 'the soak ran almost no requests or kills');
    });
  }
});
