/** The connections that a client logs: the first one to an endpoint, and the loss of the last one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConnectionLog } from '../../../src/client/connection-log.ts';
import { type Logger, silentLogger } from '../../../src/core/logging/logging.ts';

function makeLog() {
  const lines: string[] = [];
  const info = (fields: object | string, message?: unknown): void => {
    lines.push(`${(fields as { endpoint: string }).endpoint} ${String(message)}`);
  };
  const logger: Logger = { ...silentLogger, info };
  return { lines, log: new ConnectionLog(logger) };
}

describe('ConnectionLog', () => {
  it('ConnectionLog: logs each endpoint separately, and again after a loss', () => {
    const { lines, log } = makeLog();
    log.connected('a');
    log.connected('b');
    log.disconnected('a');
    log.connected('a');
    assert.deepEqual(lines, ['a connected', 'b connected', 'a disconnected', 'a connected']);
  });

  it('ConnectionLog: logs a pool of sockets as one connection', () => {
    const { lines, log } = makeLog();
    for (let n = 0; n < 16; n += 1) log.connected('a');
    for (let n = 0; n < 15; n += 1) log.disconnected('a');
    log.connected('a');
    assert.deepEqual(lines, ['a connected']);
    log.disconnected('a');
    log.disconnected('a');
    assert.deepEqual(lines, ['a connected', 'a disconnected']);
  });
});
