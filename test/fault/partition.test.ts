// test:all: 10 s; worker-killed.test.ts represents it
/**
 * Fault: the network between nodes is partitioned in one or both directions, without a FIN, and
 * recovers.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { ZeroMQHeartbeatConfig } from '../../src/index.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { type Direction, Partition } from '../helpers/partition.ts';
import { allowed, briefTimeout, UNNOTICED } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter, startWorker } from '../integration/framework.ts';
import { outcomesOf, Scene } from './scene.ts';

failOnLeftovers();

const RULES = { interval: 50, timeout: Math.min(allowed(700), UNNOTICED), maxMissed: 1 };

/**
 * A worker whose network can be partitioned, heartbeats included, and another worker without a
 * partition.
 */
async function make(scope: Scope) {
  const scene = new Scene(scope);
  const heartbeatConfig = new ZeroMQHeartbeatConfig('tcp://127.0.0.1:0', RULES);
  const { router, frontend, backend, heartbeat = '' } = await startRouter(scope, 'tcp', { heartbeatConfig });
  const networks = [await Partition.before(scope, backend), await Partition.before(scope, heartbeat)];
  const cutOff = scene.handlers('cut-off');
  const [connection = '', heartbeatEndpoint = ''] = networks.map(({ endpoint }) => endpoint);
  const { put, post } = cutOff;
  await startWorker(scope, {
    connection,
    heartbeatConfig: new ZeroMQHeartbeatConfig(heartbeatEndpoint, { interval: 50 }),
    handlers: { put, post },
  });
  const client = await connectClient(scope, frontend);
  const cut = (...directions: Direction[]): void => networks.forEach((network) => network.cut(...directions));
  const heal = (): void => networks.forEach((network) => network.heal());
  const startOther = async () => {
    const other = scene.handlers('other');
    await startWorker(scope, { connection: backend, handlers: { put: other.put, post: other.post } });
    return other;
  };
  return { scene, router, client, cutOff, cut, heal, startOther };
}

describe('partitioned worker', () => {
  for (const directions of [['up', 'down'], ['up']] as const) {
    it(`partition of a worker (${directions.join(' and ')}): the worker is lost, and only idempotent requests are redispatched`, async (t) => {
      const scope = scopeOf(t);
      const drops = new Drops(scope);
      const { scene, router, client, cutOff, cut, heal, startOther } = await make(scope);
      const [again, lost] = [
        scene.send(client, 'put', { hold: true }),
        scene.send(client, 'post', { hold: true }),
      ];
      await Promise.all([again, lost].map(({ id }) => cutOff.began(id)));
      const other = await startOther();
      const left = once(router, 'workerLeft');
      cut(...directions);
      const [, reason] = (await left) as [string, string];
      assert.equal(reason, 'heartbeat');
      assert.deepEqual(await outcomesOf([lost]), ['WORKER_LOST, dispatched']);
      await other.began(again.id);
      other.release();
      assert.deepEqual(await outcomesOf([again]), ['ok']);
      cutOff.release();
      const back = once(router, 'workerJoined');
      heal();
      await drops.waitFor('late-reply', 2);
      await back;
      const more = Array.from({ length: 20 }, () => scene.send(client, 'post'));
      assert.deepEqual(new Set(await outcomesOf(more)), new Set(['ok']));
      assert.equal(scene.assertGuarantees().rerun, 1);
    });
  }

  it('partition of a worker (down): it still sends heartbeats, and its requests are reported as possibly run', async (t) => {
    const { scene, client, cut, heal } = await make(scopeOf(t));
    cut('down');
    const requests = [
      scene.send(client, 'put', { timeout: Math.min(briefTimeout(300), UNNOTICED) }),
      scene.send(client, 'post', { timeout: Math.min(briefTimeout(300), UNNOTICED) }),
    ];
    assert.deepEqual(await outcomesOf(requests), ['TIMEOUT, dispatched', 'TIMEOUT, dispatched']);
    heal();
    assert.deepEqual(await outcomesOf([scene.send(client, 'post')]), ['ok']);
    scene.assertGuarantees();
  });
});

describe('partitioned client', () => {
  for (const directions of [['up', 'down'], ['up'], ['down']] as const) {
    it(`partition of a client (${directions.join(' and ')}): its requests time out as possibly run, and it recovers`, async (t) => {
      const scope = scopeOf(t);
      const scene = new Scene(scope);
      const { frontend, backend: connection } = await startRouter(scope);
      const { put, post, release, began } = scene.handlers('worker');
      await startWorker(scope, { connection, handlers: { put, post } });
      const network = await Partition.before(scope, frontend);
      const client = await connectClient(scope, network.endpoint);
      const held = scene.send(client, 'post', {
        hold: true,
        timeout: Math.min(briefTimeout(1000), UNNOTICED),
      });
      await began(held.id);
      network.cut(...directions);
      const unheard = scene.send(client, 'put', { timeout: Math.min(briefTimeout(300), UNNOTICED) });
      release();
      const outcomes = await outcomesOf([held, unheard]);
      const lost = 'TIMEOUT, dispatched';
      if (directions.length === 1 && directions[0] === 'up') assert.deepEqual(outcomes, ['ok', lost]);
      else assert.deepEqual(outcomes, [lost, lost]);
      network.heal();
      const more = Array.from({ length: 20 }, () => scene.send(client, 'post'));
      assert.deepEqual(new Set(await outcomesOf(more)), new Set(['ok']));
      scene.assertGuarantees();
    });
  }
});
