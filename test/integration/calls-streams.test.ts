// test:all: 10 s; calls.test.ts represents it
/** Calls of handlers whose replies and bodies are streams. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withResolvers } from '../../src/core/collections/deferred.ts';
import {
  event,
  type HandlerContext,
  type Handlers,
  type ZeroMQClient,
  type ZeroMQError,
  ZeroMQStream,
} from '../../src/index.ts';
import { within } from '../helpers/eventually.ts';
import { briefTimeout, PATIENCE } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter, startServer, startWorker } from './framework.ts';
import { handlers as relays } from './relay-worker.ts';
import { bytesOf, handlers as streams } from './stream-worker.ts';
import { makeThreads } from './threads.ts';

const module = fileURLToPath(new URL('./relay-worker.ts', import.meta.url));
const WINDOW = 256 * 1024;

/** Starts a worker that calls another one. Resolves with a client of it. */
type Place = (scope: Scope) => Promise<ZeroMQClient>;

async function withThreads(scope: Scope, isolation: 'thread' | 'process'): Promise<ZeroMQClient> {
  const { backend, frontend } = await startRouter(scope);
  await startWorker(scope, { connection: backend, handlers: streams });
  const threads = makeThreads(scope, { module, connection: backend, threads: 1, isolation } as never);
  await untilJoined(() => threads.start());
  return connectClient(scope, frontend);
}

const PLACES: Record<string, Place> = {
  'a worker over a socket': async (scope) => {
    const { backend, frontend } = await startRouter(scope);
    await startWorker(scope, { connection: backend, handlers: streams });
    await startWorker(scope, { connection: backend, handlers: relays, concurrency: 1 });
    return connectClient(scope, frontend);
  },
  'an embedded worker, to itself': async (scope) => {
    const { router, frontend } = await startRouter(scope);
    await startWorker(scope, { connection: router, handlers: { ...streams, ...relays }, concurrency: 1 });
    return connectClient(scope, frontend);
  },
  'a worker thread': (scope) => withThreads(scope, 'thread'),
  'a worker process': (scope) => withThreads(scope, 'process'),
  'a server, to itself': async (scope) => {
    const { endpoint } = await startServer(scope, { handlers: { ...streams, ...relays }, concurrency: 1 });
    return connectClient(scope, endpoint);
  },
  'a server, to a router': async (scope) => {
    const { backend, frontend } = await startRouter(scope);
    await startWorker(scope, { connection: backend, handlers: streams });
    const calls = await connectClient(scope, frontend);
    const { endpoint } = await startServer(scope, { handlers: relays, calls });
    return connectClient(scope, endpoint);
  },
};

const sha256 = (chunks: Iterable<Buffer>): string => {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
};

interface State {
  readonly pulled: number;
  readonly ended: number;
}

/** What the handlers of stream-worker.ts did; they run in this process. */
const stateOf = async (): Promise<State> => {
  const handler = streams['stream.state'] as (data: null, context: never) => State;
  return Promise.resolve({ ...handler(null, undefined as never) });
};

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(setImmediate);
}

