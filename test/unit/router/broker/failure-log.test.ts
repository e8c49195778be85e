/** Lines of requests that timed out or lost their worker. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { painter } from '../../../../src/cli/terminal/colours.ts';
import { terminalLog } from '../../../../src/cli/terminal/terminal-log.ts';
import { withQuietRequests } from '../../../../src/core/observability/node-facts.ts';
import { FailureLog } from '../../../../src/router/broker/failure-log.ts';
import type { RouterRequest } from '../../../../src/router/broker/request.ts';

function logged() {
  const lines: string[] = [];
  const { logger } = terminalLog({ write: (line) => void lines.push(line), paint: painter(), level: 'info' });
  return { lines, logger };
}

function request(requestId: string, attempts = 1): RouterRequest {
  return {
    message: { eventName: 'shop.get', requestId },
    attempts,
    enqueuedAt: 100,
  } as unknown as RouterRequest;
}

describe('failure log', () => {
  it('failure log: names event and request of a timeout and of a lost worker', () => {
    const { lines, logger } = logged();
    const log = new FailureLog(logger, () => 5100);
    log.failed(request('r1'), 'TIMEOUT');
    log.failed(request('r2', 0), 'WORKER_LOST');
    log.failed(request('r3'), 'NOT_FOUND');
    assert.deepEqual(lines, [
      'warn request timed out (event: shop.get, requestId: r1, dispatched: true, duration: 5000)',
      'warn request failed: its worker was lost (event: shop.get, requestId: r2, dispatched: false, duration: 5000)',
    ]);
  });

  it('failure log: a second has 20 lines, and the next one the number of the others', () => {
    const { lines, logger } = logged();
    let now = 1000;
    const log = new FailureLog(logger, () => now);
    for (let count = 0; count < 50; count += 1) log.failed(request('r'), 'TIMEOUT');
    assert.equal(lines.length, 20);
    now = 2000;
    log.failed(request('r'), 'TIMEOUT');
    assert.equal(lines.length, 22);
    assert.equal(lines[20], 'warn more requests failed (requests: 30)');
  });

  it('failure log: is silent in a process that writes a line for each request', () => {
    const { lines, logger } = logged();
    new FailureLog(withQuietRequests(logger).child({ node: 'router' }), () => 0).failed(
      request('r'),
      'TIMEOUT',
    );
    assert.deepEqual(lines, []);
  });
});
