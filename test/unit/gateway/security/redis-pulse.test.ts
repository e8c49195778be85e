/** What is logged when Redis no longer responds, and when it does again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RedisPulse } from '../../../../src/gateway/security/redis-pulse.ts';

const LOST = 'warn: no connection to Redis: rate limits are counted in memory';
const LATE = 'warn: Redis does not respond in time: rate limits are counted in memory';
const BACK = 'info: rate limits are counted in Redis again';

function make() {
  const lines: string[] = [];
  const log = (level: string) => (_fields: object, message: string) =>
    void lines.push(`${level}: ${message}`);
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  return { pulse: new RedisPulse(logger), lines };
}

describe('RedisPulse', () => {
  it('RedisPulse: a lost connection is logged once, however many attempts to reconnect fail', () => {
    const { pulse, lines } = make();
    pulse.connected();
    assert.deepEqual(lines, []);
    for (let attempt = 0; attempt < 10; attempt += 1) pulse.lost('connect ECONNREFUSED');
    pulse.connected();
    assert.deepEqual(lines, [LOST, BACK]);
  });

  it('RedisPulse: late replies are logged once, and once more when all of them have arrived', async () => {
    const { pulse, lines } = make();
    pulse.overdue(250);
    pulse.overdue(250);
    assert.equal(pulse.isStalled, true);
    pulse.settled();
    await nextTurn();
    assert.deepEqual(lines, [LATE]);
    pulse.settled();
    assert.equal(pulse.isStalled, false);
    await nextTurn();
    assert.deepEqual(lines, [LATE, BACK]);
  });

  it('RedisPulse: Redis that hangs until its connection is lost is back with the next connection', async () => {
    const { pulse, lines } = make();
    pulse.overdue(250);
    pulse.settled(); // the client rejects the command, and then reports the lost connection
    pulse.lost('Socket timeout');
    await nextTurn();
    pulse.lost('connect ECONNREFUSED');
    assert.deepEqual(lines, [LATE]);
    pulse.connected();
    assert.deepEqual(lines, [LATE, BACK]);
  });
});
