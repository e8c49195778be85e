// test:all: 10 s; framework-client-routers.test.ts represents it
/**
 * Several routers: changing DNS names, frozen routers, shared credit, workers that return, and
 * every order of starting.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../scripts/lib/ports.ts';
import { diagnostics } from '../../src/core/observability/diagnostics.ts';
import { ApiRegistry, createGateway } from '../../src/gateway/index.ts';
import { silentLogger, ZeroMQHeartbeatConfig, type ZeroMQTimeoutError } from '../../src/index.ts';
import { controlFrames } from '../../src/wire/control.ts';
import { endpointIn, FREE_PORTS, startNode } from '../helpers/command.ts';
import { DnsServer } from '../helpers/dns-server.ts';
import { freeEndpoint } from '../helpers/endpoints.ts';
import { allowed, PATIENCE } from '../helpers/patience.ts';
import { startProcess } from '../helpers/processes.ts';
import { published } from '../helpers/published.ts';
import { connectedDealer, texts } from '../helpers/raw.ts';
import { scopeOf } from '../helpers/scope.ts';
import { TYPESCRIPT } from '../helpers/typescript.ts';
import {
  connectClient,
  HandlerGate,
  makeClient,
  makeWorker,
  nextEvent,
  startRouter,
  startWorker,
} from './framework.ts';

const echo = { echo: (data: unknown) => data };
const CHILD = fileURLToPath(new URL('worker-child.ts', import.meta.url));

describe('DNS name of routers', () => {
  it('DNS name that moves: client and worker follow it, and requests in flight complete', async (t) => {
    const scope = scopeOf(t);
    const [front, back] = [await freePort(), await freePort()];
    const at = (host: string) =>
      startRouter(scope, 'tcp', {
        frontendConnection: `tcp://${host}:${front}`,
        backendConnection: `tcp://${host}:${back}`,
      });
    const [first, second] = [await at('127.0.0.2'), await at('127.0.0.3')];
    const dns = await DnsServer.start(scope, { hosts: { 'r.test': ['127.0.0.2'] } });
    const name = (port: number): string => `dns://${dns.address}/r.test:${port}`;
    const options = { dns: { interval: 50 } };
    const gate = new HandlerGate();
    const worker = makeWorker(scope, {
      connection: name(back),
      handlers: { hold: gate.handler, ...echo },
      ...options,
    });
    const accepted = nextEvent(worker, 'accepted');
    assert.deepEqual(await worker.start(), [name(back)]);
    assert.deepEqual(await accepted, [`tcp://127.0.0.2:${back}`]);
    const client = makeClient(scope, { connection: name(front), ...options });
    await client.connect({ throwOnFailure: true, timeout: PATIENCE });
    const held = client.sendMessage('hold', 'kept', { timeout: PATIENCE });
    await gate.called();

    const moved = nextEvent(worker, 'accepted');
    const left = nextEvent(first.router, 'workerLeft');
    dns.zone = { hosts: { 'r.test': ['127.0.0.3'] } };
    assert.deepEqual(await moved, [`tcp://127.0.0.3:${back}`]);
    // Until the client resolves the name again, it sends to the first router, which accepts no new
    // requests.
    const expired = (error: unknown): void => assert.equal((error as ZeroMQTimeoutError).code, 'EXPIRED');
    while (second.router.stats().submitted === 0) {
      await client.sendMessage('echo', 1, { timeout: 200 }).catch(expired);
    }
    gate.openAll();
    assert.equal((await held).eventData, 'kept');
    assert.equal((await left)[1], 'goodbye');
    assert.equal(client.monitors.length, 1);
  });

  it('DNS name that no longer resolves: nothing changes', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope);
    await startWorker(scope, { connection: backend, handlers: echo });
    const dns = await DnsServer.start(scope, { hosts: { 'r.test': ['127.0.0.1'] } });
    const connection = `dns://${dns.address}/r.test:${new URL(frontend).port}`;
    const client = await connectClient(scope, connection, { dns: { interval: 20 } });
    dns.broken = true;
    await dns.waitForQueries(4);
    assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
  });
});

describe('frozen router (SIGSTOP)', () => {
  it('frozen router: its idempotent requests are redispatched to another router', async (t) => {
    const scope = scopeOf(t);
    const { node: frozen, line } = await startNode(scope, ['router', ...FREE_PORTS]);
    const well = await startRouter(scope);
    const worker = makeWorker(scope, {
      connection: [endpointIn(line, 'backend'), well.backend],
      handlers: echo,
    });
    const both = Promise.all([nextEvent(worker, 'accepted'), nextEvent(well.router, 'workerJoined')]);
    await worker.start();
    await both;
    const client = await connectClient(scope, [endpointIn(line, 'frontend'), well.frontend]);
    const send = (n: number) => client.sendMessage('echo', n, { idempotent: true, timeout: PATIENCE });
    const many = () => Promise.all(Array.from({ length: 20 }, (_, n) => send(n)));
    // Both routers have replied and are known to be native.
    while (well.router.stats().ok === 0) await many();
    await many();
    frozen.kill('SIGSTOP');
    assert.deepEqual(
      (await many()).map(({ eventData }) => eventData),
      Array.from({ length: 20 }, (_, n) => n),
    );
    const before = performance.now();
    await send(1);
    assert.ok(performance.now() - before < allowed(2000), 'no new requests go to it');
    frozen.kill('SIGCONT');
  });
});

describe('worker of several routers', () => {
  it('worker with a blocked event loop: its heartbeats reveal it although its connection stays open', async (t) => {
    const scope = scopeOf(t);
    const rules = { interval: 100, timeout: allowed(500), maxMissed: 1 };
    const heartbeatConfig = new ZeroMQHeartbeatConfig('tcp://127.0.0.1:0', rules);
    const {
      router,
      frontend,
      backend,
      heartbeat = '',
    } = await startRouter(scope, 'tcp', { heartbeatConfig });
    const heard = nextEvent(router, 'peerConnected');
    const child = startProcess(scope, process.execPath, [...TYPESCRIPT, CHILD, backend, heartbeat]);
    await child.waitForLine(/accepted/);
    await heard;
    const client = await connectClient(scope, frontend);
    const left = nextEvent(router, 'workerLeft');
    const frozen = client.sendMessage('freeze', null, { timeout: PATIENCE });
    await assert.rejects(frozen, { code: 'WORKER_LOST', dispatched: true });
    assert.equal((await left)[1], 'heartbeat');
    assert.equal(router.backendMonitor?.connections, 1);
    child.kill('SIGKILL');
  });

  it('worker that returns on another connection: takes its own place and is not counted twice', async (t) => {
    const scope = scopeOf(t);
    const { router, backend } = await startRouter(scope);
    const hello = (node: string, connection: number) =>
      controlFrames('$hello', { v: 1, pack: 1, concurrency: 4, events: ['e'], node, connection });
    const old = await connectedDealer(scope, backend, 'node_1');
    await old.send(hello('node_1', 1));
    assert.equal(texts(await old.receive())[2], '$welcome');
    const left = published(diagnostics.workerLeft, ({ worker }) => worker === 'node_1');
    const back = await connectedDealer(scope, backend, 'node_2');
    await back.send(hello('node_1', 2));
    assert.equal(texts(await back.receive())[2], '$welcome');
    assert.equal((await left).reason, 'replaced');
    assert.deepEqual([...[router.stats().workers]], [1]);
    // The last message of the lost connection arrives late.
    await old.send(hello('node_1', 1));
    await back.send(controlFrames('$credit', { concurrency: 2 }));
    assert.equal(texts(await back.receive())[2], '$credit');
    assert.equal(router.stats().workers, 1);
  });

  it('worker of several routers: gives a busy router the credit that others do not use, and never exceeds its concurrency', async (t) => {
    const scope = scopeOf(t);
    const [a, b] = [await startRouter(scope), await startRouter(scope)];
    let [running, most] = [0, 0];
    const count = async (data: unknown): Promise<unknown> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return data;
    };
    const worker = makeWorker(scope, {
      connection: [a.backend, b.backend],
      handlers: { count },
      concurrency: 8,
    });
    const joined = Promise.all([nextEvent(a.router, 'workerJoined'), nextEvent(b.router, 'workerJoined')]);
    await worker.start();
    await joined;
    const [toA, toB] = [await connectClient(scope, a.frontend), await connectClient(scope, b.frontend)];
    const flood = (client: typeof toA, size: number) =>
      Promise.all(
        Array.from({ length: size }, (_, n) => client.sendMessage('count', n, { timeout: PATIENCE })),
      );
    await flood(toA, 400);
    assert.ok(most >= 7 && most <= 8, `${most} requests at a time`);
    await Promise.all([flood(toA, 200), flood(toB, 200)]);
    assert.ok(most <= 8, `${most} requests at a time`);
  });

  it('worker that knows a router by two addresses: connects to it once', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startRouter(scope, 'tcp', {
      backendConnection: 'tcp://*:0',
    });
    const { port } = new URL(backend);
    const connection = [`tcp://127.0.0.1:${port}`, `tcp://127.0.0.2:${port}`];
    const warned: string[] = [];
    const warn = (_fields: unknown, message?: unknown) => void warned.push(String(message));
    const logger = { ...silentLogger, warn, child: () => ({ ...silentLogger, warn }) };
    const worker = makeWorker(scope, { connection, handlers: echo, logger });
    const accepted = nextEvent(worker, 'accepted');
    await worker.start();
    await accepted;
    const client = await connectClient(scope, frontend);
    for (let n = 0; n < 20; n += 1) assert.equal((await client.sendMessage('echo', n)).eventData, n);
    assert.equal(router.stats().workers, 1);
  });
});

/** Returns all orders of some values. */
function orders<T>(things: readonly T[]): T[][] {
  if (things.length < 2) return [[...things]];
  return things.flatMap((first) =>
    orders(things.filter((other) => other !== first)).map((rest) => [first, ...rest]),
  );
}

