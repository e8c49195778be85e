/** Fault: more requests are sent than the workers run and the queue holds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { briefTimeout } from '../helpers/patience.ts';
import { scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter, startWorker } from '../integration/framework.ts';
import { outcomesOf, Scene } from './scene.ts';

failOnLeftovers();

describe('full queue', () => {
  it('full queue: the router rejects further requests as not run and completes those it accepted', async (t) => {
    const scope = scopeOf(t);
    const scene = new Scene(scope);
    const {
      router,
      frontend,
      backend: connection,
    } = await startRouter(scope, 'tcp', { limits: { queueLimit: 5 } });
    const { release, began, ...handlers } = scene.handlers('worker');
    await startWorker(scope, { connection, concurrency: 1, handlers });
    const client = await connectClient(scope, frontend);
    const first = scene.send(client, 'post', { hold: true });
    await began(first.id);
    const rest = Array.from({ length: 20 }, () => scene.send(client, 'post'));
    const refused = await outcomesOf(rest.slice(5));
    assert.deepEqual(new Set(refused), new Set(['QUEUE_FULL']));
    assert.equal(router.stats().queued, 5);
    release();
    assert.deepEqual(await outcomesOf([first, ...rest.slice(0, 5)]), Array(6).fill('ok'));
    const { executions, outcomes } = scene.assertGuarantees();
    assert.deepEqual([executions, outcomes.get('QUEUE_FULL')], [6, 15]);
  });

  it('full queue: a client with fewer queued requests displaces those of the largest client, and cancelled or expired requests free their place', async (t) => {
    const scope = scopeOf(t);
    const scene = new Scene(scope);
    const {
      router,
      frontend,
      backend: connection,
    } = await startRouter(scope, 'tcp', { limits: { queueLimit: 6 } });
    const { release, began, ...handlers } = scene.handlers('worker');
    await startWorker(scope, { connection, concurrency: 1, handlers });
    const flood = await connectClient(scope, frontend);
    const small = await connectClient(scope, frontend);
    const first = scene.send(flood, 'post', { hold: true });
    await began(first.id);
    const floods = Array.from({ length: 10 }, () => scene.send(flood, 'post'));
    assert.deepEqual(await outcomesOf(floods.slice(6)), Array(4).fill('QUEUE_FULL'));
    const others = [scene.send(small, 'post'), scene.send(small, 'post', { timeout: briefTimeout(50) })];
    assert.deepEqual(
      await outcomesOf(floods.slice(4, 6)),
      ['QUEUE_FULL', 'QUEUE_FULL'],
      'the last requests of the flood are displaced',
    );
    assert.deepEqual(await outcomesOf(others.slice(1)), ['EXPIRED']);
    floods[0]?.cancel();
    release();
    assert.deepEqual(
      await outcomesOf([first, ...others.slice(0, 1), ...floods.slice(1, 4)]),
      Array(5).fill('ok'),
    );
    assert.equal(router.stats().queued, 0);
    assert.equal(scene.assertGuarantees().executions, 5);
  });
});
