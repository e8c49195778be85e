// test:all: 10 s; worker-killed.test.ts represents it
/** Fault: a worker is stopped (SIGSTOP) for longer than its heartbeats allow, and continues. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { ZeroMQHeartbeatConfig } from '../../src/index.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { allowed, briefTimeout, UNNOTICED } from '../helpers/patience.ts';
import { scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter } from '../integration/framework.ts';
import { outcomesOf, Scene } from './scene.ts';

failOnLeftovers();

const RULES = { interval: 50, timeout: Math.min(allowed(1000), UNNOTICED), maxMissed: 1 };

describe('frozen worker', () => {
  it('frozen worker, past its heartbeats: it is lost, its late replies are dropped, and it joins again', async (t) => {
    const scope = scopeOf(t);
    const scene = new Scene(scope);
    const drops = new Drops(scope);
    const heartbeatConfig = new ZeroMQHeartbeatConfig('tcp://127.0.0.1:0', RULES);
    const {
      router,
      frontend,
      backend: connection,
      heartbeat,
    } = await startRouter(scope, 'tcp', { heartbeatConfig });
    const client = await connectClient(scope, frontend);
    const frozen = await scene.worker(router, { connection, heartbeat });
    const again = scene.send(client, 'put', { hold: true });
    const lost = scene.send(client, 'post', { hold: true });
    await Promise.all([again, lost].map(({ id }) => frozen.waitForLine(new RegExp(`^began ${id}$`))));
    const other = await scene.worker(router, { connection, heartbeat });

    const left = once(router, 'workerLeft');
    frozen.kill('SIGSTOP');
    const [, reason] = (await left) as [string, string];
    assert.equal(reason, 'heartbeat');
    assert.deepEqual(await outcomesOf([lost]), ['WORKER_LOST, dispatched']);
    await other.waitForLine(new RegExp(`^began ${again.id}$`));
    other.write('release');
    assert.deepEqual(await outcomesOf([again]), ['ok']);

    const back = once(router, 'workerJoined');
    frozen.write('release');
    frozen.kill('SIGCONT');
    await drops.waitFor('late-reply', 2);
    await back;
    assert.equal(router.stats().workers, 2, 'the late reply does not count');
    const more = Array.from({ length: 20 }, (_, n) => scene.send(client, n % 2 === 0 ? 'put' : 'post'));
    assert.deepEqual(new Set(await outcomesOf(more)), new Set(['ok']));
    assert.equal(scene.assertGuarantees().rerun, 1);
  });

  it('frozen worker, within its heartbeats: it keeps its requests and completes them', async (t) => {
    const scope = scopeOf(t);
    const scene = new Scene(scope);
    const { router, frontend, backend: connection } = await startRouter(scope);
    const client = await connectClient(scope, frontend);
    const frozen = await scene.worker(router, { connection, concurrency: 2 });
    const held = [scene.send(client, 'put', { hold: true }), scene.send(client, 'post', { hold: true })];
    await Promise.all(held.map(({ id }) => frozen.waitForLine(new RegExp(`^began ${id}$`))));
    // The start of a process may take longer than the pings of ZeroMQ allow a peer to be silent.
    const joined = once(router, 'workerJoined');
    const other = await scene.worker(router, { connection });
    const [id] = (await joined) as [string];
    router.drainWorker(id);
    frozen.kill('SIGSTOP');
    const expired = scene.send(client, 'post', { timeout: 100 });
    assert.deepEqual(
      await outcomesOf([expired]),
      ['EXPIRED'],
      'a frozen worker holds no more than its credit',
    );
    router.drainWorker(id, false);
    const more = Array.from({ length: 20 }, () => scene.send(client, 'post'));
    assert.deepEqual(new Set(await outcomesOf(more)), new Set(['ok']), 'other workers get the new requests');
    frozen.write('release');
    frozen.kill('SIGCONT');
    assert.deepEqual(await outcomesOf(held), ['ok', 'ok']);
    assert.equal(other.lines.filter((line) => line.startsWith('began')).length, 20);
    assert.equal(scene.assertGuarantees().rerun, 0);
  });

  it('frozen worker, past the deadline of its requests: they are reported as possibly run', async (t) => {
    const scope = scopeOf(t);
    const scene = new Scene(scope);
    const drops = new Drops(scope);
    const { router, frontend, backend: connection } = await startRouter(scope);
    const client = await connectClient(scope, frontend);
    const frozen = await scene.worker(router, { connection });
    const held = scene.send(client, 'post', { hold: true, timeout: Math.min(briefTimeout(400), UNNOTICED) });
    await frozen.waitForLine(new RegExp(`^began ${held.id}$`));
    frozen.kill('SIGSTOP');
    const unread = scene.send(client, 'post', { timeout: Math.min(briefTimeout(100), UNNOTICED) });
    assert.deepEqual(await outcomesOf([held, unread]), ['TIMEOUT, dispatched', 'TIMEOUT, dispatched']);
    frozen.kill('SIGCONT');
    await drops.waitFor('late-reply', 2);
    assert.deepEqual(await outcomesOf([scene.send(client, 'post')]), ['ok']);
    scene.assertGuarantees();
  });
});