describe('order of starting', () => {
  it('order of starting: router, worker, client and gateway may start in every order', async (t) => {
    const scope = scopeOf(t);
    const document = {
      openapi: '3.1.0',
      info: { title: 'Echo', version: '1.0.0' },
      paths: { '/echo': { get: { 'x-event-name': 'echo', responses: { 200: { description: 'OK' } } } } },
    };
    const startIn = async (order: readonly string[]): Promise<void> => {
      const [front, back] = [await freeEndpoint(scope, 'ipc'), await freeEndpoint(scope, 'ipc')];
      const client = makeClient(scope, { connection: front, connectTimeout: PATIENCE });
      const api = new ApiRegistry();
      api.put('echo', document);
      const requester = makeClient(scope, { connection: front, connectTimeout: PATIENCE });
      const gateway = createGateway({ requester, api, logger: silentLogger, port: 0, timeout: PATIENCE });
      scope.after(() => gateway.close({ deadline: 100 }));
      let url = '';
      const start: Record<string, () => unknown> = {
        router: () =>
          startRouter(scope, 'ipc', {
            frontendConnection: front,
            backendConnection: back,
            limits: { startupGrace: PATIENCE },
          }),
        worker: () => makeWorker(scope, { connection: back, handlers: echo }).start(),
        client: () => client.connect({ timeout: 1 }),
        gateway: async () => {
          url = (await gateway.listen()).url;
        },
      };
      for (const name of order) await start[name]?.();
      const { eventData } = await client.sendMessage('echo', order, { timeout: PATIENCE });
      assert.deepEqual(eventData, order);
      assert.equal((await fetch(`${url}/echo`)).status, 200, order.join(', '));
    };
    await Promise.all(orders(['router', 'worker', 'client', 'gateway']).map(startIn));
  });
});
