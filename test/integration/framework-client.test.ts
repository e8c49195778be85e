/** What a client lives through: nobody there, routers that come, go and come back, callers that do not wait. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ZeroMQRouter } from '../../src/index.ts';
import {
  type RouterLimits,
  ZeroMQClient,
  ZeroMQConnectionError,
  ZeroMQRoutingProxy,
} from '../../src/index.ts';
import { freeEndpoint, TRANSPORTS, type Transport } from '../helpers/endpoints.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { untilJoined } from '../helpers/published.ts';
import { rawDealer, rawRouter } from '../helpers/raw.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import {
  ALL_TRANSPORTS,
  aborted,
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

/** A router and its worker at endpoints that are known beforehand. */
async function startAt(
  scope: Scope,
  frontendConnection: string,
  backendConnection: string,
  limits: RouterLimits = {},
): Promise<ZeroMQRouter> {
  const { router } = await startRouter(scope, 'tcp', { frontendConnection, backendConnection, limits });
  return router;
}

describe('connect()', () => {
  for (const transport of ALL_TRANSPORTS) {
    it(`is true when somebody is there (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const { endpoint } = await startServer(scope, { handlers: echo }, transport);
      const client = makeClient(scope, { connection: endpoint });
      assert.equal(client.reachable, false);
      const connected = nextEvent(client, 'connected');
      assert.equal(await client.connect(), true);
      await connected;
      assert.equal(client.reachable, true);
      assert.equal(await client.connect(), true, 'and again');
    });

    it(`is false when nobody is, or throws when asked to (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const connection = await freeEndpoint(scope, transport);
      const client = makeClient(scope, { connection });
      assert.equal(await client.connect({ timeout: 30 }), false);
      await assert.rejects(
        client.connect({ timeout: 30, throwOnFailure: true }),
        (error: ZeroMQConnectionError) => {
          assert.ok(error instanceof ZeroMQConnectionError);
          assert.ok(error.code === 'NO_ROUTER' && error.message.includes(connection), error.message);
          return true;
        },
      );
      // libzmq keeps an INPROC socket that was never met until somebody comes.
      await startServer(scope, { connection, handlers: echo });
      assert.equal(await client.connect({ timeout: 10_000 }), true);
    });

    it(`ends when somebody comes while it waits (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const connection = await freeEndpoint(scope, transport);
      const client = makeClient(scope, { connection });
      const connecting = client.connect({ timeout: 10_000 });
      await startServer(scope, { connection, handlers: echo });
      assert.equal(await connecting, true);
      assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
    });
  }

  it('ends when the client is closed meanwhile', async (t) => {
    const scope = scopeOf(t);
    const client = makeClient(scope, { connection: await freeEndpoint(scope, 'tcp') });
    const connecting = client.connect({ timeout: 10_000 });
    await client.connect({ timeout: 1 });
    await client.close();
    assert.equal(await connecting, false);
    await assert.rejects(client.connect(), { code: 'CLOSED' });
  });

  it('is not needed: the first request opens the sockets', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers: echo });
    const client = makeClient(scope, { connection: endpoint });
    assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
  });
});

describe('a request that finds nobody', () => {
  for (const transport of ALL_TRANSPORTS) {
    it(`is told so, and was not sent (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const connection = await freeEndpoint(scope, transport);
      const client = makeClient(scope, { connection, connectTimeout: 50 });
      await assert.rejects(client.sendMessage('echo'), {
        constructor: ZeroMQConnectionError,
        code: 'NO_ROUTER',
        dispatched: false,
        retryable: true,
      });
      assert.equal(client.inFlight, 0);
      await startServer(scope, { connection, handlers: echo });
      assert.equal(await client.connect({ timeout: 10_000 }), true);
    });
  }

  it('waits a while, and is served when somebody comes', async (t) => {
    const scope = scopeOf(t);
    const connection = await freeEndpoint(scope, 'tcp');
    const client = makeClient(scope, { connection, connectTimeout: 10_000 });
    const reply = client.sendMessage('echo', 'early', { timeout: 10_000 });
    await startServer(scope, { connection, handlers: echo });
    assert.equal((await reply).eventData, 'early');
  });

  it('may be cancelled while it waits', async (t) => {
    const scope = scopeOf(t);
    const client = makeClient(scope, { connection: await freeEndpoint(scope, 'tcp') });
    const controller = new AbortController();
    const reply = client.sendMessage('echo', 1, { signal: controller.signal });
    await client.connect({ timeout: 1 });
    controller.abort();
    await assert.rejects(reply, { code: 'CANCELLED' });
    assert.equal(client.inFlight, 0);
  });
});

