import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { diagnostics, type RequestSettled } from '../../../../src/core/observability/diagnostics.ts';
import { RequestStats } from '../../../../src/core/observability/request-stats.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

function settle(about: Partial<RequestSettled> = {}): void {
  const usual = { eventName: 'a', requestId: 'r', status: 200, code: '', dispatched: true, duration: 10 };
  diagnostics.requestSettled.publish({ kind: 'router', node: 'me', ...usual, ...about });
}

function statsOf(t: TestContext) {
  const clock = new FakeClock();
  const stats = new RequestStats(
    'router',
    () => 'me',
    (event) => event.startsWith('known.'),
    clock,
  );
  t.after(() => stats.close());
  return { clock, stats };
}

describe('RequestStats', () => {
  it('RequestStats: subscribes at the first read and unsubscribes after a minute without reads', (t) => {
    const { clock, stats } = statsOf(t);
    assert.equal(diagnostics.requestSettled.hasSubscribers, false);
    stats.read();
    assert.equal(diagnostics.requestSettled.hasSubscribers, true);
    clock.advance(30_000);
    stats.read();
    clock.advance(59_000);
    assert.equal(diagnostics.requestSettled.hasSubscribers, true);
    clock.advance(3000);
    assert.equal(diagnostics.requestSettled.hasSubscribers, false);
  });

  it('RequestStats: soon reports rate, durations and failures of a steady load', (t) => {
    const { clock, stats } = statsOf(t);
    stats.read();
    for (let second = 0; second < 5; second += 1) {
      for (let count = 0; count < 98; count += 1) settle();
      settle({ duration: 200 });
      settle({ code: 'TIMEOUT' });
      clock.advance(1000);
    }
    const { all, events } = stats.read();
    assert.deepEqual(
      events.map(({ event }) => event),
      ['a'],
    );
    assert.ok(Math.abs(all.rate - 100) < 1, `${all.rate} requests a second`);
    assert.ok(Math.abs(all.failed - 0.01) < 0.001, `${all.failed} failed`);
    assert.ok(all.p50 !== null && all.p50 >= 10 && all.p50 < 12, `p50 ${all.p50}`);
    assert.ok(all.p99 !== null && all.p99 < 12, `p99 ${all.p99}`);
    assert.deepEqual([all.requests, all.failures], [500, 5]);
  });

  it('RequestStats: forgets a load that has ended', (t) => {
    const { clock, stats } = statsOf(t);
    stats.read();
    for (let count = 0; count < 100; count += 1) settle();
    clock.advance(1000);
    const before = stats.read().all.rate;
    clock.advance(60_000);
    const { all } = stats.read();
    assert.ok(before > 50 && all.rate < 0.01, `${before}, then ${all.rate}`);
    assert.deepEqual([all.p50, all.p99], [null, null]);
  });

  it('RequestStats: keeps the most recent failures, newest first', (t) => {
    const { clock, stats } = statsOf(t);
    stats.read();
    for (let count = 0; count < 60; count += 1) settle({ code: 'TIMEOUT', requestId: `r${count}` });
    const { failures } = stats.read();
    assert.equal(failures.length, 50);
    assert.deepEqual(failures[0], { at: clock.wall(), event: 'a', code: 'TIMEOUT', requestId: 'r59' });
  });

  it('RequestStats: counts only its own node, and groups events that no worker ever announced', (t) => {
    const { stats } = statsOf(t);
    stats.read();
    settle({ node: 'other' });
    settle({ kind: 'gateway' });
    settle({ eventName: 'made-up', dispatched: false, code: 'NO_WORKER' });
    settle({ eventName: 'made-up-too', dispatched: false, code: 'NO_WORKER' });
    settle({ eventName: 'known.event', dispatched: false, code: 'EXPIRED' });
    assert.deepEqual(
      stats.read().events.map(({ event, requests }) => [event, requests]),
      [
        ['known.event', 1],
        ['other', 2],
      ],
    );
  });

  it('RequestStats: names every known event, and limits the names of the others', (t) => {
    const { stats } = statsOf(t);
    stats.read();
    for (let at = 0; at < 600; at += 1) settle({ eventName: `taken.${at}` });
    for (let at = 0; at < 600; at += 1) settle({ eventName: `known.${at}` });
    const names = stats.read().events.map(({ event }) => event);
    assert.equal(names.filter((name) => name.startsWith('known.')).length, 600);
    assert.equal(names.filter((name) => name.startsWith('taken.')).length, 500);
    assert.equal(stats.read().events.find(({ event }) => event === 'other')?.requests, 100);
  });
});
