/** Calls that end early: cancelled requests, handlers that end, lost workers and connections. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withResolvers } from '../../src/core/collections/deferred.ts';
import { diagnostics } from '../../src/core/observability/diagnostics.ts';
import { type HandlerContext, ZeroMQError } from '../../src/index.ts';
import { briefTimeout, PATIENCE } from '../helpers/patience.ts';
import { startProcess } from '../helpers/processes.ts';
import { published } from '../helpers/published.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { TYPESCRIPT } from '../helpers/typescript.ts';
import { aborted, connectClient, HandlerGate, startRouter, startWorker } from './framework.ts';

type Handlers = Parameters<typeof startWorker>[1]['handlers'];

async function scene(scope: Scope, outer: Handlers, inner: Handlers) {
  const { router, frontend, backend } = await startRouter(scope);
  const worker = await startWorker(scope, {
    connection: backend,
    handlers: { ready: () => true, ...outer },
    concurrency: 1,
  });
  await startWorker(scope, { connection: backend, handlers: { ...inner }, concurrency: 1 });
  const client = await connectClient(scope, frontend);
  // A client cancels only once it knows that its router is native.
  await client.sendMessage('ready');
  return { router, client, worker, frontend, backend };
}

describe('cancelled requests', () => {
  it('request that is cancelled: the calls of its handler reject, and their signals abort', async (t) => {
    const gate = new HandlerGate();
    const outcome = withResolvers<ZeroMQError>();
    const { client, router } = await scene(
      scopeOf(t),
      {
        outer: async (data: unknown, { call }: HandlerContext) => {
          await call('inner', data).catch((error: ZeroMQError) => outcome.resolve(error));
        },
      },
      { inner: gate.handler },
    );
    const controller = new AbortController();
    const request = client.sendMessage('outer', 1, { signal: controller.signal });
    await gate.called();
    controller.abort();
    await assert.rejects(request, { code: 'CANCELLED' });
    const { code, dispatched } = await outcome.promise;
    assert.deepEqual([code, dispatched], ['CANCELLED', undefined]);
    const { signal } = gate.calls[0] as { signal: AbortSignal };
    await aborted(signal);
    assert.equal((signal.reason as Error).name, 'AbortError');
    gate.openAll();
    assert.equal(router.stats().failures.CANCELLED, 2);
  });

  it('call after its request was cancelled: rejects, and is not sent', async (t) => {
    const gate = new HandlerGate();
    const outcome = withResolvers<ZeroMQError>();
    const { client, router } = await scene(
      scopeOf(t),
      {
        outer: async (data: unknown, context: HandlerContext) => {
          await gate.handler(data, context);
          await context.call('inner').catch((error: ZeroMQError) => outcome.resolve(error));
        },
      },
      { inner: () => assert.fail('was called') },
    );
    const controller = new AbortController();
    const request = client.sendMessage('outer', 1, { signal: controller.signal });
    await gate.called();
    controller.abort();
    await assert.rejects(request, { code: 'CANCELLED' });
    await aborted(gate.calls[0]?.signal as AbortSignal);
    gate.openAll();
    const { code, dispatched } = await outcome.promise;
    assert.deepEqual([code, dispatched], ['CANCELLED', false]);
    assert.equal(router.stats().calls, 0);
  });

  it('call with a signal: aborting it cancels the call alone', async (t) => {
    const gate = new HandlerGate();
    const controller = new AbortController();
    const { client } = await scene(
      scopeOf(t),
      {
        outer: async (data: unknown, { call, signal: own }: HandlerContext) => {
          const { signal } = controller;
          const error = await call('inner', data, { signal }).catch((thrown: ZeroMQError) => thrown);
          return [(error as ZeroMQError).code, own.aborted];
        },
      },
      { inner: gate.handler },
    );
    const request = client.sendMessage('outer', 1);
    await gate.called();
    controller.abort(new Error('not needed'));
    assert.deepEqual((await request).eventData, ['CANCELLED', false]);
    await aborted(gate.calls[0]?.signal as AbortSignal);
    gate.openAll();
  });

  it('handler that ends before its call: the call is cancelled, and nothing is thrown', async (t) => {
    const gate = new HandlerGate();
    const { client, router } = await scene(
      scopeOf(t),
      {
        outer: async (data: unknown, context: HandlerContext) => {
          void context.call('inner', data);
          await gate.called();
          return 'done';
        },
        late: async (_: null, context: HandlerContext) => {
          setImmediate(() => void context.call('inner', 'late'));
          return 'done';
        },
      },
      { inner: gate.handler },
    );
    assert.equal((await client.sendMessage('outer', 1)).eventData, 'done');
    await aborted(gate.calls[0]?.signal as AbortSignal);
    gate.openAll();
    assert.equal((await client.sendMessage('late')).eventData, 'done');
    await new Promise(setImmediate);
    await client.sendMessage('ready');
    assert.equal(router.stats().calls, 1, 'a handler that has ended sends no call');
  });

  it('request whose deadline passes: the calls of its handler end with TIMEOUT', async (t) => {
    const gate = new HandlerGate();
    const outcome = withResolvers<ZeroMQError>();
    const { client } = await scene(
      scopeOf(t),
      {
        outer: async (data: unknown, { call }: HandlerContext) => {
          await call('inner', data).catch((error: ZeroMQError) => outcome.resolve(error));
        },
      },
      { inner: gate.handler },
    );
    await assert.rejects(client.sendMessage('outer', 1, { timeout: briefTimeout(150) }), { code: 'TIMEOUT' });
    const { code, dispatched } = await outcome.promise;
    assert.deepEqual([code, dispatched], ['TIMEOUT', true]);
    await aborted(gate.calls[0]?.signal as AbortSignal);
    gate.openAll();
  });
});

describe('lost workers', () => {
  it('callee that dies: WORKER_LOST; an idempotent call is redispatched to another worker', async (t) => {
    const scope = scopeOf(t);
    const gate = new HandlerGate();
    const { client, router, backend } = await scene(
      scope,
      {
        outer: async (idempotent: boolean, { call }: HandlerContext) => {
          const outcome = await call('hold', 1, { idempotent }).catch((error: ZeroMQError) => error);
          return outcome instanceof ZeroMQError ? [outcome.code, outcome.dispatched] : outcome;
        },
      },
      { nothing: () => null },
    );
    for (const [idempotent, expected] of [
      [false, ['WORKER_LOST', true]],
      [true, 'second'],
    ] as const) {
      const joined = published(diagnostics.workerJoined);
      const child = startProcess(scope, process.execPath, [
        ...TYPESCRIPT,
        fileURLToPath(new URL('worker-child.ts', import.meta.url)),
        backend,
      ]);
      await joined;
      const request = client.sendMessage('outer', idempotent, { timeout: PATIENCE });
      await child.waitForLine(/"got"/);
      if (idempotent) {
        await startWorker(scope, { connection: backend, handlers: { hold: () => 'second' } });
      }
      child.kill('SIGKILL');
      assert.deepEqual((await request).eventData, expected);
    }
    assert.equal(router.stats().redispatched, 1);
    gate.openAll();
  });

  it('caller that dies: its calls are cancelled', async (t) => {
    const scope = scopeOf(t);
    const gate = new HandlerGate();
    const { worker, client, router } = await scene(
      scope,
      { outer: (data: unknown, { call }: HandlerContext) => call('inner', data) },
      { inner: gate.handler },
    );
    const request = client.sendMessage('outer', 1, { timeout: PATIENCE });
    const lost = assert.rejects(request, { code: 'WORKER_LOST', dispatched: true });
    await gate.called();
    await worker.stop({ deadline: 0 });
    await lost;
    await aborted(gate.calls[0]?.signal as AbortSignal);
    gate.openAll();
    const { dispatched, queued } = router.stats();
    assert.deepEqual({ dispatched, queued }, { dispatched: 0, queued: 0 });
  });
});
