/**
 * Workers behind a router: how they join, stop, die and return, and what happens to their requests.
 */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Joi from 'joi';
import { diagnostics } from '../../src/core/observability/diagnostics.ts';
import { defineContract, ZeroMQConfigError, ZeroMQWorker } from '../../src/index.ts';
import { controlFrames, type Hello } from '../../src/wire/control.ts';
import { isPacked, PackedBatch, readPacked } from '../../src/wire/packed.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { startProcess } from '../helpers/processes.ts';
import { published } from '../helpers/published.ts';
import { rawDealer, rawRouter, texts } from '../helpers/raw.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { makeReply, makeRequest } from '../unit/wire/messages.ts';
import {
  ALL_TRANSPORTS,
  aborted,
  connectClient,
  HandlerGate,
  makeWorker,
  nextEvent,
  startRouter,
  startWorker,
} from './framework.ts';

failOnLeftovers();

const echo = { echo: (data: unknown) => data };

/** A worker whose protocol messages a test sends by hand. */
class RawWorker {
  readonly socket;
  private readonly got: { id: number; generation: number; eventName: string }[] = [];

  constructor(scope: Scope, backend: string, identity?: string) {
    this.socket = rawDealer(scope, backend, identity);
  }

  async hello(members: Partial<Hello> = {}): Promise<string> {
    await this.socket.send(
      controlFrames('$hello', { v: 1, pack: 1, concurrency: 4, events: ['hold'], ...members }),
    );
    return this.answer();
  }

  /** Returns the name of the next control message. */
  async answer(): Promise<string> {
    return texts(await this.socket.receive())[2] ?? '';
  }

  /** Returns the next request. Fails if another message arrives. */
  async request(): Promise<{ id: number; generation: number; eventName: string }> {
    while (this.got.length === 0) {
      const frames = await this.socket.receive();
      assert.ok(frames[0] !== undefined && isPacked(frames[0]), `not packed: ${texts(frames).join('|')}`);
      readPacked(frames, 0, {
        packedRequest: (id, generation, { eventName }) => this.got.push({ id, generation, eventName }),
        packedReply: () => assert.fail('a router sends no replies'),
        packedCancel: () => undefined,
      });
    }
    return this.got.shift() ?? assert.fail();
  }
}

