// test:all: 15 s; calls.test.ts represents it
/** Calls of handlers in all places where workers run: threads, processes, embedded, several routers, servers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type HandlerContext,
  ReplyError,
  silentLogger,
  type ZeroMQError,
  ZeroMQNodeType,
  ZeroMQRouter,
  ZeroMQRoutingProxy,
  ZeroMQWorker,
} from '../../src/index.ts';
import { ClassicRouter, ClassicWorker, NEEDS_CLASSIC } from '../helpers/classic.ts';
import { anyEndpoint } from '../helpers/endpoints.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import {
  aborted,
  connectClient,
  HandlerGate,
  makeWorker,
  nextEvent,
  startRouter,
  startServer,
  startWorker,
} from './framework.ts';
import { makeThreads } from './threads.ts';

const module = fileURLToPath(new URL('./call-worker.ts', import.meta.url));
const processModule = fileURLToPath(new URL('./call-process-worker.ts', import.meta.url));

/** Calls `event` and returns the code, dispatched and message of its error. */
const errorOf = (event: string) => ({
  ask: async (data: unknown, { call }: HandlerContext) => {
    const error = (await call(event, data).catch((thrown: unknown) => thrown)) as ZeroMQError;
    return { code: error.code, dispatched: error.dispatched, message: error.message };
  },
});

const upDown = {
  up: async (n: number, { call }: HandlerContext): Promise<string[]> =>
    n === 0 ? [] : ['down', ...(await call<string[]>('down', n - 1))],
  down: async (n: number, { call }: HandlerContext): Promise<string[]> =>
    n === 0 ? [] : ['up', ...(await call<string[]>('up', n - 1))],
};

const STEPS = ['down', 'up', 'down', 'up', 'down'];

describe('calls from threads', () => {
  for (const isolation of ['thread', 'process'] as const) {
    it(`calls from a worker ${isolation}: reach other events, circles and errors included`, async (t) => {
      const scope = scopeOf(t);
      const { frontend, backend } = await startRouter(scope);
      const gate = new HandlerGate();
      await startWorker(scope, {
        connection: backend,
        handlers: {
          held: gate.handler,
          refusing: () => {
            throw new ReplyError(409, 'TAKEN', 'it is taken', { details: { by: 'me' } });
          },
        },
      });
      const file = isolation === 'process' ? processModule : module;
      const threads = makeThreads(scope, { module: file, connection: backend, threads: 1 });
      await untilJoined(() => threads.start());
      const client = await connectClient(scope, frontend);
      const options = { timeout: PATIENCE };
      assert.deepEqual((await client.sendMessage('up', 5, options)).eventData, STEPS);
      await assert.rejects(client.sendMessage('up.refused', null, options), {
        code: 'TAKEN',
        status: 409,
        details: { by: 'me' },
      });
      const controller = new AbortController();
      const held = client.sendMessage('up.held', 'x', { ...options, signal: controller.signal });
      await gate.called();
      controller.abort();
      await assert.rejects(held, { code: 'CANCELLED' });
      await aborted(gate.calls[0]?.signal as AbortSignal);
      gate.openAll();
    });
  }

  it('calls from threads of an embedded router: complete', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend } = await startRouter(scope);
    const threads = makeThreads(scope, { module, connection: router, threads: 1 });
    await untilJoined(() => threads.start());
    const client = await connectClient(scope, frontend);
    assert.deepEqual((await client.sendMessage('up', 5, { timeout: PATIENCE })).eventData, STEPS);
  });
});

