/** A client and its routers: routers that return, several routers, classic routers, and two clients. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ZeroMQClient, ZeroMQConnectionError, ZeroMQRouter } from '../../src/index.ts';
import { type RouterLimits, ZeroMQRoutingProxy } from '../../src/index.ts';
import { freeEndpoint, TRANSPORTS, type Transport } from '../helpers/endpoints.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { briefTimeout, PATIENCE } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { rawDealer, rawRouter } from '../helpers/raw.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import {
  ALL_TRANSPORTS,
  connectClient,
  HandlerGate,
  makeClient,
  makeWorker,
  nextEvent,
  startRouter,
  startServer,
  startWorker,
} from './framework.ts';

failOnLeftovers();

const echo = { echo: (data: unknown) => data };

/** A router and its worker at endpoints that are known in advance. */
async function startAt(
  scope: Scope,
  frontendConnection: string,
  backendConnection: string,
  limits: RouterLimits = {},
): Promise<ZeroMQRouter> {
  const { router } = await startRouter(scope, 'tcp', { frontendConnection, backendConnection, limits });
  return router;
}

describe('router that goes and returns', () => {
  for (const transport of ALL_TRANSPORTS) {
    it(`router that returns: its clients and workers reconnect by themselves (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const frontend = await freeEndpoint(scope, transport);
      const backend = await freeEndpoint(scope, transport);
      const first = await startAt(scope, frontend, backend);
      const worker = makeWorker(scope, { connection: backend, handlers: echo });
      await untilJoined(() => worker.start());
      const client = await connectClient(scope, frontend, { connectTimeout: PATIENCE });
      for (let n = 0; n < 3; n += 1) assert.equal((await client.sendMessage('echo', n)).eventData, n);
      await first.stop();
      // No router is there: requests wait.
      const waiting = client.sendMessage('echo', 'waited', { timeout: PATIENCE, idempotent: true });
      await untilJoined(() => startAt(scope, frontend, backend, { startupGrace: PATIENCE }));
      assert.equal((await waiting).eventData, 'waited');
      for (let n = 0; n < 3; n += 1) assert.equal((await client.sendMessage('echo', n)).eventData, n);
    });
  }

  for (const transport of TRANSPORTS) {
    it(`router that returns: requests in flight fail as possibly run, and idempotent ones are sent again (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const raw = await rawRouter(scope, await freeEndpoint(scope, transport));
      const client = await connectClient(scope, raw.endpoint);
      const disconnected = nextEvent(client, 'disconnected');
      const lost = assert.rejects(client.sendMessage('once'), {
        code: 'WORKER_LOST',
        dispatched: true,
        status: 502,
      });
      const again = client.sendMessage('twice', 5, { idempotent: true, timeout: PATIENCE });
      await raw.socket.receive();
      await raw.socket.receive();
      raw.socket.close();
      await lost;
      await disconnected;
      assert.equal(client.reachable, false);
      await startServer(scope, { connection: raw.endpoint, handlers: { twice: (data: unknown) => data } });
      assert.equal((await again).eventData, 5);
    });
  }

  it('router that replies and stops immediately: its replies arrive', async (t) => {
    const scope = scopeOf(t);
    const raw = await rawRouter(scope);
    raw.socket.linger = 1000;
    const client = await connectClient(scope, raw.endpoint);
    const replies = Array.from({ length: 100 }, (_, n) => client.sendMessage('last words', n));
    for (let n = 0; n < replies.length; n += 1) {
      const [identity = '', token = '', ...rest] = await raw.socket.receive();
      await raw.socket.send([identity, token, ...rest.slice(0, 3)]);
    }
    raw.socket.close();
    // The replies and the end arrive before the client reads: it must read the replies first.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    assert.deepEqual(
      (await Promise.all(replies)).map(({ eventData }) => eventData),
      replies.map((_, n) => n),
    );
  });

  it('router replaced by a classic server: packed messages end with the connection', async (t) => {
    const scope = scopeOf(t);
    const connection = await freeEndpoint(scope, 'tcp');
    const { server } = await startServer(scope, { connection, handlers: echo });
    const client = await connectClient(scope, connection);
    for (let n = 0; n < 3; n += 1) await client.sendMessage('echo', n);
    const disconnected = nextEvent(client, 'disconnected');
    await server.stop();
    await disconnected;
    const classic = await rawRouter(scope, connection);
    const reply = client.sendMessage('echo', 'plain', { timeout: PATIENCE });
    const [identity = '', token = '', ...rest] = await classic.socket.receive();
    assert.deepEqual(rest.slice(0, 3).map(String), ['', 'echo', '"plain"']);
    await classic.socket.send([identity, token, '', 'echo', '"as it was"']);
    assert.equal((await reply).eventData, 'as it was');
  });

  it('router that disappears silently (inproc): the client detects it and recovers', async (t) => {
    const scope = scopeOf(t);
    const connection = await freeEndpoint(scope, 'inproc');
    const raw = await rawRouter(scope, connection);
    const client = makeClient(scope, { connection });
    const connecting = client.connect();
    const [identity = '', token = ''] = await raw.socket.receive();
    await raw.socket.send([identity, token, '', '$router.ping', '{}']);
    assert.equal(await connecting, true);
    const disconnected = nextEvent(client, 'disconnected');
    raw.socket.close();
    // Requests sent before libzmq notices the loss are lost. Later ones find no router.
    for (let down = false; !down; ) {
      void disconnected.then(() => {
        down = true;
      });
      await assert.rejects(
        client.sendMessage('echo', 1, { timeout: 300 }),
        (error: ZeroMQConnectionError) => error.status > 500,
      );
    }
    await startServer(scope, { connection, handlers: echo });
    assert.equal(await client.connect({ timeout: PATIENCE }), true);
    assert.equal((await client.sendMessage('echo', 2)).eventData, 2);
  });
});

