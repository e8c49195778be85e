/** Built-in events with which operators query and control a router through its frontend. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { RouterReport } from '../../src/core/observability/reports.ts';
import {
  silentLogger,
  ZeroMQClient,
  ZeroMQClientError,
  ZeroMQRouter,
  ZeroMQWorker,
} from '../../src/index.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { scopeOf } from '../helpers/scope.ts';

const logger = silentLogger;

async function system(t: TestContext, frontendConnection = 'tcp://127.0.0.1:0') {
  const scope = scopeOf(t);
  const router = new ZeroMQRouter({ frontendConnection, backendConnection: 'tcp://127.0.0.1:0', logger });
  scope.after(() => router.stop());
  const { frontend, backend } = await router.start();
  const worker = new ZeroMQWorker({
    connection: backend,
    handlers: {
      echo: (data) => data,
      fail: () => {
        throw new Error('broken');
      },
    },
    concurrency: 4,
    logger,
  });
  scope.after(() => worker.stop());
  await untilJoined(() => worker.start());
  const client = new ZeroMQClient({
    ...PATIENT,
    connection: frontend.replace('0.0.0.0', '127.0.0.1'),
    logger,
  });
  scope.after(() => client.close());
  await client.connect({ timeout: PATIENCE });
  const ask = async <T>(event: string, data?: unknown) =>
    (await client.sendMessage<T>(event, data)).eventData;
  return { router, worker, client, ask };
}

describe('operator events', () => {
  it('operator events: .info returns the router, its workers and events', async (t) => {
    const { router, worker, ask } = await system(t);
    const info = await ask<RouterReport>('$router.info');
    assert.equal(info.router, router.identity.identity);
    assert.equal(info.state, 'running');
    assert.deepEqual(
      info.workers.map(({ id, state, concurrency, events }) => [id, state, concurrency, events]),
      [[worker.identity.identity, 'ready', 4, ['echo', 'fail']]],
    );
    assert.deepEqual(
      info.events.map(({ name, workers, paused }) => [name, workers, paused]),
      [
        ['echo', 1, false],
        ['fail', 1, false],
      ],
    );
  });

  it('operator events: .stats returns the requests since the previous query', async (t) => {
    const { ask, client } = await system(t);
    interface Stats {
      totals: { ok: number };
      events: { event: string; requests: number; failures: number; p99: number | null }[];
      failures: { code: string; event: string }[];
    }
    await ask('$router.stats');
    for (let count = 0; count < 3; count += 1) await ask('echo', count);
    await assert.rejects(client.sendMessage('fail'));
    const { events, failures, totals } = await ask<Stats>('$router.stats');
    const echo = events.find(({ event }) => event === 'echo');
    assert.deepEqual([echo?.requests, echo?.failures], [3, 0]);
    assert.ok((echo?.p99 ?? 0) > 0);
    assert.deepEqual(
      failures.map(({ code, event }) => [code, event]),
      [['HANDLER_ERROR', 'fail']],
    );
    assert.equal(totals.ok, 3);
  });

  it('operator events: .drain stops sending requests to a worker, and resumes', async (t) => {
    const { ask, worker } = await system(t);
    const { identity } = worker.identity;
    assert.deepEqual(await ask('$router.drain', { worker: identity }), { worker: identity, drain: true });
    const waiting = ask('echo', 'waits');
    const { workers, events } = await ask<RouterReport>('$router.info');
    assert.equal(workers[0]?.state, 'draining');
    assert.equal(events.find(({ name }) => name === 'echo')?.queued, 1);
    await ask('$router.drain', { worker: identity, drain: false });
    assert.equal(await waiting, 'waits');
  });

  it('operator events: .pause queues the requests of one event only', async (t) => {
    const { ask, client } = await system(t);
    await ask('$router.pause', { event: 'echo' });
    const waiting = ask('echo', 'waits');
    await assert.rejects(client.sendMessage('fail'), { code: 'HANDLER_ERROR' });
    const { events } = await ask<RouterReport>('$router.info');
    assert.deepEqual(
      events.map(({ name, queued, paused }) => [name, queued, paused]),
      [
        ['echo', 1, true],
        ['fail', 0, false],
      ],
    );
    await ask('$router.pause', { event: 'echo', pause: false });
    assert.equal(await waiting, 'waits');
  });

  it('operator events: a request of a paused event still expires', async (t) => {
    const { ask, client } = await system(t);
    await ask('$router.pause', { event: 'echo' });
    await assert.rejects(client.sendMessage('echo', 1, { timeout: 50 }), { dispatched: false });
  });

  it('operator events: invalid data is reported', async (t) => {
    const { client } = await system(t);
    for (const [event, data] of [
      ['$router.drain', { worker: 'unknown' }],
      ['$router.drain', {}],
      ['$router.drain', null],
      ['$router.pause', { event: 'nothing' }],
      ['$router.pause', { event: 'echo', pause: 'yes' }],
    ] as const) {
      await assert.rejects(
        client.sendMessage(event, data),
        { code: 'INVALID_REQUEST' },
        JSON.stringify(data),
      );
    }
  });

  it('operator events: changes require a key if other hosts reach the frontend; queries do not', async (t) => {
    const { client, ask, worker } = await system(t, 'tcp://0.0.0.0:0');
    const { identity } = worker.identity;
    for (const [event, data] of [
      ['$router.drain', { worker: identity }],
      ['$router.pause', { event: 'echo' }],
    ] as const) {
      await assert.rejects(client.sendMessage(event, data), (error) => {
        assert.ok(error instanceof ZeroMQClientError);
        return error.code === 'NOT_PERMITTED';
      });
    }
    assert.equal((await ask<RouterReport>('$router.info')).workers[0]?.state, 'ready');
  });
});
