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

test('events: notes states that need attention, and nothing for a healthy event', () => {
  const well: EventReport = { ...slow, breaker: 'closed', tripped: 0 };
  assert.equal(notesOf(well), '');
  assert.equal(notesOf({ ...well, paused: true, announced: false }), 'paused, not announced');
});
