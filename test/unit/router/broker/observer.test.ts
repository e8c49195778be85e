/** Published outcomes of requests, and reports of a router's workers and events. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { diagnostics, type RequestSettled } from '../../../../src/core/observability/diagnostics.ts';
import { RouterObserver } from '../../../../src/router/broker/observer.ts';
import { eventReports, workerReports } from '../../../../src/router/broker/report.ts';
import { System } from '../fixture.ts';

function recordSettled(t: TestContext): RequestSettled[] {
  const all: RequestSettled[] = [];
  const listener = (settled: RequestSettled) => void all.push(settled);
  diagnostics.requestSettled.subscribe(listener);
  t.after(() => diagnostics.requestSettled.unsubscribe(listener));
  return all;
}

function makeObservedSystem(): System {
  const observer = new RouterObserver({ kind: 'router', node: 'r1' }, (): number => system.now);
  const system: System = new System({ observer });
  return system;
}

describe('RouterObserver', () => {
  it('router observer: publishes each request once, with its outcome and times', (t) => {
    const all = recordSettled(t);
    const system = makeObservedSystem();
    const worker = system.worker();
    system.submit({ requestId: 'one' });
    system.submit({ requestId: 'two' });
    worker.reply();
    worker.reply({ code: 'NOT_THERE', status: 404 });
    system.submit({ eventName: 'unserved', requestId: 'three' });
    const [one, two, three, ...more] = all;
    assert.deepEqual(more, []);
    assert.ok(one && two && three);
    assert.deepEqual(
      [one, two, three].map(({ kind, node, eventName, requestId, status, code, dispatched }) => {
        return [kind, node, eventName, requestId, status, code, dispatched];
      }),
      [
        ['router', 'r1', 'e', 'one', 200, '', true],
        ['router', 'r1', 'e', 'two', 404, 'NOT_THERE', true],
        ['router', 'r1', 'unserved', 'three', 503, 'NO_WORKER', false],
      ],
    );
    for (const { duration, queueTime = -1, handlerTime = 0, dispatched } of all) {
      assert.ok(queueTime >= 0 && duration >= queueTime + handlerTime - 1e-6);
      if (!dispatched) assert.equal(queueTime, duration);
    }
    assert.equal(three.handlerTime, undefined);
  });

  it('router observer: publishes cancelled requests', (t) => {
    const all = recordSettled(t);
    const system = makeObservedSystem();
    system.worker();
    const held = system.submit({ requestId: 'held' });
    system.core.cancel(held);
    assert.deepEqual(
      all.map(({ code, status, dispatched }) => [code, status, dispatched]),
      [['CANCELLED', 499, true]],
    );
  });
});

describe('reports of a router', () => {
  it('worker reports: show the state, events and requests in flight of each worker', () => {
    const system = new System();
    const busy = system.worker({ id: 'busy', events: ['a'] });
    system.worker({ id: 'ready', events: ['a', 'b'], concurrency: 3 });
    const draining = system.worker({ id: 'draining', events: ['c'] });
    const blocked = system.worker({ id: 'blocked', events: ['c'] });
    system.worker({ id: 'classic', events: undefined });
    system.core.drainWorker(draining.worker);
    system.core.block(blocked.worker);
    system.submit({ eventName: 'a' });
    system.now += 50;
    const heartbeat = { missed: 1, silentFor: 31_000 };
    const reports = workerReports(system.core, system.now, (id) => (id === 'classic' ? heartbeat : null));
    assert.deepEqual(
      reports.map(({ id, state, inFlight, classic }) => [id, state, inFlight, classic]),
      [
        ['busy', 'busy', 1, false],
        ['ready', 'ready', 0, false],
        ['draining', 'draining', 0, false],
        ['blocked', 'blocked', 0, false],
        ['classic', 'ready', 0, true],
      ],
    );
    assert.deepEqual(reports[1]?.events, ['a', 'b']);
    assert.deepEqual(reports[4], {
      id: 'classic',
      name: 'classic',
      state: 'ready',
      classic: true,
      events: null,
      concurrency: 1,
      inFlight: 0,
      age: 50,
      breakers: [],
      heartbeat,
      oldest: null,
    });
    busy.remove();
    assert.equal(workerReports(system.core, system.now, () => null).length, 4);
  });

  it('event reports: show the queue and the workers of each event', () => {
    const system = new System();
    system.worker({ events: ['b', 'a'] });
    system.worker({ events: undefined, concurrency: 1 });
    system.submit({ eventName: 'a' });
    system.submit({ eventName: 'a' });
    system.submit({ eventName: 'unannounced' });
    system.submit({ eventName: 'unannounced' });
    assert.deepEqual(
      eventReports(system.core).map(({ name, announced, queued, workers }) => [
        name,
        announced,
        queued,
        workers,
      ]),
      [
        ['a', true, 1, 1],
        ['b', true, 0, 1],
        ['unannounced', false, 1, 1],
      ],
    );
  });

  it('event reports: keep events whose workers have left', () => {
    const system = new System({ workerGrace: 0 });
    const first = system.worker({ events: ['a', 'b'] });
    const second = system.worker({ events: ['b'] });
    first.remove();
    second.remove();
    system.worker({ events: ['b'] });
    assert.deepEqual(
      eventReports(system.core).map(({ name, announced, left, workers }) => [name, announced, left, workers]),
      [
        ['a', false, true, 0],
        ['b', true, false, 1],
      ],
    );
    assert.equal(system.core.isKnown('a'), true);
    assert.equal(system.core.eventTable.wasAnnounced('a'), true);
    assert.equal(system.core.eventTable.wasAnnounced('made-up'), false);
  });
});
