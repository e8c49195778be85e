/** Workers on threads: their data and replies. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { untilJoined } from '../helpers/published.ts';
import { scopeOf } from '../helpers/scope.ts';
import { ALL_TRANSPORTS, connectClient, startRouter } from './framework.ts';
import { Channel, makeThreads, next, startCompiler, startThreads } from './threads.ts';

failOnLeftovers(startCompiler);

describe('worker threads', () => {
  for (const transport of ALL_TRANSPORTS) {
    it(`worker threads: serve from one TypeScript module, each with its own state (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const { router, frontend, backend } = await startRouter(scope, transport);
      const threads = makeThreads(scope, { connection: backend, threads: 2 });
      const ready = next(threads, 'ready');
      await untilJoined(() => threads.start(), 2);
      const [, identity, restarts] = await ready;
      assert.match(String(identity), /^[0-9a-f]{32}_[0-9a-f]{16}$/);
      assert.deepEqual([threads.running, router.stats().workers, restarts], [2, 2, 0]);
      const client = await connectClient(scope, frontend);
      const ids = new Set<unknown>();
      while (ids.size < 2) ids.add((await client.sendMessage('thread.id')).eventData);
      assert.equal(router.contracts.list()[0]?.name, 'threads');
    });
  }

  for (const count of [1, 0]) {
    it(`worker threads (${count}): receive data and send replies as a ZeroMQWorker does`, async (t) => {
      const { client } = await startThreads(scopeOf(t), count);
      assert.equal((await client.sendMessage('thread.double', { n: 21 })).eventData, 42);
      const { status, eventData, headers } = await client.sendMessage('thread.created');
      assert.deepEqual([status, eventData, headers], [201, { id: 1 }, { location: '/x/1' }]);
      await assert.rejects(client.sendMessage('thread.refused'), {
        code: 'TAKEN',
        status: 409,
        details: { by: 'me' },
      });
      await assert.rejects(client.sendMessage('thread.double', { n: 'x' }), {
        code: 'INVALID_REQUEST',
        status: 400,
      });
      const large = 'ä'.repeat(2_000_000);
      const [big, small] = await Promise.all([
        client.sendMessage('thread.large', large),
        client.sendMessage('thread.double', { n: 1 }),
      ]);
      assert.ok(big.eventData === large && small.eventData === 2);
      const many = await Promise.all(
        Array.from({ length: 500 }, (_, n) => client.sendMessage('thread.double', { n })),
      );
      assert.deepEqual(
        many.map(({ eventData }) => eventData),
        [...many.keys()].map((n) => n * 2),
      );
    });

    it(`worker threads (${count}): learn that a caller stopped waiting`, async (t) => {
      const scope = scopeOf(t);
      const channel = new Channel(scope);
      const { client } = await startThreads(scope, count);
      await client.sendMessage('thread.id');
      const controller = new AbortController();
      const reply = client.sendMessage('thread.hold', 'given up', { signal: controller.signal });
      await channel.waitFor('holding');
      controller.abort();
      await assert.rejects(reply, { code: 'CANCELLED' });
      const [aborted] = await channel.waitFor('aborted');
      assert.equal(aborted?.data, 'given up');
      channel.send('go on');
    });

    it(`worker threads (${count}): use the concurrency of the module or of the options`, async (t) => {
      const scope = scopeOf(t);
      const { router, backend } = await startRouter(scope);
      const concurrencies: unknown[] = [];
      router.on('workerJoined', (_worker, { concurrency }) => concurrencies.push(concurrency));
      for (const concurrency of [undefined, 3]) {
        const threads = makeThreads(scope, { connection: backend, threads: count, concurrency });
        await untilJoined(() => threads.start(), 1);
      }
      assert.deepEqual(concurrencies, [5, 3]);
    });
  }
});
