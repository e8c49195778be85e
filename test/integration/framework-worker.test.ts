/** Workers behind a router: how they join, stop and die, and what happens to their requests. */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ZeroMQWorker } from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { briefTimeout, PATIENCE } from '../helpers/patience.ts';
import { startProcess } from '../helpers/processes.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { TYPESCRIPT } from '../helpers/typescript.ts';
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
import { RawWorker } from './raw-worker.ts';

failOnLeftovers();

const echo = { echo: (data: unknown) => data };

describe('worker', () => {
  for (const transport of ALL_TRANSPORTS) {
    it(`worker: says hello, is accepted, and serves (${transport})`, async (t) => {
      const scope = scopeOf(t);
      const { router, frontend, backend } = await startRouter(scope, transport);
      const worker = makeWorker(scope, { connection: backend, handlers: echo, concurrency: 7 });
      const publications = [
        nextEvent(worker, 'connected'),
        nextEvent(worker, 'accepted'),
        nextEvent(router, 'workerJoined'),
      ];
      assert.deepEqual(await worker.start(), [backend]);
      const [connected, accepted, join] = await Promise.all(publications);
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
      const stopping = worker.stop({ deadline: PATIENCE });
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
    await assert.rejects(client.sendMessage('hold', 1, { timeout: briefTimeout(50) }), {
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
    const child = startProcess(scope, process.execPath, [...TYPESCRIPT, script, backend]);
    await Promise.race([joining, child.exited.then(() => assert.fail(child.stderr))]);
    const client = await connectClient(scope, frontend);
    const once = assert.rejects(client.sendMessage('hold', 'once', { timeout: PATIENCE }), {
      code: 'WORKER_LOST',
      dispatched: true,
      status: 502,
    });
    const again = client.sendMessage('hold', 'again', { timeout: PATIENCE, idempotent: true });
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
    const reply = client.sendMessage('hold', 'kept', { timeout: PATIENCE, idempotent: true });
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
