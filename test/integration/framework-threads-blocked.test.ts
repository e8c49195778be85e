// test:all: 35 s; framework-threads.test.ts represents it
/** Worker threads with a blocked event loop: how they are detected and replaced. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZeroMQError } from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { allowed, PATIENCE } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter } from './framework.ts';
import { Channel, makeThreads, next, startThreads } from './threads.ts';

failOnLeftovers();

describe('worker thread with a blocked event loop', () => {
  /** Time for a healthy thread to run on a busy machine. */
  const threadStallTimeout = allowed(2000);

  for (const embedded of [false, true]) {
    it(`blocked worker thread: is detected and replaced, its requests are lost, and others continue (${embedded ? 'embedded' : 'tcp'})`, async (t) => {
      const scope = scopeOf(t);
      const channel = new Channel(scope);
      const { router, frontend, backend } = await startRouter(scope);
      const connection = embedded ? router : backend;
      const threads = makeThreads(scope, { connection, threads: 2, threadStallTimeout });
      await untilJoined(() => threads.start(), 2);
      const client = await connectClient(scope, frontend);
      const crashed = next(threads, 'crashed');
      const ready = next(threads, 'ready');
      const begun = performance.now();
      const lost = assert.rejects(client.sendMessage('thread.spin', null, { timeout: PATIENCE }), {
        code: 'WORKER_LOST',
        dispatched: true,
      });
      const [spinning] = await channel.waitFor('spinning');
      const serving = await client.sendMessage('thread.id');
      assert.notEqual(
        serving.eventData,
        spinning?.threadId,
        'the other thread serves requests in the meantime',
      );
      const [, error] = await crashed;
      assert.ok(error instanceof ZeroMQError && error.code === 'THREAD_STALLED', String(error));
      assert.ok(performance.now() - begun >= threadStallTimeout, 'the thread was replaced too early');
      await lost;
      const [, , restarts] = await ready;
      assert.deepEqual([restarts, threads.running], [1, 2]);
      const ids = new Set<unknown>();
      while (ids.size < 2) ids.add((await client.sendMessage('thread.id')).eventData);
      assert.ok(!ids.has(spinning?.threadId) && ids.has(serving.eventData));
    });
  }

  it('blocked worker thread: idempotent requests are redispatched', async (t) => {
    const scope = scopeOf(t);
    const channel = new Channel(scope);
    const { frontend, backend } = await startRouter(scope, 'tcp', { limits: { workerGrace: PATIENCE } });
    const threads = makeThreads(scope, { connection: backend, threads: 1, threadStallTimeout });
    await untilJoined(() => threads.start(), 1);
    const client = await connectClient(scope, frontend);
    const reply = client.sendMessage('thread.hold', 'kept', { idempotent: true, timeout: PATIENCE });
    await channel.waitFor('holding');
    await assert.rejects(client.sendMessage('thread.spin', null, { timeout: PATIENCE }), {
      code: 'WORKER_LOST',
    });
    await channel.waitFor('holding', 2);
    channel.send('go on');
    assert.equal((await reply).eventData, 'kept');
  });

  it('worker thread with a handler that hangs: is replaced, and finishes its other requests', async (t) => {
    const scope = scopeOf(t);
    const channel = new Channel(scope);
    const { threads, client } = await startThreads(scope, 1, { threadStallTimeout: PATIENCE });
    const held = client.sendMessage('thread.hold', 'kept', { timeout: PATIENCE });
    await channel.waitFor('holding');
    const lost = assert.rejects(client.sendMessage('thread.hang', null, { timeout: PATIENCE }), {
      code: 'WORKER_LOST',
      dispatched: true,
    });
    const [hanging] = await channel.waitFor('hanging');
    const ready = untilJoined(() => next(threads, 'ready'));
    const [, error, delay] = await next(threads, 'crashed');
    assert.ok(error instanceof ZeroMQError && error.code === 'THREAD_STALLED', String(error));
    assert.match(error.message, /a handler of thread\.hang has held a request for [1-9]\d{3,} ms/);
    assert.equal(delay, 0);
    channel.send('go on');
    assert.equal((await held).eventData, 'kept');
    await ready;
    await lost;
    assert.notEqual((await client.sendMessage('thread.id')).eventData, hanging?.threadId);
    assert.equal(threads.running, 1);
  });

  it('worker threads: only the thread whose handler hangs is replaced', async (t) => {
    const scope = scopeOf(t);
    const channel = new Channel(scope);
    const { threads, client } = await startThreads(scope, 3, { threadStallTimeout: 60_000 });
    const running = async (): Promise<Set<unknown>> => {
      const ids = new Set<unknown>();
      while (ids.size < 3) ids.add((await client.sendMessage('thread.id')).eventData);
      return ids;
    };
    const before = await running();
    let crashes = 0;
    threads.on('crashed', () => (crashes += 1));
    const crashed = next(threads, 'crashed');
    const ready = untilJoined(() => next(threads, 'ready'));
    const lost = assert.rejects(client.sendMessage('thread.hang', null, { timeout: 60_000 }), {
      code: 'WORKER_LOST',
    });
    const [hanging] = await channel.waitFor('hanging');
    await crashed;
    await ready;
    await lost;
    const after = await running();
    assert.deepEqual(
      [...before].filter((id) => !after.has(id)),
      [hanging?.threadId],
    );
    assert.deepEqual([crashes, threads.running], [1, 3]);
  });

  it('worker thread blocked in native code: routers consider it lost although it cannot be ended', async (t) => {
    const { threads, client } = await startThreads(scopeOf(t), 1, { threadStallTimeout: 1000 });
    const order: string[] = [];
    const crashed = next(threads, 'crashed').then(() => order.push('ended'));
    const ready = next(threads, 'ready');
    await assert.rejects(client.sendMessage('thread.native', null, { timeout: PATIENCE }), {
      code: 'WORKER_LOST',
    });
    order.push('lost');
    await Promise.all([crashed, ready]);
    assert.deepEqual(order, ['lost', 'ended']);
  });

  it('worker thread blocked for less than the limit: is not replaced, also with successive requests', async (t) => {
    const scope = scopeOf(t);
    const { threads, client } = await startThreads(scope, 1, { threadStallTimeout });
    threads.on('crashed', (_thread, error) => assert.fail(error));
    const block = (): Promise<{ eventData: unknown }> =>
      client.sendMessage('thread.block', threadStallTimeout / 2, { timeout: PATIENCE });
    const replies = await Promise.all([block(), block(), block(), block()]);
    assert.equal(
      new Set(replies.map(({ eventData }) => eventData)).size,
      1,
      'one thread served all requests',
    );
  });
});