describe('calls with streams', () => {
  for (const [name, start] of Object.entries(PLACES)) {
    it(`calls with streams from ${name}: replies and bodies arrive unchanged, at the pace of the reader`, async (t) => {
      const client = await start(scopeOf(t));
      const size = 4_000_000;
      const before = await stateOf();
      const down = await client.stream('relay.down', size, { timeout: PATIENCE });
      assert.equal(down.contentType, 'application/octet-stream');
      const reader = down.bytes();
      const first = await reader.next();
      for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
      // The windows of the client and of the handler, and a chunk on the way in each.
      const { pulled } = await stateOf();
      assert.ok(pulled - before.pulled < 3 * WINDOW, `${pulled - before.pulled} bytes were sent ahead`);
      const chunks = [first.value as Buffer];
      for await (const chunk of reader) chunks.push(chunk);
      assert.equal(sha256(chunks), sha256(bytesOf(size)));
      const up = await client.stream('relay.up', null, { body: bytesOf(size), timeout: PATIENCE });
      for await (const sum of up) assert.equal(sum, sha256(bytesOf(size)));
      const { ended } = await stateOf();
      const left = await client.stream('relay.down', 100_000_000, { timeout: PATIENCE });
      for await (const _ of left) break;
      await within(
        until(async () => (await stateOf()).ended > ended),
        'the end of the handler that was called',
      );
    });
  }

  async function scene(scope: Scope, outer: Handlers, inner: Handlers, concurrency = 1) {
    const { router, frontend, backend } = await startRouter(scope);
    await startWorker(scope, { connection: backend, handlers: outer, concurrency });
    const callee = await startWorker(scope, { connection: backend, handlers: inner, concurrency });
    return { router, callee, client: await connectClient(scope, frontend) };
  }

  /** Returns the code of the error with which a stream of `inner` ends, and its items. */
  const watch = async (timeout: number | null, context: HandlerContext): Promise<unknown> => {
    const items: unknown[] = [];
    try {
      const source = await context.stream('inner', null, { timeout: timeout ?? PATIENCE });
      for await (const item of source) items.push(item);
      return { items };
    } catch (error) {
      return { items, code: (error as ZeroMQError).code };
    }
  };

  it('calls with streams: items of each kind, and whole replies as one item', async (t) => {
    const { client } = await scene(
      scopeOf(t),
      {
        outer: async (name: string, context) => {
          const source = await context.stream(name, null, { lastEventId: '6' });
          assert.ok(source instanceof ZeroMQStream);
          const items: unknown[] = [];
          for await (const item of source) items.push(item);
          return { status: source.status, contentType: source.contentType, items };
        },
      },
      {
        events: async function* (_data: unknown, { lastEventId }: HandlerContext) {
          yield event({ id: Number(lastEventId) + 1, data: { n: 1 } });
        },
        lines: async function* () {
          yield { n: 1 };
          yield { n: 2 };
        },
        whole: () => ({ n: 3 }),
      },
    );
    const result = async (name: string) => (await client.sendMessage('outer', name)).eventData;
    assert.deepEqual(await result('events'), {
      status: 200,
      contentType: 'text/event-stream',
      items: [{ id: '7', event: 'message', data: { n: 1 } }],
    });
    const lines = { status: 200, contentType: 'application/x-ndjson', items: [{ n: 1 }, { n: 2 }] };
    assert.deepEqual(await result('lines'), lines);
    assert.deepEqual(await result('whole'), { status: 200, contentType: '', items: [{ n: 3 }] });
  });

  it('calls with streams: failures before and after the first chunk, and the deadline until it', async (t) => {
    const { client } = await scene(
      scopeOf(t),
      { outer: watch },
      {
        inner: async function* () {
          yield { n: 1 };
          throw new Error('broken');
        },
      },
    );
    assert.deepEqual((await client.sendMessage('outer')).eventData, {
      items: [{ n: 1 }],
      code: 'HANDLER_ERROR',
    });
    const late = await scene(
      scopeOf(t),
      { outer: watch },
      {
        inner: async function* (_data: unknown, { signal }: HandlerContext) {
          await once(signal, 'abort');
          yield { n: 1 };
        },
      },
    );
    assert.deepEqual((await late.client.sendMessage('outer', briefTimeout(200))).eventData, {
      items: [],
      code: 'TIMEOUT',
    });
    const none = await scene(scopeOf(t), { outer: watch }, { other: () => 1 });
    assert.deepEqual((await none.client.sendMessage('outer')).eventData, { items: [], code: 'NO_WORKER' });
  });

  it('calls with streams: a lost callee ends the stream', async (t) => {
    const began = withResolvers<undefined>();
    const { client, callee } = await scene(
      scopeOf(t),
      { outer: watch },
      {
        inner: async function* (_data: unknown, { signal }: HandlerContext) {
          yield { n: 1 };
          began.resolve(undefined);
          await once(signal, 'abort');
        },
      },
    );
    const reply = client.sendMessage<{ code: string }>('outer', null, { timeout: PATIENCE });
    await began.promise;
    await callee.stop({ deadline: 0 });
    assert.match((await reply).eventData.code, /^(?:WORKER_LOST|CANCELLED|SHUTTING_DOWN)$/);
  });

  it('calls with streams: a handler that ends without reading cancels its streams', async (t) => {
    const aborted = withResolvers<string>();
    const { client, router } = await scene(
      scopeOf(t),
      {
        outer: async (_data: unknown, context) => {
          await context.stream('inner');
          return 'done';
        },
      },
      {
        inner: async function* (_data: unknown, { signal }: HandlerContext) {
          signal.addEventListener('abort', () => aborted.resolve((signal.reason as Error).name));
          yield { n: 1 };
          await once(signal, 'abort');
        },
      },
    );
    assert.equal((await client.sendMessage('outer')).eventData, 'done');
    assert.equal(await within(aborted.promise, 'the abort of the callee'), 'AbortError');
    await within(
      until(() => Promise.resolve(router.stats().dispatched === 0)),
      'an idle router',
    );
  });

  it('calls with streams: circles at concurrency 1 complete, and a circle without end is a LOOP', async (t) => {
    const bounce = (other: string) =>
      async function* (n: number, context: HandlerContext): AsyncGenerator<unknown> {
        yield { n };
        if (n > 0) yield* await context.stream(other, n - 1, { timeout: PATIENCE });
      };
    const { client } = await scene(scopeOf(t), { ping: bounce('pong') }, { pong: bounce('ping') });
    const items = async (n: number): Promise<unknown[]> => {
      const found: unknown[] = [];
      for await (const item of await client.stream('ping', n, { timeout: PATIENCE })) found.push(item);
      return found;
    };
    const all = await Promise.all(Array.from({ length: 5 }, () => items(4)));
    for (const found of all) assert.deepEqual(found, [{ n: 4 }, { n: 3 }, { n: 2 }, { n: 1 }, { n: 0 }]);
    await assert.rejects(items(20), { code: 'HANDLER_ERROR' });
  });

  it('calls with streams: a callee holds more open streams than its concurrency', async (t) => {
    const open = withResolvers<undefined>();
    const { client } = await scene(
      scopeOf(t),
      {
        outer: async (_data: unknown, context) => {
          const sources = await Promise.all([1, 2, 3].map(() => context.stream('inner')));
          open.resolve(undefined);
          const items: unknown[] = [];
          for (const source of sources) for await (const item of source) items.push(item);
          return items.length;
        },
      },
      {
        inner: async function* () {
          yield 1;
          await open.promise;
          yield 2;
        },
      },
    );
    assert.equal((await client.sendMessage('outer', null, { timeout: PATIENCE })).eventData, 6);
  });

  it('calls with streams: invalid options reject, and nothing is sent', async (t) => {
    const { client, router } = await scene(
      scopeOf(t),
      {
        outer: async (options: object, context) =>
          context.stream('inner', null, options).catch((error: ZeroMQError) => error.message),
      },
      { inner: () => 1 },
    );
    const message = async (options: object) => (await client.sendMessage('outer', options)).eventData;
    assert.match(String(await message({ window: 0 })), /window must be at least 1 byte/);
    assert.match(
      String(await message({ body: 'a', parts: [] })),
      /either the option body or the option parts/,
    );
    assert.match(String(await message({ timeout: -1 })), /timeout must be more than 0 ms/);
    assert.equal(router.stats().calls, 0);
  });
});
