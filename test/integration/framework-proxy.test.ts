/** The proxy, which forwards frames like the router of the original. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ZeroMQRoutingProxy } from '../../src/index.ts';
import type { Transport } from '../helpers/endpoints.ts';
import { emissions, eventually } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { rawDealer, texts } from '../helpers/raw.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { ALL_TRANSPORTS, connectClient, makeWorker, startRouter } from './framework.ts';

failOnLeftovers();

const start = (scope: Scope, transport: Transport = 'tcp') =>
  startRouter(scope, transport, { strategy: new ZeroMQRoutingProxy() });

describe('proxy', () => {
  for (const transport of ALL_TRANSPORTS) {
    it(`proxy: forwards frames unchanged in both directions (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const { frontend, backend } = await start(scope, transport);
      const client = rawDealer(scope, frontend, 'client');
      const worker = rawDealer(scope, backend);
      await client.send(['a', '', 'b', Buffer.from([0, 255])]);
      const request = await worker.receive();
      assert.deepEqual(request.slice(0, 4).map(String), ['client', 'a', '', 'b']);
      assert.deepEqual(request[4], Buffer.from([0, 255]));
      await worker.send(['client', '', 'anything', 'at all', 'more']);
      assert.deepEqual(texts(await client.receive()), ['', 'anything', 'at all', 'more']);
    });
  }

  it('proxy: sends requests to workers in turn, regardless of what they hold', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await start(scope);
    const client = rawDealer(scope, frontend, 'client');
    const workers = [rawDealer(scope, backend), rawDealer(scope, backend)];
    const monitor = router.backendMonitor ?? assert.fail();
    await eventually(emissions(monitor, 'handshake'), () => monitor.connections === 2, 'both workers');
    for (let n = 0; n < 10; n += 1) await client.send([`request ${n}`]);
    const got = await Promise.all(
      workers.map(async (worker) => {
        const requests: number[] = [];
        while (requests.length < 5) requests.push(Number(String((await worker.receive())[1]).slice(8)));
        return requests;
      }),
    );
    assert.deepEqual(got.map((requests) => requests.map((n) => n % 2)).sort(), [
      [0, 0, 0, 0, 0],
      [1, 1, 1, 1, 1],
    ]);
  });

  it('proxy: keeps requests in order until there is a worker', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await start(scope);
    const client = rawDealer(scope, frontend, 'client');
    for (let n = 0; n < 500; n += 1) await client.send([`request ${n}`]);
    await turn();
    const worker = rawDealer(scope, backend);
    for (let n = 0; n < 500; n += 1) assert.equal(String((await worker.receive())[1]), `request ${n}`);
  });

  it('proxy: drops replies to unknown clients, and continues', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await start(scope);
    const client = rawDealer(scope, frontend, 'client');
    const worker = rawDealer(scope, backend);
    await client.send(['x']);
    await worker.receive();
    await worker.send(['unknown', '', 'lost', '{}']);
    await worker.send(['client', 'found']);
    assert.deepEqual(texts(await client.receive()), ['found']);
  });

  it('proxy: accepts no requests of its own thread', async (t) => {
    const { router } = await start(scopeOf(t));
    assert.equal(router.reachable, false);
    const code = await new Promise((resolve) => {
      const request = { eventName: 'echo', body: Buffer.from('1'), timeout: 1000, idempotent: true };
      router.request(request, (reply) => resolve(reply.code));
    });
    assert.equal(code, 'NO_ROUTER');
  });

  it('proxy: stops with queued requests, and leaves nothing open', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend } = await start(scope);
    const client = rawDealer(scope, frontend, 'client');
    await client.send(['never served']);
    await turn();
    await router.stop();
    assert.equal(await router.closed, undefined);
  });

  it('proxy: has sockets that can be monitored', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await start(scope);
    await makeWorker(scope, { connection: backend, handlers: { echo: (data: unknown) => data } }).start();
    const client = await connectClient(scope, frontend, { classic: true, poolSize: 1 });
    assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
    assert.deepEqual(
      [router.frontendMonitor?.status, router.backendMonitor?.status],
      ['connected', 'connected'],
    );
  });
});