describe('a caller that does not wait any more', () => {
  for (const [path, start] of [
    [
      'through a router',
      async (scope: Scope, gate: HandlerGate): Promise<string> => {
        const { frontend, backend } = await startRouter(scope);
        await startWorker(scope, { connection: backend, handlers: { hold: gate.handler, ...echo } });
        return frontend;
      },
    ],
    [
      'at a server',
      async (scope: Scope, gate: HandlerGate): Promise<string> => {
        return (await startServer(scope, { handlers: { hold: gate.handler, ...echo } })).endpoint;
      },
    ],
  ] as const) {
    it(`gives the handler its signal (${path})`, async (t) => {
      const scope = scopeOf(t);
      const gate = new HandlerGate();
      const client = await connectClient(scope, await start(scope, gate));
      await client.sendMessage('echo'); // from now on they speak packed
      const controller = new AbortController();
      const reply = client.sendMessage('hold', 1, { signal: controller.signal });
      await gate.called();
      const reason = new Error('changed my mind');
      controller.abort(reason);
      await assert.rejects(reply, { code: 'CANCELLED', cause: reason });
      await aborted(gate.calls[0]?.signal ?? assert.fail());
      assert.equal((await client.sendMessage('echo', 2)).eventData, 2);
    });

    it(`has gone altogether: its handlers get their signals (${path})`, async (t) => {
      const scope = scopeOf(t);
      const gate = new HandlerGate();
      const client = await connectClient(scope, await start(scope, gate));
      const rejected = assert.rejects(client.sendMessage('hold', 1), { code: 'CANCELLED', dispatched: true });
      await gate.called();
      await client.close();
      await rejected;
      await aborted(gate.calls[0]?.signal ?? assert.fail());
    });
  }

  it('did so before it asked', async (t) => {
    const client = makeClient(scopeOf(t), { connection: 'tcp://127.0.0.1:1' });
    await assert.rejects(client.sendMessage('echo', 1, { signal: AbortSignal.abort('why') }), {
      code: 'CANCELLED',
      cause: 'why',
    });
  });
});