describe('worker', () => {
  for (const transport of ALL_TRANSPORTS) {
    it(`worker: says hello, is accepted, and serves (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const { router, frontend, backend } = await startRouter(scope, transport);
      const worker = makeWorker(scope, { connection: backend, handlers: echo, concurrency: 7 });
      const told = [
        nextEvent(worker, 'connected'),
        nextEvent(worker, 'accepted'),
        nextEvent(router, 'workerJoined'),
      ];
      assert.deepEqual(await worker.start(), [backend]);
      const [connected, accepted, join] = await Promise.all(told);
      assert.deepEqual([connected, accepted], [[backend], [backend]]);
      assert.deepEqual(join, [
        worker.identity.identity,
        { classic: false, events: ['echo'], concurrency: 7 },
      ]);
      const client = await connectClient(scope, frontend);
      assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
      assert.equal(router.stats().workers, 1);
    });

    it(`worker: completes its requests before it stops, while others get the new ones (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const { router, frontend, backend } = await startRouter(scope, transport);
      const [gate, other] = [new HandlerGate(), new HandlerGate()];
      const worker = await startWorker(scope, { connection: backend, handlers: { hold: gate.handler } });
      const client = await connectClient(scope, frontend);
      const held = [client.sendMessage('hold', 1), client.sendMessage('hold', 2)];
      await gate.called(2);
      const stopping = worker.stop({ deadline: 10_000 });
      await startWorker(scope, { connection: backend, handlers: { hold: other.handler } });
      const later = Array.from({ length: 10 }, (_, n) => client.sendMessage('hold', n));
      await other.called(10);
      assert.equal(gate.calls.length, 2);
      const goodbye = nextEvent(router, 'workerLeft');
      gate.openAll();
      await stopping;
      assert.deepEqual(await goodbye, [worker.identity.identity, 'goodbye']);
      other.openAll();
      const replies = await Promise.all([...held, ...later]);
      assert.deepEqual(
        replies.map(({ eventData }) => eventData),
        [1, 2, ...later.keys()],
      );
      assert.equal(await worker.closed, undefined);
    });

    it(`worker: at its deadline, its handlers' signals abort, and callers learn that it is gone (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const { frontend, backend } = await startRouter(scope, transport);
      const gate = new HandlerGate();
      const worker = await startWorker(scope, { connection: backend, handlers: { hold: gate.handler } });
      const client = await connectClient(scope, frontend);
      const lost = assert.rejects(client.sendMessage('hold'), { code: 'WORKER_LOST', dispatched: true });
      await gate.called();
      await worker.stop({ deadline: 30 });
      await aborted(gate.calls[0]?.signal ?? assert.fail());
      await lost;
      assert.match(String(await worker.closed), /did not drain in 30 ms/);
    });
  }

  it('worker: gets no more requests than its concurrency; the others are queued at the router', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startRouter(scope);
    const gate = new HandlerGate();
    await startWorker(scope, { connection: backend, handlers: { hold: gate.handler }, concurrency: 2 });
    const client = await connectClient(scope, frontend);
    const replies = Array.from({ length: 5 }, (_, n) => client.sendMessage('hold', n));
    for (let called = 2; called <= 5; called += 1) {
      await gate.called(called);
      assert.deepEqual([gate.calls.length, router.stats().queued], [called, 5 - called]);
      gate.calls[called - 2]?.open('done');
    }
    gate.openAll();
    await Promise.all(replies);
  });

  it("worker: the signal of a handler aborts at the request's deadline", async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope);
    const gate = new HandlerGate();
    const worker = await startWorker(scope, { connection: backend, handlers: { hold: gate.handler } });
    const client = await connectClient(scope, frontend);
    await assert.rejects(client.sendMessage('hold', 1, { timeout: 50 }), {
      code: 'TIMEOUT',
      dispatched: true,
    });
    await aborted(gate.calls[0]?.signal ?? assert.fail());
    assert.equal(worker.load, 1, 'a handler that ignores its signal stays busy');
    gate.openAll();
  });

  it('workers with one config file: share the node id and have different identities', async (t) => {
    const scope = scopeOf(t);
    const configFile = `${tempFolder(scope)}/config.ini`;
    const { router, backend } = await startRouter(scope, 'tcp', { configFile });
    const workers = await Promise.all(
      [1, 2].map(() => startWorker(scope, { connection: backend, handlers: echo, configFile })),
    );
    const [a, b] = workers.map(({ identity }) => identity);
    assert.ok(a !== undefined && b !== undefined && a.nodeId === b.nodeId && a.identity !== b.identity);
    assert.notEqual(router.identity.nodeId, a.nodeId, 'each kind of node has its own section');
  });
});

describe('worker that dies', () => {
  it('worker that dies: its requests are lost immediately, and idempotent ones are redispatched', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startRouter(scope);
    const script = fileURLToPath(new URL('./worker-child.ts', import.meta.url));
    const joining = nextEvent(router, 'workerJoined');
    const child = startProcess(scope, process.execPath, ['--import', 'tsx', script, backend]);
    await Promise.race([joining, child.exited.then(() => assert.fail(child.stderr))]);
    const client = await connectClient(scope, frontend);
    const once = assert.rejects(client.sendMessage('hold', 'once', { timeout: 20_000 }), {
      code: 'WORKER_LOST',
      dispatched: true,
      status: 502,
    });
    const again = client.sendMessage('hold', 'again', { timeout: 20_000, idempotent: true });
    await child.waitForLine(/"once"/);
    await child.waitForLine(/"again"/);
    const gate = new HandlerGate();
    await startWorker(scope, { connection: backend, handlers: { hold: gate.handler } });
    const leaving = nextEvent(router, 'workerLeft');
    child.kill('SIGKILL');
    const [, reason] = await leaving;
    assert.equal(reason, 'disconnected');
    await once;
    await gate.called();
    gate.openAll();
    assert.equal((await again).eventData, 'again');
    assert.equal(router.stats().redispatched, 1);
  });

  it('worker that dies without a replacement: idempotent requests are queued until their deadline', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope, 'tcp', { limits: { workerGrace: 10_000 } });
    const dying = new RawWorker(scope, backend);
    assert.equal(await dying.hello(), '$welcome');
    const client = await connectClient(scope, frontend);
    const reply = client.sendMessage('hold', 'kept', { timeout: 10_000, idempotent: true });
    await dying.request();
    dying.socket.close();
    await startWorker(scope, { connection: backend, handlers: { hold: (data: unknown) => data } });
    assert.equal((await reply).eventData, 'kept');
  });

  it('worker that dies unnoticed (inproc): requests that were not sent to it are not lost', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startRouter(scope, 'inproc');
    const client = await connectClient(scope, frontend);
    const dead = new RawWorker(scope, backend);
    assert.equal(await dead.hello({ concurrency: 100 }), '$welcome');
    await startWorker(scope, { connection: backend, handlers: { hold: (data: unknown) => data } });
    const open = eventDescriptors();
    dead.socket.close();
    while (eventDescriptors() >= open) await turn(); // libzmq does not report a closed INPROC socket.
    const numbers = Array.from({ length: 50 }, (_, n) => n);
    const replies = await Promise.all(numbers.map((n) => client.sendMessage('hold', n)));
    assert.deepEqual(
      replies.map(({ eventData }) => eventData),
      numbers,
    );
    assert.equal(router.stats().workers, 1);
  });
});

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
    const lost = assert.rejects(client.sendMessage('hold', 1), { code: 'WORKER_LOST' });
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
    const lost = assert.rejects(client.sendMessage('hold', 1), { code: 'WORKER_LOST' });
    await worker.request();
    await worker.socket.send(controlFrames('$bye', {}));
    assert.equal(await worker.answer(), '$bye');
    await assert.rejects(client.sendMessage('hold', 2, { timeout: 50 }), { dispatched: false });
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
    const stopping = worker.stop({ deadline: 10_000 });
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

const WRONG_OPTIONS: Record<string, object> = {
  'no handlers': {},
  'handlers that are not functions': { handlers: { echo: 5 } },
  'a handleMessage that is not a function': { handleMessage: 'x' },
  'a concurrency of 0': { handlers: echo, concurrency: 0 },
  'a fractional concurrency': { handlers: echo, concurrency: 1.5 },
  'a negative queue size': { handlers: echo, maxQueue: -1 },
  'a message size of 0': { handlers: echo, maxMessageSize: 0 },
  'the node type ROUTER': { handlers: echo, nodeType: 'router' },
};

describe('worker: rejects', () => {
  for (const [what, options] of Object.entries(WRONG_OPTIONS)) {
    it(what, () => {
      const connection = 'tcp://127.0.0.1:1';
      assert.throws(() => new ZeroMQWorker({ connection, ...options }), { code: 'INVALID_ARGUMENT' });
    });
  }

  it('worker: rejects several connections as a server', () => {
    const connection = ['tcp://127.0.0.1:1', 'tcp://127.0.0.1:2'];
    assert.throws(() => new ZeroMQWorker({ connection, handlers: echo, nodeType: 'server' }), /one address/);
  });
});

function eventDescriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes('eventfd');
    } catch {
      return false;
    }
  }).length;
}