describe('client with several routers', () => {
  it('client with several routers: they share the requests, and one takes all when the other leaves', async (t) => {
    const scope = scopeOf(t);
    const [a, b] = [await startRouter(scope), await startRouter(scope)];
    const worker = makeWorker(scope, { connection: [a.backend, b.backend], handlers: echo });
    await untilJoined(() => worker.start(), 2);
    const client = makeClient(scope, { connection: [a.frontend, b.frontend] });
    await client.connect({ throwOnFailure: true });
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    const ask = (): Promise<unknown[]> =>
      Promise.all(numbers.map(async (n) => (await client.sendMessage('echo', n)).eventData));
    await eventuallyBoth(client);
    assert.deepEqual(await ask(), numbers);
    assert.ok(a.router.stats().ok > 20 && b.router.stats().ok > 20, 'both routers got requests');
    await a.router.stop();
    assert.deepEqual(await ask(), numbers);
  });

  /** Resolves when both connections are established. `connect` waits for the first one only. */
  async function eventuallyBoth(client: ZeroMQClient): Promise<void> {
    for (const monitor of client.monitors) {
      if (monitor.status !== 'connected') await nextEvent(monitor, 'handshake');
    }
  }
});

describe('client of a classic router', () => {
  const blind = async (scope: Scope, transport: Transport) =>
    startRouter(scope, transport, { strategy: new ZeroMQRoutingProxy() });

  for (const transport of ALL_TRANSPORTS) {
    it(`client of a classic router: each socket of its pool carries one request (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const { frontend, backend } = await blind(scope, transport);
      let running = 0;
      let most = 0;
      const slow = async (data: unknown): Promise<unknown> => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        return data;
      };
      await makeWorker(scope, { connection: backend, handlers: { slow } }).start();
      const client = await connectClient(scope, frontend, { classic: true, poolSize: 4 });
      const numbers = Array.from({ length: 50 }, (_, n) => n);
      const replies = await Promise.all(numbers.map((n) => client.sendMessage('slow', n)));
      assert.deepEqual(
        replies.map(({ eventData }) => eventData),
        numbers,
      );
      assert.ok(most >= 1 && most <= 4, `${most} requests at a time`);
    });
  }

  it('client of a classic router: receives codes and statuses of native workers', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await blind(scope, 'tcp');
    await makeWorker(scope, { connection: backend, handlers: echo }).start();
    const client = await connectClient(scope, frontend, { classic: true, poolSize: 1 });
    await assert.rejects(client.sendMessage('unserved'), {
      code: 'NO_HANDLER',
      status: 501,
      dispatched: false,
    });
  });

  it("client of a classic router: does not take a late reply for the next request's", async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await blind(scope, 'tcp');
    const gate = new HandlerGate();
    await makeWorker(scope, { connection: backend, handlers: { hold: gate.handler, ...echo } }).start();
    const client = await connectClient(scope, frontend, { classic: true, poolSize: 1 });
    await assert.rejects(client.sendMessage('hold', 'late', { timeout: briefTimeout(50) }), {
      code: 'TIMEOUT',
    });
    await gate.called();
    gate.openAll();
    for (let n = 0; n < 5; n += 1) assert.equal((await client.sendMessage('echo', n)).eventData, n);
  });

  it('client of a classic router: a request that waits for a socket expires and is not sent', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await blind(scope, 'tcp');
    const gate = new HandlerGate();
    await makeWorker(scope, { connection: backend, handlers: { hold: gate.handler } }).start();
    const client = await connectClient(scope, frontend, { classic: true, poolSize: 1 });
    const held = client.sendMessage('hold', 1);
    await gate.called();
    await assert.rejects(client.sendMessage('hold', 2, { timeout: 50 }), {
      code: 'EXPIRED',
      dispatched: false,
    });
    gate.openAll();
    assert.equal((await held).eventData, 1);
  });

  it('client of a classic router: works without the option if all workers are native', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await blind(scope, 'tcp');
    await makeWorker(scope, { connection: backend, handlers: echo }).start();
    const client = await connectClient(scope, frontend);
    for (let n = 0; n < 20; n += 1) assert.equal((await client.sendMessage('echo', n)).eventData, n);
  });
});

describe('two clients', () => {
  it('two clients with one config file: share the node id and have different identities', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope);
    await startWorker(scope, { connection: backend, handlers: echo });
    const configFile = `${tempFolder(scope)}/config.ini`;
    const clients = [
      await connectClient(scope, frontend, { configFile }),
      await connectClient(scope, frontend, { configFile }),
    ];
    const replies = await Promise.all(
      clients.flatMap((client, index) =>
        Array.from({ length: 50 }, async () => (await client.sendMessage('echo', index)).eventData === index),
      ),
    );
    assert.ok(replies.every(Boolean));
    const [a, b] = clients.map(({ identity }) => identity);
    assert.equal(a?.nodeId, b?.nodeId);
    assert.notEqual(a?.identity, b?.identity);
  });

  it('two clients with the same identity: the second gets no replies of the first', async (t) => {
    const scope = scopeOf(t);
    const gate = new HandlerGate();
    const { endpoint } = await startServer(scope, { handlers: { hold: gate.handler, ...echo } });
    const first = await connectClient(scope, endpoint);
    const reply = first.sendMessage('hold', 'mine');
    await gate.called();
    const second = rawDealer(scope, endpoint, first.identity.identity);
    await second.send(['', 'echo', '"stolen"']);
    gate.openAll();
    assert.equal((await reply).eventData, 'mine');
    assert.equal((await first.sendMessage('echo', 1)).eventData, 1);
  });
});
