/** The load of workers, by which autoscalers decide. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventReport, RouterReport, WorkerReport } from '../../../src/core/observability/reports.ts';
import { loads } from '../../../src/metrics/load.ts';

function worker(contract: string | undefined, events: string[] | null, inFlight: number): WorkerReport {
  const named = contract === undefined ? {} : { contract };
  const usual = { id: 'w', state: 'ready', classic: false, age: 1, breakers: [], heartbeat: null } as const;
  return { ...usual, ...named, events, inFlight, concurrency: 10 };
}

function event(name: string, queued: number, about: Partial<EventReport> = {}): EventReport {
  const usual = { queuedBytes: 0, workers: 1, paused: false, breaker: 'closed', tripped: 0 } as const;
  return { name, queued, announced: true, ...usual, ...about };
}

function loadsOf(...reports: Pick<RouterReport, 'workers' | 'events'>[]): Record<string, number> {
  const samples = loads(reports as RouterReport[], (name) => name);
  return Object.fromEntries(
    Array.from(samples, ([{ contract, event: name }, value]) => [`${contract} ${name}`, value as number]),
  );
}

describe('load of workers', () => {
  it('load: is the share of the concurrency in use while no request waits, and exceeds 1 when requests wait', () => {
    const workers = [worker('tasks', ['get', 'put'], 5), worker('tasks', ['get', 'put'], 10)];
    const quiet = loadsOf({ workers, events: [event('get', 0), event('put', 0)] });
    assert.deepEqual(quiet, { 'tasks *': 0.75, 'tasks get': 0.75, 'tasks put': 0.75 });
    const full = [worker('tasks', ['get', 'put'], 10), worker('tasks', ['get', 'put'], 10)];
    const busy = loadsOf({ workers: full, events: [event('get', 20), event('put', 0)] });
    assert.deepEqual(busy, { 'tasks *': 2, 'tasks get': 2, 'tasks put': 1 });
  });

  it('load: counts each contract apart, and adds the routers of the process', () => {
    const workers = [worker('a', ['x'], 4), worker('b', ['y'], 8), worker(undefined, null, 2)];
    const report = { workers, events: [event('x', 6), event('y', 0)] };
    const expected = { 'a *': 1, 'a x': 1, 'b *': 0.8, 'b y': 0.8, ' *': 0.2 };
    assert.deepEqual(loadsOf(report), expected);
    assert.deepEqual(loadsOf(report, report), expected);
  });

  it('load: requests of an event whose workers have left count, and made-up events do not', () => {
    const gone = event('gone', 3, { announced: false, left: true, workers: 0 });
    const madeUp = event('made-up', 5, { announced: false, workers: 0 });
    assert.deepEqual(loadsOf({ workers: [], events: [gone, madeUp] }), { ' gone': 3, ' *': 3 });
  });
});
