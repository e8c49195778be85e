/**
 * How handlers learn that their caller is gone, and which worker gets the requests of a key: over
 * sockets, through a gateway.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Joi from 'joi';
import { createGateway } from '../../src/gateway/index.ts';
import { defineContract, StickyStrategy, silentLogger } from '../../src/index.ts';
import { ApiRegistry } from '../../src/openapi/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { briefTimeout } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { aborted, connectClient, HandlerGate, startRouter, startWorker } from './framework.ts';

failOnLeftovers();

/** A running handler, and a caller that waits for it. */
async function running(scope: Scope, options: { timeout?: number; signal?: AbortSignal } = {}) {
  const { router, frontend, backend } = await startRouter(scope);
  const gate = new HandlerGate();
  const handlers = { hold: gate.handler, echo: (data: unknown) => data };
  const worker = await startWorker(scope, { connection: backend, handlers });
  const client = await connectClient(scope, frontend);
  await client.sendMessage('echo'); // After the first reply, the client packs its messages and can cancel.
  const outcome = client.sendMessage('hold', 1, options).then(
    () => 'ok',
    (error: unknown) => (error as { code: string }).code,
  );
  await gate.called();
  const signal = gate.calls[0]?.signal ?? assert.fail();
  scope.after(() => gate.openAll());
  return { router, worker, client, signal, outcome };
}

async function reasonOf(signal: AbortSignal): Promise<string> {
  await aborted(signal);
  const { name, message } = signal.reason as Error;
  return `${name}: ${message}`;
}

describe('abort reason of a handler', () => {
  it("handler: its signal aborts with TimeoutError at the request's deadline", async (t) => {
    const { signal, outcome } = await running(scopeOf(t), { timeout: briefTimeout(100) });
    assert.equal(await reasonOf(signal), 'TimeoutError: the deadline of the request passed');
    assert.equal(await outcome, 'TIMEOUT');
  });

  it('handler: its signal aborts when the caller cancels', async (t) => {
    const controller = new AbortController();
    const { signal, outcome } = await running(scopeOf(t), { signal: controller.signal });
    controller.abort();
    assert.equal(await reasonOf(signal), 'AbortError: the caller cancelled the request, or went away');
    assert.equal(await outcome, 'CANCELLED');
  });

  it('handler: its signal aborts when the caller disconnects', async (t) => {
    const { signal, client } = await running(scopeOf(t));
    await client.close();
    assert.equal(await reasonOf(signal), 'AbortError: the caller cancelled the request, or went away');
  });

  it('handler: its signal aborts when the connection to the router is lost', async (t) => {
    const { signal, router, outcome } = await running(scopeOf(t));
    await router.stop({ deadline: 0 });
    assert.equal(await reasonOf(signal), 'AbortError: the connection that the reply would take was lost');
    assert.equal(await outcome, 'WORKER_LOST');
  });

  it('handler: its signal aborts when the worker is closed', async (t) => {
    const { signal, worker, outcome } = await running(scopeOf(t));
    await worker.stop({ deadline: 0 });
    assert.match(await reasonOf(signal), /worker \S+ did not drain in 0 ms/);
    assert.equal(await outcome, 'WORKER_LOST');
  });
});

describe('affinity key of a contract', () => {
  it('affinity key: its requests stay on one worker, and only the keys of a worker that leaves move', async (t) => {
    const scope = scopeOf(t);
    const { router, backend } = await startRouter(scope, 'tcp', { strategy: new StickyStrategy() });
    const contract = defineContract({
      name: 'carts',
      events: {
        'carts.get': {
          method: 'GET',
          path: '/carts/{user}',
          data: Joi.object({ user: Joi.string().required() }),
          stickyKey: 'user',
        },
      },
    });
    const workers = [];
    for (const name of ['a', 'b', 'c']) {
      const handlers = { 'carts.get': () => name };
      workers.push({ name, worker: await startWorker(scope, { connection: backend, contract, handlers }) });
    }
    const api = new ApiRegistry();
    api.put('carts', contract.fragment());
    const gateway = createGateway({ requester: router, api, port: 0, logger: silentLogger });
    scope.after(() => gateway.close({ deadline: 100 }));
    const { url } = await gateway.listen();
    const users = Array.from({ length: 30 }, (_, index) => `user-${index}`);
    const places = async (): Promise<unknown[]> =>
      Promise.all(users.map(async (user) => (await fetch(`${url}/carts/${user}`)).json()));

    const before = await places();
    assert.deepEqual(await places(), before);
    assert.equal(new Set(before).size, 3, 'the keys are spread over all workers');
    const [gone] = workers;
    await gone?.worker.stop();
    const after = await places();
    users.forEach((user, index) => {
      if (before[index] === gone?.name) assert.notEqual(after[index], gone?.name, user);
      else assert.equal(after[index], before[index], user);
    });
  });
});