describe('calls in the embedded mode', () => {
  async function embedded(scope: Scope, handlers: Record<string, unknown>, concurrency = 1) {
    const { router, frontend } = await startRouter(scope);
    const worker = new ZeroMQWorker({
      connection: router,
      handlers: handlers as typeof upDown,
      concurrency,
      logger: silentLogger,
    });
    scope.after(() => worker.stop({ deadline: 100 }));
    await worker.start();
    return { router, client: await connectClient(scope, frontend) };
  }

  it('embedded calls in a circle at concurrency 1: complete', async (t) => {
    const { client, router } = await embedded(scopeOf(t), upDown);
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => client.sendMessage('up', 5, { timeout: PATIENCE })),
    );
    for (const { eventData } of replies) assert.deepEqual(eventData, STEPS);
    const { calls, ok, queued, dispatched } = router.stats();
    assert.deepEqual({ calls, ok, queued, dispatched }, { calls: 250, ok: 300, queued: 0, dispatched: 0 });
  });

  it('embedded call: is cancelled with the request of its handler', async (t) => {
    const gate = new HandlerGate();
    const outer = new HandlerGate();
    const scope = scopeOf(t);
    const { client, router } = await embedded(scope, {
      ready: () => true,
      inner: gate.handler,
      outer: (data: unknown, context: HandlerContext) => {
        void outer.handler(data, context);
        return context.call('inner', data);
      },
    });
    // A client cancels only once it knows that its router is native.
    await client.sendMessage('ready');
    const controller = new AbortController();
    const request = client.sendMessage('outer', 1, { signal: controller.signal });
    await gate.called();
    controller.abort();
    await assert.rejects(request, { code: 'CANCELLED' });
    await aborted(gate.calls[0]?.signal as AbortSignal);
    await aborted(outer.calls[0]?.signal as AbortSignal);
    gate.openAll();
    assert.equal(router.stats().failures.CANCELLED, 2);
  });

  it('embedded call of a reserved event without the local check: NOT_PERMITTED', async (t) => {
    const scope = scopeOf(t);
    const { router } = await startRouter(scope);
    const slot = router.register({
      id: 'w',
      events: ['e'],
      concurrency: 1,
      contract: undefined,
      onRequest: () => undefined,
      onCancel: () => undefined,
      onClosed: () => undefined,
      onRetry: () => undefined,
    });
    assert.ok(typeof slot !== 'string');
    const message = {
      eventName: '$router.info',
      body: Buffer.from('null'),
      timeLeft: 1000,
      idempotent: false,
      requestId: '',
      extras: Buffer.alloc(0),
    };
    const reply = await new Promise<{ code: string }>((resolve) => {
      slot.call(message, { id: 0, generation: 0, depth: 1 }, resolve);
    });
    assert.equal(reply.code, 'NOT_PERMITTED');
    const deep = await new Promise<{ code: string }>((resolve) => {
      slot.call({ ...message, eventName: 'e' }, { id: 0, generation: 0, depth: 17 }, resolve);
    });
    assert.equal(deep.code, 'LOOP');
  });
});

