/** How workers and routers introduce themselves and say goodbye. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import Joi from 'joi';
import { diagnostics } from '../../src/core/observability/diagnostics.ts';
import { defineContract, ZeroMQConfigError } from '../../src/index.ts';
import { controlFrames } from '../../src/wire/control.ts';
import { PackedBatch } from '../../src/wire/packed-batch.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { allowed, PATIENCE } from '../helpers/patience.ts';
import { published } from '../helpers/published.ts';
import { rawRouter } from '../helpers/raw.ts';
import { scopeOf } from '../helpers/scope.ts';
import { makeReply, makeRequest } from '../unit/wire/messages.ts';
import { connectClient, HandlerGate, makeWorker, nextEvent, startRouter, startWorker } from './framework.ts';
import { RawWorker } from './raw-worker.ts';

failOnLeftovers();

const echo = { echo: (data: unknown) => data };

describe('hello', () => {
  it('hello: a worker that was treated as classic becomes native', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startRouter(scope, 'tcp', { helloTimeout: 1 });
    const joining = nextEvent(router, 'workerJoined');
    const late = new RawWorker(scope, backend);
    const [, classic] = await joining;
    assert.deepEqual(classic, { classic: true, events: [], concurrency: 1 });
    const again = nextEvent(router, 'workerJoined');
    assert.equal(await late.hello(), '$welcome');
    assert.deepEqual((await again)[1], { classic: false, events: ['hold'], concurrency: 4 });
    assert.equal(router.stats().workers, 1);
    const client = await connectClient(scope, frontend);
    client.sendMessage('hold').catch(() => undefined);
    assert.equal((await late.request()).eventName, 'hold');
  });

  it('hello: over a new connection, the requests of the old connection are lost', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope);
    const worker = new RawWorker(scope, backend);
    assert.equal(await worker.hello({ connection: 1 }), '$welcome');
    const client = await connectClient(scope, frontend);
    const lost = assert.rejects(client.sendMessage('hold', 1, { timeout: PATIENCE }), {
      code: 'WORKER_LOST',
    });
    await worker.request();
    const leaving = published(diagnostics.workerLeft);
    assert.equal(await worker.hello({ connection: 2 }), '$welcome');
    assert.equal((await leaving).reason, 'replaced');
    await lost;
    client.sendMessage('hold', 2).catch(() => undefined);
    assert.equal((await worker.request()).eventName, 'hold');
  });

  it('hello: is requested from an unknown peer that sends packed messages', async (t) => {
    const scope = scopeOf(t);
    const { backend } = await startRouter(scope, 'tcp', { helloTimeout: 60_000 });
    const drops = new Drops(scope);
    const stranger = new RawWorker(scope, backend);
    const batch = new PackedBatch();
    batch.addReply(1, 2, makeReply());
    await stranger.socket.send(batch.take());
    assert.equal(await stranger.answer(), '$who');
    await drops.waitFor('late-reply');
    assert.equal(await stranger.hello(), '$welcome');
  });

  it('hello: is repeated after its contract was rejected, and accepted when there is no conflict', async (t) => {
    const scope = scopeOf(t);
    const { backend } = await startRouter(scope);
    const contract = (path: string) =>
      defineContract({ name: 'echo', events: { echo: { method: 'GET', path, data: Joi.object() } } });
    const old = await startWorker(scope, { connection: backend, handlers: echo, contract: contract('/old') });
    const young = makeWorker(scope, { connection: backend, handlers: echo, contract: contract('/new') });
    const refused = nextEvent(young, 'rejected');
    await young.start();
    assert.match(String((await refused)[1]), /"echo" is refused: it differs/);
    const accepted = nextEvent(young, 'accepted');
    await old.stop();
    await accepted;
  });

  it('hello: is not sent if every router would reject it', async (t) => {
    const scope = scopeOf(t);
    const handlers = Object.fromEntries(Array.from({ length: 50_001 }, (_, n) => [`e${n}`, echo.echo]));
    const many = makeWorker(scope, { connection: 'tcp://127.0.0.1:1', handlers });
    await assert.rejects(many.start(), {
      constructor: ZeroMQConfigError,
      message: /events must be a list of at most/,
    });
    const reserved = makeWorker(scope, { connection: 'tcp://127.0.0.1:1', handlers: { $mine: echo.echo } });
    await assert.rejects(reserved.start(), /none starting with \$/);
  });
});

describe('goodbye', () => {
  it('goodbye: of a worker is answered after everything that was sent to it', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startRouter(scope);
    const worker = new RawWorker(scope, backend);
    assert.equal(await worker.hello(), '$welcome');
    const client = await connectClient(scope, frontend);
    const lost = assert.rejects(client.sendMessage('hold', 1, { timeout: PATIENCE }), {
      code: 'WORKER_LOST',
    });
    await worker.request();
    await worker.socket.send(controlFrames('$bye', {}));
    assert.equal(await worker.answer(), '$bye');
    await assert.rejects(client.sendMessage('hold', 2, { timeout: allowed(250) }), { dispatched: false });
    const leaving = nextEvent(router, 'workerLeft');
    await worker.socket.send(controlFrames('$gone', {}));
    assert.equal((await leaving)[1], 'goodbye');
    await lost;
  });

  it('goodbye: after that of a router, its workers wait for the next router', async (t) => {
    const scope = scopeOf(t);
    const { router, backend } = await startRouter(scope);
    const worker = await startWorker(scope, { connection: backend, handlers: echo });
    const disconnected = nextEvent(worker, 'disconnected');
    await router.stop();
    await disconnected;
    const accepted = nextEvent(worker, 'accepted');
    await startRouter(scope, 'tcp', { backendConnection: backend });
    await accepted;
  });

  it('goodbye: of a stopping worker is repeated to a router that returns, which would treat it as classic', async (t) => {
    const scope = scopeOf(t);
    const first = await rawRouter(scope);
    const gate = new HandlerGate();
    const worker = makeWorker(scope, { connection: first.endpoint, handlers: { hold: gate.handler } });
    await worker.start();
    const [identity = ''] = await first.socket.receive();
    await first.socket.send([identity, ...controlFrames('$welcome', {})]);
    const batch = new PackedBatch();
    batch.addRequest(1, 1, makeRequest({ eventName: 'hold' }));
    await first.socket.send([identity, ...batch.take()]);
    await gate.called();
    const stopping = worker.stop({ deadline: PATIENCE });
    const [, , , bye] = await first.socket.receive();
    assert.equal(String(bye), '$bye');
    const disconnected = nextEvent(worker, 'disconnected');
    first.socket.close();
    await disconnected;
    const connected = nextEvent(worker, 'connected');
    const { router } = await startRouter(scope, 'tcp', {
      backendConnection: first.endpoint,
      helloTimeout: 20,
    });
    await connected;
    await startWorker(scope, { connection: first.endpoint, handlers: echo });
    await delay(100); // The absence of a request emits no event.
    assert.equal(router.stats().workers, 1);
    gate.openAll();
    await stopping;
  });
});
