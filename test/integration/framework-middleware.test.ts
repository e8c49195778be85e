/** Middlewares of workers, servers, worker threads and embedded workers, over real sockets. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Joi from 'joi';
import { withResolvers } from '../../src/core/collections/deferred.ts';
import {
  defineContract,
  defineWorker,
  type Middleware,
  ReplyError,
  reply,
  replyOf,
  silentLogger,
  ZeroMQRouter,
  ZeroMQWorker,
} from '../../src/index.ts';
import { anyEndpoint } from '../helpers/endpoints.ts';
import { within } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { untilJoined } from '../helpers/published.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { ALL_TRANSPORTS, connectClient, makeWorker, startRouter, startServer } from './framework.ts';
import { startThreads } from './threads.ts';

failOnLeftovers();

/** A worker whose middlewares refuse id 0, add a header, and change the data of one event. */
function definition() {
  const contract = defineContract({
    name: 'middleware',
    events: {
      'things.get': { data: Joi.object<{ id: number }>({ id: Joi.number().required() }) },
      'things.find': { data: Joi.object<{ text: string }>({ text: Joi.string().default('none') }) },
    },
  });
  const seen: unknown[] = [];
  const worker = defineWorker({
    contract,
    use: [
      (data, { eventName }, next) => {
        seen.push([eventName, data]);
        if ('id' in data && data.id === 0) throw new ReplyError(403, 'NOT_YOURS', 'this thing is private');
        return next();
      },
      async (_data, _context, next) => {
        const { status, data, headers } = replyOf(await next());
        return reply(status, data, { ...headers, 'x-served-by': 'middleware' });
      },
      { events: 'things.find', run: (_data, _context, next) => next({ text: 'changed' }) },
    ],
    handlers: {
      'things.get': ({ id }) => ({ id }),
      'things.find': ({ text }) => reply(206, { text }),
    },
  });
  return { worker, seen };
}

describe('middlewares', () => {
  for (const transport of ALL_TRANSPORTS) {
    it(`worker: run after validation and may answer, change data and replies (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const { worker, seen } = definition();
      const { frontend, backend } = await startRouter(scope, transport);
      await untilJoined(() => makeWorker(scope, { ...worker, connection: backend }).start());
      const client = await connectClient(scope, frontend);
      const got = await client.sendMessage('things.get', { id: '7' });
      assert.deepEqual(
        [got.status, got.eventData, got.headers['x-served-by']],
        [200, { id: 7 }, 'middleware'],
      );
      const found = await client.sendMessage('things.find', {});
      assert.deepEqual([found.status, found.eventData], [206, { text: 'changed' }]);
      await assert.rejects(client.sendMessage('things.get', { id: 0 }), { code: 'NOT_YOURS', status: 403 });
      await assert.rejects(client.sendMessage('things.get', { id: 'x' }), { code: 'INVALID_REQUEST' });
      assert.deepEqual(seen, [
        ['things.get', { id: 7 }],
        ['things.find', { text: 'none' }],
        ['things.get', { id: 0 }],
      ]);
    });
  }

  it('embedded worker: run in the process of the router', async (t) => {
    const scope = scopeOf(t);
    const router = new ZeroMQRouter({
      frontendConnection: anyEndpoint(scope, 'inproc'),
      backendConnection: anyEndpoint(scope, 'inproc'),
      logger: silentLogger,
    });
    scope.after(() => router.stop({ deadline: 0 }));
    const { frontend } = await router.start();
    const { worker } = definition();
    const node = new ZeroMQWorker({ ...worker, connection: router, logger: silentLogger });
    scope.after(() => node.stop({ deadline: 0 }));
    await untilJoined(() => node.start());
    const client = await connectClient(scope, frontend);
    assert.deepEqual((await client.sendMessage('things.find', {})).eventData, { text: 'changed' });
  });

  it('server: run for direct clients', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, definition().worker);
    const client = await connectClient(scope, endpoint);
    const { eventData, headers } = await client.sendMessage('things.get', { id: 1 });
    assert.deepEqual([eventData, headers['x-served-by']], [{ id: 1 }, 'middleware']);
  });

  it('server: surround handleMessage', async (t) => {
    const scope = scopeOf(t);
    const double: Middleware = async (data, _context, next) => Number(await next(Number(data) * 2)) * 2;
    const { endpoint } = await startServer(scope, {
      use: [double],
      handleMessage: ({ eventData }) => Number(eventData) + 1,
    });
    const client = await connectClient(scope, endpoint);
    assert.equal((await client.sendMessage('any', 5)).eventData, 22);
  });

  it('worker: a request that is cancelled aborts the signal that its middleware sees', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope);
    const entered = new AbortController();
    const ended = withResolvers<string>();
    const use: Middleware[] = [
      async (_data, { signal, eventName }, next) => {
        if (eventName === 'ready') return next();
        signal.addEventListener('abort', () => ended.resolve((signal.reason as Error).name));
        entered.abort();
        return next();
      },
    ];
    const hold = (_data: unknown, { signal }: { signal: AbortSignal }): Promise<string> =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve('aborted')));
    const handlers = { hold, ready: () => true };
    await untilJoined(() => makeWorker(scope, { connection: backend, use, handlers }).start());
    const client = await connectClient(scope, frontend);
    // From its first reply on, the client knows that the router takes cancellations.
    await client.sendMessage('ready');
    await assert.rejects(client.sendMessage('hold', null, { signal: entered.signal }), {
      code: 'CANCELLED',
    });
    assert.equal(await within(ended.promise, 'the signal to abort'), 'AbortError');
  });

  it('worker threads: run in the thread of the handler', async (t) => {
    const scope = scopeOf(t);
    const file = join(tempFolder(scope), 'module.mjs');
    const entry = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href);
    writeFileSync(
      file,
      `import { threadId } from 'node:worker_threads';
       import { defineWorker } from ${entry};
       export default defineWorker({
         use: [async (data, { state }, next) => {
           state.thread = threadId;
           return { ...(await next({ n: data.n + 1 })), same: state.thread === threadId };
         }],
         handlers: { count: ({ n }, { state }) => ({ n, inThread: state.thread > 0 }) },
       });`,
    );
    const { client } = await startThreads(scope, 1, { module: file });
    const { eventData } = await client.sendMessage('count', { n: 1 });
    assert.deepEqual(eventData, { n: 2, inThread: true, same: true });
  });

  it('worker: names a wrong middleware when it is created', () => {
    const use = [undefined] as unknown as Middleware[];
    assert.throws(
      () => new ZeroMQWorker({ connection: 'tcp://127.0.0.1:1', use, handlers: { a: () => 1 } }),
      { name: 'ZeroMQConfigError', message: /^use\[0\] must be a function/ },
    );
  });
});
