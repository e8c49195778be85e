/**
 * A server, and a worker of type SERVER: clients of every kind at the same time, and how it stops.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Request } from 'zeromq';
import { ZeroMQHeartbeatConfig, ZeroMQNodeType, ZeroMQServer } from '../../src/index.ts';
import { PackedBatch } from '../../src/wire/packed-batch.ts';
import { encodeToken } from '../../src/wire/token.ts';
import { anyEndpoint } from '../helpers/endpoints.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { rawDealer, texts } from '../helpers/raw.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { makeRequest } from '../unit/wire/messages.ts';
import {
  ALL_TRANSPORTS,
  aborted,
  connectClient,
  HandlerGate,
  makeClient,
  makeWorker,
  nextEvent,
  startServer,
} from './framework.ts';

failOnLeftovers();

const echo = { echo: (data: unknown) => data };

function request(scope: Scope, endpoint: string): Request {
  const socket = new Request({ linger: 0, receiveTimeout: PATIENCE });
  scope.after(() => socket.close());
  socket.connect(endpoint);
  return socket;
}

describe('server', () => {
  for (const transport of ALL_TRANSPORTS) {
    it(`server: serves REQ sockets and native clients at the same time (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const { endpoint } = await startServer(scope, { handlers: echo }, transport);
      const client = await connectClient(scope, endpoint);
      const classic = request(scope, endpoint);
      for (let n = 0; n < 20; n += 1) {
        const ours = Array.from({ length: 10 }, (_, k) => client.sendMessage('echo', [n, k]));
        await classic.send(['echo', JSON.stringify(n)]);
        assert.deepEqual(texts(await classic.receive()), ['echo', String(n)]);
        const replies = await Promise.all(ours);
        assert.deepEqual(
          replies.map(({ eventData }) => eventData),
          [...Array(10).keys()].map((k) => [n, k]),
        );
      }
    });
  }

  it('server: reports invalid requests of a classic client in the event data, and continues', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers: echo });
    const classic = request(scope, endpoint);
    for (const [frames, code] of [
      [['echo', '{"broken'], 'MALFORMED_MESSAGE'],
      [['unknown', '{}'], 'NO_HANDLER'],
      [['$router.ping', '{}'], 'NO_HANDLER'],
    ] as const) {
      await classic.send([...frames]);
      const [name, data] = texts(await classic.receive());
      const { error } = JSON.parse(data ?? '') as { error: { code: string; dispatched: boolean } };
      assert.deepEqual([name, error.code, error.dispatched], [frames[0], code, false]);
    }
    await classic.send(['echo', '1']);
    assert.deepEqual(texts(await classic.receive()), ['echo', '1']);
  });

  it('server: runs handlers up to its concurrency and rejects requests above its queue limit', async (t) => {
    const scope = scopeOf(t);
    const gate = new HandlerGate();
    const { server, endpoint } = await startServer(scope, {
      handlers: { hold: gate.handler },
      concurrency: 2,
      maxQueue: 1,
    });
    const client = await connectClient(scope, endpoint);
    const held = [1, 2, 3].map((n) => client.sendMessage('hold', n));
    await assert.rejects(client.sendMessage('hold', 4), { code: 'BUSY', dispatched: false, status: 503 });
    assert.deepEqual([gate.calls.length, server.load], [2, 3]);
    for (let n = 0; n < 3; n += 1) {
      await gate.called(n + 1);
      gate.calls[n]?.open(n);
    }
    assert.deepEqual(
      (await Promise.all(held)).map(({ eventData }) => eventData),
      [0, 1, 2],
    );
  });

  it('server: completes its requests before it stops, and accepts no new ones', async (t) => {
    const scope = scopeOf(t);
    const gate = new HandlerGate();
    const { server, endpoint } = await startServer(scope, { handlers: { hold: gate.handler, ...echo } });
    const client = await connectClient(scope, endpoint, { connectTimeout: 50 });
    await client.sendMessage('echo'); // The client and the server know each other.
    const classic = request(scope, endpoint);
    const held = client.sendMessage('hold', 'kept');
    await gate.called();
    const disconnected = nextEvent(client, 'disconnected');
    const stopping = server.stop({ deadline: PATIENCE });
    await disconnected;
    await classic.send(['echo', '1']);
    assert.match(texts(await classic.receive())[1] ?? '', /"SHUTTING_DOWN"/);
    await assert.rejects(client.sendMessage('echo'), { code: 'NO_ROUTER', dispatched: false });
    gate.openAll();
    assert.equal((await held).eventData, 'kept');
    await stopping;
  });

  it('server: rejects clients that connect while it stops, as not run', async (t) => {
    const scope = scopeOf(t);
    const gate = new HandlerGate();
    const leaving = await startServer(scope, { handlers: { hold: gate.handler, ...echo } });
    const staying = await startServer(scope, { handlers: echo });
    const holder = await connectClient(scope, leaving.endpoint);
    const held = holder.sendMessage('hold', 1);
    await gate.called();
    const stopping = leaving.server.stop({ deadline: PATIENCE });
    const client = makeClient(scope, { connection: [leaving.endpoint, staying.endpoint] });
    await client.connect({ throwOnFailure: true, timeout: PATIENCE });
    for (let n = 0; n < 10; n += 1) assert.equal((await client.sendMessage('echo', n)).eventData, n);
    gate.openAll();
    assert.equal((await held).eventData, 1);
    await stopping;
  });

  it('server: aborts running handlers at its deadline', async (t) => {
    const scope = scopeOf(t);
    const gate = new HandlerGate();
    const { server, endpoint } = await startServer(scope, {
      handlers: { hold: gate.handler },
      concurrency: 1,
    });
    const client = await connectClient(scope, endpoint, { connectTimeout: 50 });
    const running = assert.rejects(client.sendMessage('hold'), { code: 'WORKER_LOST', dispatched: true });
    const waiting = assert.rejects(client.sendMessage('hold'), { dispatched: false });
    await gate.called();
    await server.stop({ deadline: 30 });
    await Promise.all([running, waiting, aborted(gate.calls[0]?.signal ?? assert.fail())]);
  });

  it('server: a forged slot counts only for its sender', async (t) => {
    const scope = scopeOf(t);
    const gate = new HandlerGate();
    const { endpoint } = await startServer(scope, { handlers: { hold: gate.handler, ...echo } });
    const client = await connectClient(scope, endpoint);
    const mine = client.sendMessage('hold', 'mine');
    await gate.called();
    const thief = rawDealer(scope, endpoint);
    const batch = new PackedBatch();
    for (let id = 0; id < 100; id += 1) batch.addCancel(id, 1);
    for (let n = 0; n < 3; n += 1)
      batch.addRequest(7, 7, makeRequest({ eventName: 'hold', body: Buffer.from('"same slot"') }));
    await thief.send(batch.take());
    await gate.called(4);
    assert.equal(gate.calls[0]?.signal.aborted, false);
    thief.close();
    await Promise.all(gate.calls.slice(3).map(({ signal }) => aborted(signal)));
    gate.openAll();
    assert.equal((await mine).eventData, 'mine');
  });

  it('server: returns all frames before the delimiter, token or not', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers: echo });
    const socket = rawDealer(scope, endpoint);
    const envelope = ['a', encodeToken(1, 2), 'c'];
    await socket.send([...envelope, '', 'echo', '5']);
    assert.deepEqual(texts(await socket.receive()), [...envelope.map(String), '', 'echo', '5']);
  });

  it('server: reports clients by their heartbeats', async (t) => {
    const scope = scopeOf(t);
    const heartbeatConfig = new ZeroMQHeartbeatConfig('tcp://127.0.0.1:0', {
      interval: 20,
      timeout: 20,
      maxMissed: 0,
      allowShortDurations: true,
    });
    const server = new ZeroMQServer({
      connection: anyEndpoint(scope, 'tcp'),
      handlers: echo,
      heartbeatConfig,
    });
    scope.after(() => server.stop());
    const connected = nextEvent(server, 'peerConnected');
    const { endpoint, heartbeat = '' } = await server.start();
    const beats = new ZeroMQHeartbeatConfig(heartbeat, { interval: 20, allowShortDurations: true });
    const client = await connectClient(scope, endpoint, { heartbeatConfig: beats });
    assert.deepEqual(await connected, [client.identity.identity]);
    const lost = nextEvent(server, 'peerLost');
    await client.close();
    assert.deepEqual(await lost, [client.identity.identity]);
  });
});

describe('worker of type SERVER', () => {
  it('worker of type SERVER: acts as a server', async (t) => {
    const scope = scopeOf(t);
    const worker = makeWorker(scope, {
      connection: 'tcp://127.0.0.1:0',
      nodeType: ZeroMQNodeType.SERVER,
      handleMessage: ({ eventName, eventData }) => [eventName, eventData],
    });
    const [endpoint = ''] = await worker.start();
    const client = await connectClient(scope, endpoint);
    assert.deepEqual((await client.sendMessage('anything', 1)).eventData, ['anything', 1]);
    assert.equal(worker.monitors[0]?.status, 'connected');
    await turn();
  });
});