describe('a router that goes and comes back', () => {
  for (const transport of ALL_TRANSPORTS) {
    it(`finds its clients and workers again, with no help (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const frontend = await freeEndpoint(scope, transport);
      const backend = await freeEndpoint(scope, transport);
      const first = await startAt(scope, frontend, backend);
      const worker = makeWorker(scope, { connection: backend, handlers: echo });
      await untilJoined(() => worker.start());
      const client = await connectClient(scope, frontend, { connectTimeout: 10_000 });
      for (let n = 0; n < 3; n += 1) assert.equal((await client.sendMessage('echo', n)).eventData, n);
      await first.stop();
      // Nobody is there: what is asked now waits.
      const waiting = client.sendMessage('echo', 'waited', { timeout: 20_000, idempotent: true });
      await untilJoined(() => startAt(scope, frontend, backend, { startupGrace: 10_000 }));
      assert.equal((await waiting).eventData, 'waited');
      for (let n = 0; n < 3; n += 1) assert.equal((await client.sendMessage('echo', n)).eventData, n);
    });
  }

  for (const transport of TRANSPORTS) {
    it(`fails what it had, honestly, and takes up idempotent requests again (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const raw = await rawRouter(scope, await freeEndpoint(scope, transport));
      const client = await connectClient(scope, raw.endpoint);
      const disconnected = nextEvent(client, 'disconnected');
      const lost = assert.rejects(client.sendMessage('once'), {
        code: 'WORKER_LOST',
        dispatched: true,
        status: 502,
      });
      const again = client.sendMessage('twice', 5, { idempotent: true, timeout: 10_000 });
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

  it('may reply and go in one breath: what it said before its end is heard', async (t) => {
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
    // Replies and end are there before the client looks: it must not take the news of the end first.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    assert.deepEqual(
      (await Promise.all(replies)).map(({ eventData }) => eventData),
      replies.map((_, n) => n),
    );
  });

  it('may come back as a classic server: packed messages end with the connection', async (t) => {
    const scope = scopeOf(t);
    const connection = await freeEndpoint(scope, 'tcp');
    const { server } = await startServer(scope, { connection, handlers: echo });
    const client = await connectClient(scope, connection);
    for (let n = 0; n < 3; n += 1) await client.sendMessage('echo', n);
    const disconnected = nextEvent(client, 'disconnected');
    await server.stop();
    await disconnected;
    const classic = await rawRouter(scope, connection);
    const reply = client.sendMessage('echo', 'plain', { timeout: 10_000 });
    const [identity = '', token = '', ...rest] = await classic.socket.receive();
    assert.deepEqual(rest.slice(0, 3).map(String), ['', 'echo', '"plain"']);
    await classic.socket.send([identity, token, '', 'echo', '"as it was"']);
    assert.equal((await reply).eventData, 'as it was');
  });

  it('may go without a word where nobody tells of it (inproc): the client finds out, and goes on', async (t) => {
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
    // What was sent before libzmq has noticed is lost; what is sent then finds nobody.
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
    assert.equal(await client.connect({ timeout: 10_000 }), true);
    assert.equal((await client.sendMessage('echo', 2)).eventData, 2);
  });
});

describe('close()', () => {
  it('rejects what is under way, whatever it waits for', async (t) => {
    const scope = scopeOf(t);
    const gate = new HandlerGate();
    const { endpoint } = await startServer(scope, { handlers: { hold: gate.handler } });
    const client = await connectClient(scope, endpoint);
    const sent = assert.rejects(client.sendMessage('hold'), { code: 'CANCELLED', dispatched: true });
    await gate.called();
    const away = makeClient(scope, { connection: await freeEndpoint(scope, 'tcp') });
    const waiting = assert.rejects(away.sendMessage('hold'), { code: 'CANCELLED', dispatched: false });
    await Promise.all([client.close(), away.close(), client.close()]);
    await Promise.all([sent, waiting]);
    assert.deepEqual([client.inFlight, client.reachable], [0, false]);
    await assert.rejects(client.sendMessage('hold'), { code: 'CLOSED' });
  });

  it('may come before anything else', async () => {
    const client = new ZeroMQClient({ connection: 'tcp://127.0.0.1:1' });
    await client.close();
    await assert.rejects(client.sendMessage('x'), { name: 'ZeroMQSocketClosed', code: 'CLOSED' });
    assert.throws(() => client.identity, { code: 'NOT_STARTED' });
  });

  it('is what `await using` calls', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers: echo });
    let kept: ZeroMQClient | undefined;
    {
      await using client = new ZeroMQClient({ connection: endpoint });
      kept = client;
      assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
    }
    await assert.rejects(kept.sendMessage('echo'), { code: 'CLOSED' });
  });
});

