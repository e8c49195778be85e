/** Fault: a peer that does not read what it is sent: a client with its replies, a worker with its requests. */
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
/** Size of a reply that nobody reads, and how many are asked for: more than libzmq and the router keep for one client. */
const LARGE = 32 * 1024;
const REPLIES = 4000;
const LARGE_TEXT = 'x'.repeat(LARGE);

describe('a client that reads no replies', () => {
  it('costs a bounded memory and its own replies, and nobody else anything', async (t) => {
    const scope = scopeOf(t);
    const [scene, drops] = [new Scene(scope), new Drops(scope)];
    const { router, frontend, backend: connection } = await startRouter(scope);
    const { put, post } = scene.handlers('worker');
    const large = Buffer.alloc(LARGE, 'x').toString();
    await startWorker(scope, { connection, handlers: { put, post, large: () => large } });
    const client = await connectClient(scope, frontend);
    const deaf = new Dealer({ linger: 0, receiveHighWaterMark: 1 });
    scope.after(() => deaf.close());
    deaf.connect(frontend);
    const before = process.memoryUsage().arrayBuffers;
    for (let sent = 0; sent < REPLIES; sent += 1) {
      await deaf.send(['', 'large', 'null']);
      if (sent % 200 === 0) assert.deepEqual(await outcomesOf([scene.send(client, 'post')]), ['ok']);
    }
    await drops.waitFor('overflow');
    const asked = Array.from({ length: 50 }, (_, n) => scene.send(client, n % 2 === 0 ? 'put' : 'post'));
    assert.deepEqual(new Set(await outcomesOf(asked)), new Set(['ok']));
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < (REPLIES * LARGE) / 2, `${Math.round(grown / MIB)} MiB for replies that nobody reads`);
    assert.deepEqual(router.stats().failures, {});
    scene.assertGuarantees();
  });
});

describe('a client that reads no replies for a while', () => {
  it('has its requests refused, not run, until it reads again; what it leaves unread counts in the bound on bytes', async (t) => {
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
    const deaf = new Dealer({ linger: 0, receiveHighWaterMark: 1 });
    scope.after(() => deaf.close());
    deaf.connect(frontend);
    for (let sent = 0; drops.count('overflow') === 0; sent += 1) {
      await deaf.send(['', 'large', 'null']);
      if (sent % 20 === 0) assert.deepEqual(await outcomesOf([scene.send(client, 'post')]), ['ok']);
    }
    const { unreadBytes } = router.stats();
    assert.ok(unreadBytes >= limits.queueBytes / 2, `${unreadBytes} bytes are counted as unread`);
    while (router.stats().dispatched + router.stats().queued > 0)
      await outcomesOf([scene.send(client, 'put')]);
    const before = { runs, dropped: drops.count('overflow') };
    for (let sent = 0; sent < 50; sent += 1) await deaf.send(['', 'large', 'null']);
    await drops.waitFor('overflow', before.dropped + 50);
    assert.equal(runs, before.runs, 'requests of a client that does not read ran');
    assert.deepEqual(await outcomesOf([scene.send(client, 'put')]), ['ok']);

    const reading = (async () => {
      for await (const [, eventName] of deaf) if (eventName?.toString() === 'again') return;
    })();
    while (router.stats().unreadBytes > 0) await outcomesOf([scene.send(client, 'put')]);
    await deaf.send(['', 'again', 'null']);
    await reading;
    scene.assertGuarantees();
  });
});

describe('a worker that reads no requests', () => {
  it('is given no more than its credit; the rest waits where others can take it', async (t) => {
    const scope = scopeOf(t);
    const scene = new Scene(scope);
    const { router, frontend, backend: connection } = await startRouter(scope);
    const client = await connectClient(scope, frontend);
    const deaf = await scene.worker(router, { connection, concurrency: 4 });
    deaf.kill('SIGSTOP');
    const askings = Array.from({ length: 200 }, () => scene.send(client, 'post'));
    while (router.stats().submitted < askings.length) await new Promise(setImmediate);
    assert.deepEqual([router.stats().dispatched, router.stats().queued], [4, 196]);
    const { put, post } = scene.handlers('other');
    await startWorker(scope, { connection, handlers: { put, post } });
    const settled = Promise.all(askings.slice(4).map((asking) => outcomesOf([asking])));
    assert.deepEqual(new Set((await settled).flat()), new Set(['ok']));
    deaf.kill('SIGCONT');
    assert.deepEqual(new Set(await outcomesOf(askings.slice(0, 4))), new Set(['ok']));
    assert.equal(scene.assertGuarantees().executions, 200);
  });
});
