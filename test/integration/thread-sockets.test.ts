// test:all: 35 s; framework-threads.test.ts represents it
/**
 * Worker modules that open their own ZeroMQ sockets. They end and are replaced without affecting
 * the process.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type * as Package from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { connectClient, nextEvent, startRouter } from './framework.ts';

failOnLeftovers();

/** The built package. Its threads and processes start much faster than those from the sources. */
const DIST = new URL('../../dist/index.js', import.meta.url).href;
const { defineWorker, silentLogger, ZeroMQConfigError, ZeroMQError, ZeroMQWorkerThreads } = (await import(
  DIST
)) as typeof Package;

const ENTRY = JSON.stringify(DIST);
const ZEROMQ = JSON.stringify(import.meta.resolve('zeromq'));

/** Opens sockets of the package and of zeromq.js, and waits for a message on each. */
const CLIENT = `const client = new ZeroMQClient({ connection: ROUTER, heartbeatConfig: undefined });
await client.connect();`;
const RAW = `const dealer = new zeromq.Dealer();
dealer.connect(ROUTER);
dealer.receive().catch(() => undefined);
dealer.events.on('connect', () => undefined);
const reply = new zeromq.Reply();
await reply.bind('tcp://127.0.0.1:0');
reply.receive().catch(() => undefined);`;

const SOURCE = `import * as zeromq from ${ZEROMQ};
import { defineWorker, ZeroMQClient } from ${ENTRY};
const ROUTER = process.env['THREAD_SOCKETS_ROUTER'];
HEAD
let lazy;
export default defineWorker({
  OPTIONS
  handlers: {
    pid: () => process.pid,
    ask: async (data) => (await client.sendMessage('pid', data)).eventData,
    lazily: async () => {
      lazy ??= new ZeroMQClient({ connection: ROUTER });
      return (await lazy.sendMessage('pid')).eventData;
    },
    crash: () => {
      setImmediate(() => { throw new Error('planted'); });
      return new Promise(() => undefined);
    },
    leave: () => process.exit(7),
    spin: () => { for (;;); },
  },
  onStop: () => undefined,
});`;

/** A group of one worker, behind a router, whose module begins with the given lines. */
async function make(scope: Scope, head: string, options = '', threadStallTimeout = 60_000) {
  const { router, frontend, backend } = await startRouter(scope, 'tcp', { limits: { workerGrace: 20_000 } });
  process.env['THREAD_SOCKETS_ROUTER'] = frontend;
  scope.after(() => delete process.env['THREAD_SOCKETS_ROUTER']);
  const module = join(tempFolder(scope), 'sockets.mjs');
  writeFileSync(module, SOURCE.replace('HEAD', head).replace('OPTIONS', options));
  const threads = new ZeroMQWorkerThreads({
    module,
    threads: 1,
    connection: backend,
    threadStallTimeout,
    logger: silentLogger,
  });
  scope.after(() => threads.stop({ deadline: 100 }));
  return { router, frontend, threads };
}

/** Returns the group and a client once the router has accepted its worker. */
async function start(...[scope, ...rest]: Parameters<typeof make>) {
  const { router, frontend, threads } = await make(scope, ...rest);
  await untilJoined(() => threads.start());
  const client = await connectClient(scope, frontend);
  const pid = async (): Promise<unknown> => (await client.sendMessage('pid', null, PATIENT)).eventData;
  return { router, threads, client, pid };
}

/** A process takes longer to start on a busy machine. */
const PATIENT = { timeout: PATIENCE, idempotent: true };

describe('worker module with its own sockets', () => {
  it('worker module with its own sockets: runs in a process and may use its client', async (t) => {
    const { threads, client, pid } = await start(scopeOf(t), CLIENT);
    const first = await pid();
    assert.notEqual(first, process.pid);
    assert.equal((await client.sendMessage('ask', null, PATIENT)).eventData, first);
    const large = 'ä'.repeat(500_000);
    assert.equal((await client.sendMessage('ask', large, PATIENT)).eventData, first);
    assert.equal(threads.running, 1);
  });

  for (const [what, head] of [
    ['a client', CLIENT],
    ['sockets of zeromq.js', RAW],
  ] as const) {
    for (const [event, message] of [
      ['crash', /^planted$/],
      ['leave', /exit code 7/],
      ['spin', /blocked for more than 2000 ms/],
    ] as const) {
      it(`worker module with ${what} that ends (${event}): its request is lost, and it is replaced`, async (t) => {
        const { threads, client, pid } = await start(scopeOf(t), head, '', 2000);
        const first = await pid();
        const crashed = nextEvent(threads, 'crashed');
        const lost = assert.rejects(client.sendMessage(event, null, { timeout: PATIENCE }), {
          code: 'WORKER_LOST',
          dispatched: true,
        });
        const [, error] = await crashed;
        assert.ok(error instanceof Error);
        assert.match(error.message, message);
        if (event === 'spin') assert.ok(error instanceof ZeroMQError && error.code === 'THREAD_STALLED');
        await lost;
        await nextEvent(threads, 'ready');
        assert.notEqual(await pid(), first);
      });
    }
  }

  it('worker module with its own sockets: stops immediately if onStop leaves a client open', async (t) => {
    const { threads, pid } = await start(scopeOf(t), CLIENT);
    await pid();
    await threads.stop({ deadline: PATIENCE });
    assert.deepEqual([threads.running, await threads.closed], [0, undefined]);
  });

  it('worker module with its own sockets: is ended at the deadline if it blocks', async (t) => {
    const { threads, client } = await start(scopeOf(t), CLIENT);
    const lost = assert.rejects(client.sendMessage('spin', null, { timeout: PATIENCE }), {
      code: 'WORKER_LOST',
    });
    await client.sendMessage('pid', null, { timeout: 100 }).catch(() => undefined);
    await threads.stop({ deadline: 50 });
    await lost;
    assert.equal(threads.running, 0);
  });

  it('worker module with its own sockets: can be stopped while its process starts', async (t) => {
    const { threads, client, pid } = await start(scopeOf(t), CLIENT);
    await pid();
    const crashed = nextEvent(threads, 'crashed');
    client.sendMessage('leave').catch(() => undefined);
    await crashed;
    await threads.stop({ deadline: PATIENCE });
    assert.equal(threads.running, 0);
  });

  it('worker module with its own sockets: moves to a process when a handler opens the first socket, and that request fails', async (t) => {
    const { client, pid } = await start(scopeOf(t), '');
    assert.equal(await pid(), process.pid, 'it runs in a thread');
    await assert.rejects(client.sendMessage('lazily'), { code: 'HANDLER_ERROR' });
    const moved = (await client.sendMessage('lazily', null, PATIENT)).eventData;
    assert.notEqual(moved, process.pid);
    assert.equal(await pid(), moved);
  });

  it('worker module: starts in a process if its definition says so', async (t) => {
    const { client, pid } = await start(scopeOf(t), '', "isolation: 'process',");
    const first = await pid();
    assert.notEqual(first, process.pid);
    assert.equal((await client.sendMessage('lazily', null, PATIENT)).eventData, first);
  });

  it('worker module: an invalid isolation is rejected', async (t) => {
    const failing = `${CLIENT} throw Object.create(null);`;
    const { threads } = await make(scopeOf(t), failing);
    await assert.rejects(threads.start(), { message: /cannot load the worker .*null prototype/ });
    const isolation = 'container' as unknown as 'process';
    assert.throws(() => defineWorker({ handlers: {}, isolation }), {
      constructor: ZeroMQConfigError,
      message: "defineWorker: isolation must be 'thread' or 'process', got \"container\"",
    });
  });
});