describe('limits of a client', () => {
  it('refuses more requests than may be in flight', async (t) => {
    const scope = scopeOf(t);
    const gate = new HandlerGate();
    const { endpoint } = await startServer(scope, { handlers: { hold: gate.handler } });
    const client = await connectClient(scope, endpoint, { maxInFlight: 2 });
    const held = [client.sendMessage('hold', 1), client.sendMessage('hold', 2)];
    await assert.rejects(client.sendMessage('hold', 3), { code: 'BUSY', dispatched: false, status: 503 });
    await gate.called(2);
    gate.openAll();
    assert.deepEqual(
      (await Promise.all(held)).map(({ eventData }) => eventData),
      [1, 2],
    );
  });

  for (const [option, value] of [
    ['timeout', 0],
    ['timeout', Number.NaN],
    ['connectTimeout', -1],
    ['poolSize', 0],
    ['poolSize', 1.5],
    ['maxInFlight', 0],
    ['maxMessageSize', -1],
  ] as const) {
    it(`${option} is not ${value}`, () => {
      assert.throws(() => new ZeroMQClient({ connection: 'tcp://a:1', [option]: value }), {
        code: 'INVALID_ARGUMENT',
        message: new RegExp(option),
      });
    });
  }

  it('rejects durations that look like seconds, unless they are allowed', async () => {
    const connection = 'tcp://127.0.0.1:1';
    for (const option of ['timeout', 'connectTimeout']) {
      assert.throws(() => new ZeroMQClient({ connection, [option]: 5 }), {
        code: 'INVALID_ARGUMENT',
        message: new RegExp(`^${option} is 5 ms: .*did you mean 5 seconds\\? write 5_000`),
      });
    }
    await using client = new ZeroMQClient({ connection, connectTimeout: 0 });
    const hint = { code: 'INVALID_ARGUMENT', message: /did you mean 2 seconds/ };
    await assert.rejects(client.connect({ timeout: 2 }), hint);
    await assert.rejects(client.sendMessage('echo', 1, { timeout: 2 }), hint);
    assert.equal(await client.connect({ timeout: 0 }), false);
    await assert.rejects(client.sendMessage('echo', 1), { code: 'NO_ROUTER' });
    await using tolerant = new ZeroMQClient({ connection, timeout: 5, allowShortDurations: true });
    assert.equal(await tolerant.connect({ timeout: 2 }), false);
  });

  it('a connection is named, and named once', () => {
    assert.throws(() => new ZeroMQClient({ connection: [] }), /expected at least one/);
    assert.throws(() => new ZeroMQClient({ connection: ['tcp://a:1', 'tcp://a:1'] }), /twice/);
    assert.throws(() => new ZeroMQClient({ connection: 'nonsense' }), /a connection must be tcp/);
  });
});

describe('several routers', () => {
  it('share the requests; when one goes, the other takes all', async (t) => {
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
    assert.ok(a.router.stats().ok > 20 && b.router.stats().ok > 20, 'both had their share');
    await a.router.stop();
    assert.deepEqual(await ask(), numbers);
  });

  /** Both links are up: `connect` waits for the first only. */
  async function eventuallyBoth(client: ZeroMQClient): Promise<void> {
    for (const monitor of client.monitors) {
      if (monitor.status !== 'connected') await nextEvent(monitor, 'handshake');
    }
  }
});

describe('towards a classic router (here: the blind proxy)', () => {
  const blind = async (scope: Scope, transport: Transport) =>
    startRouter(scope, transport, { strategy: new ZeroMQRoutingProxy() });

  for (const transport of ALL_TRANSPORTS) {
    it(`a pool of sockets carries one request each (${transport})`, async (t) => {
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
      assert.ok(most >= 1 && most <= 4, `${most} at a time`);
    });
  }

  it('codes and statuses of our workers come through', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await blind(scope, 'tcp');
    await makeWorker(scope, { connection: backend, handlers: echo }).start();
    const client = await connectClient(scope, frontend, { classic: true, poolSize: 1 });
    await assert.rejects(client.sendMessage('nobody'), {
      code: 'NO_HANDLER',
      status: 501,
      dispatched: false,
    });
  });

  it('a late reply is not taken for the next one’s', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await blind(scope, 'tcp');
    const gate = new HandlerGate();
    await makeWorker(scope, { connection: backend, handlers: { hold: gate.handler, ...echo } }).start();
    const client = await connectClient(scope, frontend, { classic: true, poolSize: 1 });
    await assert.rejects(client.sendMessage('hold', 'late', { timeout: 50 }), { code: 'TIMEOUT' });
    await gate.called();
    gate.openAll();
    for (let n = 0; n < 5; n += 1) assert.equal((await client.sendMessage('echo', n)).eventData, n);
  });

  it('a request that is in nobody’s socket expires, and was not sent', async (t) => {
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

  it('a client that was not told works too, as long as the workers are ours', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await blind(scope, 'tcp');
    await makeWorker(scope, { connection: backend, handlers: echo }).start();
    const client = await connectClient(scope, frontend);
    for (let n = 0; n < 20; n += 1) assert.equal((await client.sendMessage('echo', n)).eventData, n);
  });
});

describe('two clients', () => {
  it('from one config file have one node id and two identities', async (t) => {
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

  it('with one identity: the second gets nothing of the first', async (t) => {
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