describe('calls behind several routers', () => {
  it('two routers, circles at concurrency 1: all requests of both complete', async (t) => {
    const scope = scopeOf(t);
    const routers = [await startRouter(scope), await startRouter(scope)];
    const connection = routers.map(({ backend }) => backend);
    for (const [name, handler] of Object.entries(upDown)) {
      const handlers = { [name]: handler };
      const worker = makeWorker(scope, { connection, handlers, concurrency: 1 });
      const both = routers.map(({ router }) => nextEvent(router, 'workerJoined'));
      await worker.start();
      await Promise.all(both);
    }
    const clients = await Promise.all(routers.map(({ frontend }) => connectClient(scope, frontend)));
    const requests = clients.flatMap((client) =>
      Array.from({ length: 30 }, (_, n) =>
        client.sendMessage<string[]>(n % 3 === 0 ? 'up' : 'down', n % 6, { timeout: PATIENCE }),
      ),
    );
    const replies = await Promise.all(requests);
    assert.deepEqual(
      replies.map(({ eventData }) => eventData.length),
      clients.flatMap(() => Array.from({ length: 30 }, (_, n) => n % 6)),
    );
    for (const { router } of routers) {
      const { queued, dispatched, failures, calls } = router.stats();
      assert.deepEqual({ queued, dispatched, failures }, { queued: 0, dispatched: 0, failures: {} });
      assert.ok(calls > 0, 'both routers take calls');
    }
  });

  it('router without a worker for the event: the call goes to the other router', async (t) => {
    const scope = scopeOf(t);
    const [first, second] = [await startRouter(scope), await startRouter(scope)];
    await startWorker(scope, { connection: second.backend, handlers: { inner: (n: number) => n + 1 } });
    const outer = makeWorker(scope, {
      connection: [first.backend, second.backend],
      handlers: { outer: (n: number, { call }: HandlerContext) => call('inner', n) },
    });
    const both = [first, second].map(({ router }) => nextEvent(router, 'workerJoined'));
    await outer.start();
    await Promise.all(both);
    const client = await connectClient(scope, first.frontend);
    assert.equal((await client.sendMessage('outer', 1)).eventData, 2);
    assert.equal(second.router.stats().ok, 1);
  });

  it('router that stops while a handler runs: it still takes the calls of the handler', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startRouter(scope);
    const gate = new HandlerGate();
    await startWorker(scope, {
      connection: backend,
      handlers: {
        inner: (n: number) => n + 1,
        outer: async (n: number, context: HandlerContext) => {
          await gate.handler(n, context);
          return context.call('inner', n);
        },
      },
    });
    const client = await connectClient(scope, frontend);
    const request = client.sendMessage('outer', 1);
    await gate.called();
    const stopped = router.stop({ deadline: PATIENCE });
    gate.openAll();
    assert.equal((await request).eventData, 2);
    await stopped;
    assert.deepEqual(router.stats().failures, {});
  });

  it('worker that stops while its handler calls itself in a circle: the request completes', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope);
    const gate = new HandlerGate();
    const worker = await startWorker(scope, {
      connection: backend,
      concurrency: 1,
      handlers: {
        outer: async (n: number, context: HandlerContext) => {
          await gate.handler(n, context);
          return context.call('inner', n);
        },
        inner: (n: number) => n + 1,
      },
    });
    const client = await connectClient(scope, frontend);
    const request = client.sendMessage('outer', 1);
    await gate.called();
    const stopped = worker.stop({ deadline: PATIENCE });
    gate.openAll();
    assert.equal((await request).eventData, 2);
    await stopped;
  });
});

describe('calls without a router that takes them', () => {
  it('call behind a blind proxy: CALLS_UNSUPPORTED names the endpoint', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope, 'tcp', { strategy: new ZeroMQRoutingProxy() });
    const worker = makeWorker(scope, { connection: backend, handlers: errorOf('inner') });
    const connected = nextEvent(worker, 'connected');
    await worker.start();
    await connected;
    const client = await connectClient(scope, frontend, { classic: true });
    const { code, dispatched, message } = (
      await client.sendMessage<Record<string, unknown>>('ask', null, { timeout: PATIENCE })
    ).eventData;
    assert.deepEqual([code, dispatched], ['CALLS_UNSUPPORTED', false]);
    assert.match(String(message), new RegExp(`cannot call "inner": the router at ${backend}`));
  });

  it('call behind a classic router: CALLS_UNSUPPORTED', NEEDS_CLASSIC, async (t) => {
    const scope = scopeOf(t);
    const router = await ClassicRouter.start(scope, 'tcp://127.0.0.1:*', 'tcp://127.0.0.1:*');
    const worker = makeWorker(scope, { connection: router.backend, handlers: errorOf('inner') });
    const connected = nextEvent(worker, 'connected');
    await worker.start();
    await connected;
    const client = await connectClient(scope, router.frontend, { classic: true });
    const { eventData } = await client.sendMessage<Record<string, unknown>>('ask', null, {
      timeout: PATIENCE,
    });
    assert.equal(eventData['code'], 'CALLS_UNSUPPORTED');
    assert.match(String(eventData['message']), /connect the worker to a ZeroMQRouter/);
  });

  it('call of an event that a classic worker serves: completes', NEEDS_CLASSIC, async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope);
    await untilJoined(() => ClassicWorker.start(scope, backend));
    await startWorker(scope, {
      connection: backend,
      concurrency: 1,
      handlers: { outer: (data: unknown, { call }: HandlerContext) => call('echo', data) },
    });
    const client = await connectClient(scope, frontend);
    assert.deepEqual((await client.sendMessage('outer', { a: [1, 'ü'] })).eventData, { a: [1, 'ü'] });
  });
});

