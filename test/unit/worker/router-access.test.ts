/** Whether a router accepted a worker, and what the worker logs until then. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Logger, silentLogger } from '../../../src/core/logging/logging.ts';
import { RouterAccess } from '../../../src/worker/router-access.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const ENDPOINT = 'tcp://router:5556';

function make() {
  const clock = new FakeClock();
  const logged: string[] = [];
  const log = (level: string) => (_fields: unknown, message?: unknown) =>
    void logged.push(`${level}: ${String(message)}`);
  const logger: Logger = { ...silentLogger, info: log('info'), warn: log('warn'), error: log('error') };
  let accepted = 0;
  const onAccepted = (): void => {
    accepted += 1;
  };
  const access = new RouterAccess(ENDPOINT, logger, onAccepted, clock);
  return { access, clock, logged, accepted: () => accepted };
}

describe('RouterAccess', () => {
  it('RouterAccess: reports why there is no connection until the router accepts the worker', () => {
    const { access, clock, logged, accepted } = make();
    assert.deepEqual(access.report(), { endpoint: ENDPOINT, state: 'connecting', refusals: 0 });
    access.failed('connection refused');
    assert.deepEqual(access.report(), {
      endpoint: ENDPOINT,
      state: 'connecting',
      refusals: 0,
      reason: 'connection refused',
    });
    clock.advance(5000);
    access.connected();
    access.answered(undefined, 'router-1');
    assert.deepEqual(access.report(), { endpoint: ENDPOINT, state: 'accepted', refusals: 0 });
    assert.equal(accepted(), 1);
    assert.deepEqual(logged, [
      'warn: no connection to the router yet: connection refused',
      'warn: no connection to the router yet: connection refused',
      'info: accepted by the router',
    ]);
    assert.equal(clock.pending, 0);
  });

  it('RouterAccess: a rejected worker is not accepted, and logs the reason of the router as an error', () => {
    const { access, logged, accepted } = make();
    access.connected();
    access.answered('events: it may not serve tasks.get');
    assert.equal(access.report().state, 'rejected');
    assert.equal(access.report().refusals, 1);
    assert.equal(accepted(), 0);
    assert.deepEqual(logged, ['error: the router refused this worker: events: it may not serve tasks.get']);
  });

  it('RouterAccess: a router that does not answer within 5 seconds counts as a classic one', () => {
    const { access, clock, accepted } = make();
    access.connected();
    clock.advance(4999);
    assert.deepEqual([access.report().state, accepted()], ['connected', 0]);
    clock.advance(1);
    assert.deepEqual([access.report().state, accepted()], ['accepted', 1]);
  });

  it('RouterAccess: a lost connection ends the acceptance and the wait for an answer', () => {
    const { access, clock, accepted } = make();
    access.connected();
    access.disconnected();
    clock.advance(10_000);
    assert.deepEqual([access.report().state, accepted()], ['connecting', 0]);
  });

  it('RouterAccess: logs nothing after it was closed', () => {
    const { access, clock, logged } = make();
    access.close();
    access.failed('connection refused');
    clock.advance(10_000);
    assert.deepEqual(logged, []);
  });
});
