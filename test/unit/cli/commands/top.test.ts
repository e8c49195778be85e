import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notesOf } from '../../../../src/cli/commands/events.ts';
import { format } from '../../../../src/cli/commands/top.ts';
import type { EventReport, WorkerReport } from '../../../../src/core/observability/reports.ts';

const totals = {
  ...{ submitted: 9, ok: 4, replyErrors: 0, failures: {}, redispatched: 0, redispatchesDenied: 0 },
  ...{ queued: 2, queuedBytes: 1100, dispatched: 0, clients: 1 },
};
const slow: EventReport = {
  ...{ name: 'o.slow', announced: true, queued: 2, queuedBytes: 1100, workers: 3, paused: false },
  ...{ breaker: 'half-open', tripped: 2 },
};
const worker: WorkerReport = {
  ...{
    id: 'w1',
    state: 'suspended',
    classic: false,
    events: ['o.slow'],
    concurrency: 4,
    inFlight: 0,
    age: 5000,
  },
  ...{ breakers: [{ event: 'o.slow', state: 'open' }], heartbeat: null },
};

test('top: shows circuit breakers that are not closed, of events and of workers', () => {
  const info = {
    ...({ router: 'r', state: 'running', age: 60_000, strategy: 'least-loaded', endpoints: {} } as const),
    ...{ totals, workers: [worker], events: [slow] },
  };
  const seen = { event: 'o.slow', rate: 1, failed: 0.5, p50: 10, p99: 20, requests: 9, failures: 5 };
  const stats = {
    router: 'r',
    age: 60_000,
    totals,
    all: { ...seen, event: '*' },
    events: [seen],
    failures: [],
  };
  const lines = format({ info, stats }, (_, text) => text);
  const event = lines.find((line) => line.startsWith('o.slow')) ?? assert.fail(lines.join('\n'));
  assert.match(event, / 2 {2}circuit breaker half-open, circuit breaker not closed at 2 of 3 workers$/);
  assert.match(lines.find((line) => line.startsWith('w1')) ?? '', /o\.slow open$/);
});

test('top: fits 60 columns', () => {
  const named = { ...worker, name: 'orders/orders.ts@a-host-with-a-long-name.example.org#0a1b2c3d' };
  const long: EventReport = { ...slow, name: 'orders.with.a.very.long.name.that.does.not.fit' };
  const info = {
    ...({ router: '0'.repeat(32), state: 'running', age: 60_000, strategy: 'least-loaded' } as const),
    ...{ endpoints: {}, totals, workers: [named], events: [long] },
  };
  const seen = { event: long.name, rate: 1, failed: 0.5, p50: 10, p99: 20, requests: 9, failures: 5 };
  const failure = { at: 0, code: 'WORKER_LOST', event: long.name, requestId: 'a'.repeat(32) };
  const all = { ...seen, event: '*' };
  const stats = { router: 'r', age: 60_000, totals, all, events: [seen], failures: [failure] };
  const lines = format({ info, stats }, (_, text) => text, 60);
  const wide = lines.filter((line) => line.length > 60);
  assert.deepEqual(wide, []);
  const row = lines.find((line) => line.startsWith('orders/')) ?? assert.fail(lines.join('\n'));
  assert.match(row, /^orders\/\S*… +suspended +0\/4 +5\.0 s +o\.slow +/);
  assert.ok(lines.some((line) => /^1970-01-01T00:00:00\.000Z {2}WORKER_LOST {2}orders.*…$/.test(line)));
});

test('events: notes states that need attention, and nothing for a healthy event', () => {
  const well: EventReport = { ...slow, breaker: 'closed', tripped: 0 };
  assert.equal(notesOf(well), '');
  assert.equal(notesOf({ ...well, paused: true, announced: false }), 'paused, not announced');
  assert.equal(notesOf({ ...well, announced: false, left: true, workers: 0 }), 'its workers have left');
});

test('top: counts open streams in its second line', () => {
  const lineWith = (openStreams?: number): string => {
    const info = {
      ...({ router: 'r', state: 'running', age: 60_000, strategy: 'least-loaded', endpoints: {} } as const),
      ...{
        totals: { ...totals, ...(openStreams !== undefined && { openStreams }) },
        workers: [],
        events: [],
      },
    };
    const all = { event: '*', rate: 1, failed: 0, p50: 10, p99: 20, requests: 9, failures: 0 };
    const stats = { router: 'r', age: 60_000, totals, all, events: [], failures: [] };
    return format({ info, stats }, (_, text) => text).join('\n');
  };
  assert.match(lineWith(1), /, 1 stream\b/);
  assert.match(lineWith(12), /, 12 streams\b/);
  for (const none of [undefined, 0]) assert.doesNotMatch(lineWith(none), /stream/);
});
