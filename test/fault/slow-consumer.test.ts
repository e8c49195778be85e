/** Fault: a peer does not read what it is sent: a client its replies, or a worker its requests. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Dealer } from 'zeromq';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter, startWorker } from '../integration/framework.ts';
import { outcomesOf, Scene } from './scene.ts';

failOnLeftovers();

const MIB = 2 ** 20;
/** Size of a reply, and number of replies: more than libzmq and the router keep for one client. */
const LARGE = 32 * 1024;
const REPLIES = 4000;
const LARGE_TEXT = 'x'.repeat(LARGE);

describe('client that never reads', () => {
  it('client that never reads: the router uses bounded memory, drops only its replies, and serves other clients', async (t) => {
    const scope = scopeOf(t);
    const [scene, drops] = [new Scene(scope), new Drops(scope)];
    const { router, frontend, backend: connection } = await startRouter(scope);
    const { put, post } = scene.handlers('worker');
    const large = Buffer.alloc(LARGE, 'x').toString();
    await startWorker(scope, { connection, handlers: { put, post, large: () => large } });
    const client = await connectClient(scope, frontend);
    const slowPeer = new Dealer({ linger: 0, receiveHighWaterMark: 1 });
    scope.after(() => slowPeer.close());
    slowPeer.connect(frontend);
    const before = process.memoryUsage().arrayBuffers;
    for (let sent = 0; sent < REPLIES; sent += 1) {
      await slowPeer.send(['', 'large', 'null']);
      if (sent % 200 === 0) assert.deepEqual(await outcomesOf([scene.send(client, 'post')]), ['ok']);
    }
    await drops.waitFor('overflow');
    const asked = Array.from({ length: 50 }, (_, n) => scene.send(client, n % 2 === 0 ? 'put' : 'post'));
    assert.deepEqual(new Set(await outcomesOf(asked)), new Set(['ok']));
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < (REPLIES * LARGE) / 2, `the unread replies take ${Math.round(grown / MIB)} MiB`);
    assert.deepEqual(router.stats().failures, {});
    scene.assertGuarantees();
  });
});

describe('client that pauses reading', () => {
  it('client that pauses reading: its requests are rejected as not run until it reads again, and its unread bytes count towards the limit', async (t) => {
    const scope = scopeOf(t);
    const [scene, drops] = [new Scene(scope), new Drops(scope)];
    const limits = { queueBytes: 16 * MIB };
    const { router, frontend, backend: connection } = await startRouter(scope, 'tcp', { limits });
    const { put, post } = scene.handlers('worker');
    let runs = 0;
    const large = (): string => {
      runs += 1;
      return LARGE_TEXT;
    };
    await startWorker(scope, { connection, handlers: { put, post, large } });
    const client = await connectClient(scope, frontend);
    const slowPeer = new Dealer({ linger: 0, receiveHighWaterMark: 1 });
    scope.after(() => slowPeer.close());
    slowPeer.connect(frontend);
    for (let sent = 0; drops.count('overflow') === 0; sent += 1) {
      await slowPeer.send(['', 'large', 'null']);
      if (sent % 20 === 0) assert.deepEqual(await outcomesOf([scene.send(client, 'post')]), ['ok']);
    }
    const { unreadBytes } = router.stats();
    assert.ok(unreadBytes >= limits.queueBytes / 2, `${unreadBytes} bytes are counted as unread`);
    while (router.stats().dispatched + router.stats().queued > 0)
      await outcomesOf([scene.send(client, 'put')]);
    const before = { runs, dropped: drops.count('overflow') };
    for (let sent = 0; sent < 50; sent += 1) await slowPeer.send(['', 'large', 'null']);
    await drops.waitFor('overflow', before.dropped + 50);
    assert.equal(runs, before.runs, 'requests of a client that does not read ran');
    assert.deepEqual(await outcomesOf([scene.send(client, 'put')]), ['ok']);

    const reading = (async () => {
      for await (const [, eventName] of slowPeer) if (eventName?.toString() === 'again') return;
    })();
    while (router.stats().unreadBytes > 0) await outcomesOf([scene.send(client, 'put')]);
    await slowPeer.send(['', 'again', 'null']);
    await reading;
    scene.assertGuarantees();
  });
});

describe('worker that never reads', () => {
  it('worker that never reads: it is sent no more than its credit, and other workers get the remaining requests', async (t) => {
    const scope = scopeOf(t);
    const scene = new Scene(scope);
    const { router, frontend, backend: connection } = await startRouter(scope);
    const client = await connectClient(scope, frontend);
    const slowPeer = await scene.worker(router, { connection, concurrency: 4 });
    slowPeer.kill('SIGSTOP');
    const requests = Array.from({ length: 200 }, () => scene.send(client, 'post'));
    while (router.stats().submitted < requests.length) await new Promise(setImmediate);
    assert.deepEqual([router.stats().dispatched, router.stats().queued], [4, 196]);
    const { put, post } = scene.handlers('other');
    await startWorker(scope, { connection, handlers: { put, post } });
    const settled = Promise.all(requests.slice(4).map((request) => outcomesOf([request])));
    assert.deepEqual(new Set((await settled).flat()), new Set(['ok']));
    slowPeer.kill('SIGCONT');
    assert.deepEqual(new Set(await outcomesOf(requests.slice(0, 4))), new Set(['ok']));
    assert.equal(scene.assertGuarantees().executions, 200);
  });
});
