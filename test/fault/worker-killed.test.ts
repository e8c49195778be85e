/** Fault: a worker is killed while it runs requests. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter } from '../integration/framework.ts';
import { outcomesOf, Scene } from './scene.ts';

failOnLeftovers();

describe('killed worker', () => {
  it('killed worker: idempotent requests run at another worker, and others are reported as possibly run', async (t) => {
    const scope = scopeOf(t);
    const scene = new Scene(scope);
    const { router, frontend, backend: connection } = await startRouter(scope);
    const client = await connectClient(scope, frontend);
    const victim = await scene.worker(router, { connection, concurrency: 2 });
    const again = scene.send(client, 'put', { hold: true });
    const lost = scene.send(client, 'post', { hold: true });
    const waiting = ['put', 'post'].map((event) => scene.send(client, event as 'put' | 'post'));
    await Promise.all([again, lost].map(({ id }) => victim.waitForLine(new RegExp(`^began ${id}$`))));

    const other = await scene.worker(router, { connection, concurrency: 2 });
    assert.deepEqual(await outcomesOf(waiting), ['ok', 'ok'], 'queued requests go to a worker with credit');
    const left = once(router, 'workerLeft');
    victim.kill('SIGKILL');
    await left;
    assert.deepEqual(await outcomesOf([lost]), ['WORKER_LOST, dispatched']);
    await other.waitForLine(new RegExp(`^began ${again.id}$`));
    other.write('release');
    assert.deepEqual(await outcomesOf([again]), ['ok']);
    const { executions, rerun: repeated } = scene.assertGuarantees();
    assert.deepEqual({ executions, repeated }, { executions: 5, repeated: 1 });
  });

  it('killed workers: an idempotent request is not redispatched without limit', async (t) => {
    const scope = scopeOf(t);
    const scene = new Scene(scope);
    const { router, frontend, backend: connection } = await startRouter(scope);
    const client = await connectClient(scope, frontend);
    const workers = await Promise.all([1, 2, 3].map(() => scene.worker(undefined, { connection })));
    assert.equal(router.stats().workers, 3);
    const deadly = scene.send(client, 'put', { hold: true });
    const began = new RegExp(`^began ${deadly.id}$`);
    for (let killed = 0; killed < 2; killed += 1) {
      const holder = await Promise.any(
        workers.map(async (worker) => (await worker.waitForLine(began), worker)),
      );
      workers.splice(workers.indexOf(holder), 1);
      holder.kill('SIGKILL');
    }
    assert.deepEqual(await outcomesOf([deadly]), ['WORKER_LOST, dispatched']);
    assert.deepEqual(await outcomesOf([scene.send(client, 'put')]), ['ok'], 'the third worker still runs');
    assert.equal(scene.assertGuarantees().rerun, 1);
  });
});
