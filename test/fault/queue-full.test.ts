/** Fault: more is asked than workers do, and than the queue holds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter, startWorker } from '../integration/framework.ts';
import { Scene, told } from './scene.ts';

failOnLeftovers();

describe('a queue that is full', () => {
  it('refuses what has no room as not run, and loses nothing of what has', async (t) => {
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
    const first = scene.ask(client, 'post', { hold: true });
    await began(first.id);
    const rest = Array.from({ length: 20 }, () => scene.ask(client, 'post'));
    const refused = await told(rest.slice(5));
    assert.deepEqual(new Set(refused), new Set(['QUEUE_FULL']));
    assert.equal(router.stats().queued, 5);
    release();
    assert.deepEqual(await told([first, ...rest.slice(0, 5)]), Array(6).fill('ok'));
    const { executions, outcomes } = scene.kept();
    assert.deepEqual([executions, outcomes.get('QUEUE_FULL')], [6, 15]);
  });

  it('makes room for who has less in it, and for who is cancelled or expires', async (t) => {
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
    const first = scene.ask(flood, 'post', { hold: true });
    await began(first.id);
    const floods = Array.from({ length: 10 }, () => scene.ask(flood, 'post'));
    assert.deepEqual(await told(floods.slice(6)), Array(4).fill('QUEUE_FULL'));
    const guests = [scene.ask(small, 'post'), scene.ask(small, 'post', { timeout: 50 })];
    assert.deepEqual(
      await told(floods.slice(4, 6)),
      ['QUEUE_FULL', 'QUEUE_FULL'],
      'the last of the flood give way',
    );
    assert.deepEqual(await told(guests.slice(1)), ['EXPIRED']);
    floods[0]?.cancel();
    release();
    assert.deepEqual(await told([first, ...guests.slice(0, 1), ...floods.slice(1, 4)]), Array(5).fill('ok'));
    assert.equal(router.stats().queued, 0);
    assert.equal(scene.kept().executions, 5);
  });
});