describe('calls from a server', () => {
  it('server without `calls`: handlers call its own events, circles at concurrency 1 included', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers: upDown, concurrency: 1 });
    const client = await connectClient(scope, endpoint);
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => client.sendMessage('up', 5, { timeout: PATIENCE })),
    );
    for (const { eventData } of replies) assert.deepEqual(eventData, STEPS);
  });

  it('server at concurrency 1: requests of clients run one after the other while handlers call', async (t) => {
    const scope = scopeOf(t);
    let running = 0;
    let most = 0;
    const { endpoint } = await startServer(scope, {
      concurrency: 1,
      handlers: {
        outer: async (n: number, { call }: HandlerContext) => {
          running += 1;
          most = Math.max(most, running);
          const got = await call('inner', n);
          running -= 1;
          return got;
        },
        inner: async (n: number) => {
          await new Promise(setImmediate);
          return n;
        },
      },
    });
    const client = await connectClient(scope, endpoint);
    const replies = await Promise.all([1, 2, 3, 4].map((n) => client.sendMessage('outer', n)));
    assert.deepEqual(
      replies.map(({ eventData }) => eventData),
      [1, 2, 3, 4],
    );
    assert.equal(most, 1);
  });

  it('server, call of an event that it does not serve: NO_HANDLER, not dispatched', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers: errorOf('nothing') });
    const client = await connectClient(scope, endpoint);
    const { eventData } = await client.sendMessage<Record<string, unknown>>('ask');
    assert.deepEqual([eventData['code'], eventData['dispatched']], ['NO_HANDLER', false]);
  });

  it('worker with the node type SERVER: handlers call its own events', async (t) => {
    const scope = scopeOf(t);
    const worker = makeWorker(scope, {
      nodeType: ZeroMQNodeType.SERVER,
      connection: anyEndpoint(scope, 'tcp'),
      handlers: upDown,
      concurrency: 1,
    });
    const [endpoint] = await worker.start();
    assert.ok(endpoint);
    const client = await connectClient(scope, endpoint);
    assert.deepEqual((await client.sendMessage('up', 5)).eventData, STEPS);
  });

  it('server with a client as `calls`: handlers call the events of a router', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope);
    await startWorker(scope, {
      connection: backend,
      handlers: { inner: (n: number, { requestId }: HandlerContext) => ({ n, requestId }) },
    });
    const calls = await connectClient(scope, frontend);
    const { endpoint } = await startServer(scope, {
      calls,
      handlers: { outer: (n: number, { call }: HandlerContext) => call('inner', n), ...errorOf('nothing') },
    });
    const client = await connectClient(scope, endpoint);
    const { eventData } = await client.sendMessage('outer', 3, { requestId: 'r-9' });
    assert.deepEqual(eventData, { n: 3, requestId: 'r-9' });
    assert.equal((await client.sendMessage<{ code: string }>('ask')).eventData.code, 'NO_WORKER');
    await calls.close();
    assert.equal((await client.sendMessage<{ code: string }>('ask')).eventData.code, 'NO_ROUTER');
  });

  it('server with a router of its process as `calls`: handlers call the events of its workers', async (t) => {
    const scope = scopeOf(t);
    const { router } = await startRouter(scope);
    assert.ok(router instanceof ZeroMQRouter);
    await startWorker(scope, { connection: router, handlers: { inner: (n: number) => n + 1 } });
    const { endpoint } = await startServer(scope, {
      calls: router,
      handlers: { outer: (n: number, { call }: HandlerContext) => call('inner', n) },
    });
    const client = await connectClient(scope, endpoint);
    assert.equal((await client.sendMessage('outer', 3)).eventData, 4);
  });

  it('server, `calls` that cannot send: the constructor rejects it', async (t) => {
    await assert.rejects(startServer(scopeOf(t), { calls: {} as ZeroMQRouter, handlers: upDown }), {
      code: 'INVALID_ARGUMENT',
      message: /calls must be a ZeroMQClient/,
    });
  });
});
