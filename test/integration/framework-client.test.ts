/** The life of a client: no peer, callers that stop waiting, `close()`, and limits. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZeroMQClient, ZeroMQConnectionError } from '../../src/index.ts';
import { freeEndpoint } from '../helpers/endpoints.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import {
  ALL_TRANSPORTS,
  aborted,
  connectClient,
  HandlerGate,
  makeClient,
  nextEvent,
  startRouter,
  startServer,
  startWorker,
} from './framework.ts';

failOnLeftovers();

const echo = { echo: (data: unknown) => data };

describe('client: connect()', () => {
  for (const transport of ALL_TRANSPORTS) {
    it(`connect() returns true if a peer is there (${transport})`, async (t) => {
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

    it(`connect() returns false if no peer is there, or throws on request (${transport})`, async (t) => {
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
      // libzmq keeps an INPROC socket that never had a peer until one connects.
      await startServer(scope, { connection, handlers: echo });
      assert.equal(await client.connect({ timeout: PATIENCE }), true);
    });

    it(`connect() resolves when a peer appears while it waits (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const connection = await freeEndpoint(scope, transport);
      const client = makeClient(scope, { connection });
      const connecting = client.connect({ timeout: PATIENCE });
      await startServer(scope, { connection, handlers: echo });
      assert.equal(await connecting, true);
      assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
    });
  }

  it('connect() ends when the client is closed', async (t) => {
    const scope = scopeOf(t);
    const client = makeClient(scope, { connection: await freeEndpoint(scope, 'tcp') });
    const connecting = client.connect({ timeout: PATIENCE });
    await client.connect({ timeout: 1 });
    await client.close();
    assert.equal(await connecting, false);
    await assert.rejects(client.connect(), { name: 'ZeroMQSocketClosed', code: 'CLOSED' });
  });

  it('connect() is optional: the first request opens the sockets', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers: echo });
    const client = makeClient(scope, { connection: endpoint });
    assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
  });
});

describe('client without a peer', () => {
  for (const transport of ALL_TRANSPORTS) {
    it(`client without a peer: a request fails with NO_ROUTER and is not sent (${transport})`, async (t) => {
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
      assert.equal(await client.connect({ timeout: PATIENCE }), true);
    });
  }

  it('client without a peer: a request waits and is served when a peer appears', async (t) => {
    const scope = scopeOf(t);
    const connection = await freeEndpoint(scope, 'tcp');
    const client = makeClient(scope, { connection, connectTimeout: PATIENCE });
    const reply = client.sendMessage('echo', 'early', { timeout: PATIENCE });
    await startServer(scope, { connection, handlers: echo });
    assert.equal((await reply).eventData, 'early');
  });

  it('client without a peer: a waiting request can be cancelled', async (t) => {
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

describe('caller that stops waiting', () => {
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
    it(`caller that cancels: the signal of the handler aborts (${path})`, async (t) => {
      const scope = scopeOf(t);
      const gate = new HandlerGate();
      const client = await connectClient(scope, await start(scope, gate));
      await client.sendMessage('echo'); // From now on, both sides pack their messages.
      const controller = new AbortController();
      const reply = client.sendMessage('hold', 1, { signal: controller.signal });
      await gate.called();
      const reason = new Error('changed my mind');
      controller.abort(reason);
      await assert.rejects(reply, { code: 'CANCELLED', cause: reason });
      await aborted(gate.calls[0]?.signal ?? assert.fail());
      assert.equal((await client.sendMessage('echo', 2)).eventData, 2);
    });

    it(`caller that disconnects: the signals of its handlers abort (${path})`, async (t) => {
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

  it('caller that cancels before sending: nothing is sent', async (t) => {
    const client = makeClient(scopeOf(t), { connection: 'tcp://127.0.0.1:1' });
    await assert.rejects(client.sendMessage('echo', 1, { signal: AbortSignal.abort('why') }), {
      code: 'CANCELLED',
      cause: 'why',
    });
  });
});

describe('client: close()', () => {
  it('close() rejects everything in flight, in every state', async (t) => {
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

  it('close() may be called before anything else', async () => {
    const client = new ZeroMQClient({ connection: 'tcp://127.0.0.1:1' });
    await client.close();
    await assert.rejects(client.sendMessage('x'), { name: 'ZeroMQSocketClosed', code: 'CLOSED' });
    assert.throws(() => client.identity, { code: 'NOT_STARTED' });
  });

  it('close() is called by `await using`', async (t) => {
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

describe('client limits', () => {
  it('client: rejects requests above the limit in flight', async (t) => {
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
    it(`client: rejects the value ${value} of ${option}`, () => {
      assert.throws(() => new ZeroMQClient({ connection: 'tcp://a:1', [option]: value }), {
        code: 'INVALID_ARGUMENT',
        message: new RegExp(option),
      });
    });
  }

  it('client: rejects durations that look like seconds unless allowShortDurations is set', async () => {
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

  it('client: requires a connection, and only one', () => {
    assert.throws(() => new ZeroMQClient({ connection: [] }), /expected at least one/);
    assert.throws(() => new ZeroMQClient({ connection: ['tcp://a:1', 'tcp://a:1'] }), /twice/);
    assert.throws(() => new ZeroMQClient({ connection: 'nonsense' }), /a connection must be tcp/);
  });
});
