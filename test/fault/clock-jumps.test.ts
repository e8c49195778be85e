/**
 * Fault: the wall clock jumps a day ahead or back. Deadlines and heartbeats use monotonic time and
 * are not affected.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZeroMQHeartbeatConfig } from '../../src/index.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { allowed, briefTimeout } from '../helpers/patience.ts';
import { scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter, startWorker } from '../integration/framework.ts';
import { outcomesOf, Scene } from './scene.ts';

failOnLeftovers();

const DAY = 86_400_000;

describe('wall clock jump', () => {
  for (const [way, jump] of [
    ['a day ahead', DAY],
    ['a day back', -DAY],
  ] as const) {
    it(`wall clock jump, ${way}: deadlines and heartbeats keep their time`, async (t) => {
      const scope = scopeOf(t);
      const [scene, drops] = [new Scene(scope), new Drops(scope)];
      const heartbeatConfig = new ZeroMQHeartbeatConfig('tcp://127.0.0.1:0', {
        interval: 50,
        timeout: allowed(2000),
      });
      const started = await startRouter(scope, 'tcp', { heartbeatConfig });
      const { router, frontend, backend: connection, heartbeat = '' } = started;
      const { release, began, ...handlers } = scene.handlers('worker');
      const beats = new ZeroMQHeartbeatConfig(heartbeat, { interval: 50 });
      await startWorker(scope, { connection, concurrency: 2, handlers, heartbeatConfig: beats });
      const client = await connectClient(scope, frontend);
      const left: string[] = [];
      router.on('peerLost', (key) => left.push(key));
      router.on('workerLeft', (key) => left.push(key));
      const held = scene.send(client, 'post', { hold: true });
      const late = scene.send(client, 'put', { hold: true, timeout: briefTimeout(700) });
      await Promise.all([held, late].map(({ id }) => began(id)));
      const waiting = scene.send(client, 'post');
      const timeout = briefTimeout(400);
      const before = performance.now();
      const expiring = scene.send(client, 'post', { timeout });

      const real = Date.now;
      t.mock.method(Date, 'now', () => real() + jump);
      assert.deepEqual(await outcomesOf([expiring, late]), ['EXPIRED', 'TIMEOUT, dispatched']);
      assert.ok(performance.now() - before > 0.75 * timeout, 'a request expired early');
      release();
      assert.deepEqual(await outcomesOf([held, waiting]), ['ok', 'ok']);
      assert.deepEqual(left, [], 'a peer was declared dead');
      assert.equal(drops.count('bad-heartbeat'), 0);
      scene.assertGuarantees();
    });
  }
});
