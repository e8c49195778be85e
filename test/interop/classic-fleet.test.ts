// test:all: 15 s; classic-alone.test.ts represents it
/**
 * The difficulties of classic peers: they serve one request at a time, do not announce themselves,
 * die silently, or never reply.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  ReplyError,
  ZeroMQClient,
  ZeroMQHeartbeatConfig,
  ZeroMQRouter,
  ZeroMQServer,
  ZeroMQWorker,
} from '../../src/index.ts';
import { ClassicClients, ClassicRouter, ClassicWorker, NEEDS_CLASSIC } from '../helpers/classic.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { Partition } from '../helpers/partition.ts';
import { allowed, briefTimeout, PATIENCE, PATIENT } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { rawDealer } from '../helpers/raw.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { nested } from './values.ts';

failOnLeftovers();

const ANY = 'tcp://127.0.0.1:0';

async function ourRouter(scope: Scope) {
  const router = new ZeroMQRouter({ frontendConnection: ANY, backendConnection: ANY });
  scope.after(() => router.stop({ deadline: 100 }));
  return router.start();
}

async function ourClient(
  scope: Scope,
  connection: string,
  options: { classic?: boolean; poolSize?: number } = {},
) {
  const client = new ZeroMQClient({ ...PATIENT, connection, ...options });
  scope.after(() => client.close());
  await client.connect({ throwOnFailure: true, timeout: PATIENCE });
  return client;
}

const pidOf = (reply: { eventData: unknown }) => (reply.eventData as { pid: number }).pid;

describe('classic workers behind a native router', NEEDS_CLASSIC, () => {
  it('classic worker: serves many requests in flight of one client, each with its own reply', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await ourRouter(scope);
    await untilJoined(() => ClassicWorker.start(scope, backend));
    const client = await ourClient(scope, frontend);
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    const replies = await Promise.all(numbers.map((n) => client.sendMessage('echo', { n })));
    assert.deepEqual(
      replies.map((reply) => reply.eventData),
      numbers.map((n) => ({ n })),
    );
  });

  it('classic worker that is killed: is removed immediately, and only the requests it held are lost', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await ourRouter(scope);
    const client = await ourClient(scope, frontend);
    const victim = await untilJoined(() => ClassicWorker.start(scope, backend));
    const held = client.sendMessage('sleep', { ms: 60_000 }, { timeout: PATIENCE });
    const lost = assert.rejects(held, { code: 'WORKER_LOST', dispatched: true });
    await victim.received('sleep');
    await victim.kill();
    await lost;
    const other = await untilJoined(() => ClassicWorker.start(scope, backend));
    for (let n = 0; n < 10; n += 1) assert.equal(pidOf(await client.sendMessage('whoami', {})), other.pid);
  });

  it('classic worker that is killed: idempotent requests are redispatched', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await ourRouter(scope);
    const client = await ourClient(scope, frontend);
    const victim = await untilJoined(() => ClassicWorker.start(scope, backend));
    const request = client.sendMessage('sleep', { ms: 50 }, { timeout: PATIENCE, idempotent: true });
    await victim.received('sleep');
    victim.process.kill('SIGSTOP'); // It holds the request until it dies.
    const other = await untilJoined(() => ClassicWorker.start(scope, backend));
    await victim.kill();
    assert.deepEqual((await request).eventData, { ms: 50 });
    await other.received('sleep');
  });

  it('classic worker whose connection breaks on its side only: is accepted again, and the request it held is lost', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await ourRouter(scope);
    const network = await Partition.before(scope, backend);
    const worker = await untilJoined(() => ClassicWorker.start(scope, network.endpoint));
    const client = await ourClient(scope, frontend);
    const held = client.sendMessage('mute', {});
    await worker.received('mute');
    const lost = assert.rejects(held, { code: 'WORKER_LOST', dispatched: true });
    await untilJoined(() => {
      network.resetConnectingSide();
      return lost;
    });
    for (let n = 0; n < 5; n += 1) assert.equal(pidOf(await client.sendMessage('whoami', {})), worker.pid);
  });

  it('classic worker that never replies: affects only its own requests', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await ourRouter(scope);
    const client = await ourClient(scope, frontend);
    await untilJoined(() => ClassicWorker.start(scope, backend));
    const mute = client.sendMessage('mute', {}, { timeout: briefTimeout(300) });
    await assert.rejects(mute, { code: 'TIMEOUT', dispatched: true });
    for (let n = 0; n < 10; n += 1) {
      assert.deepEqual((await client.sendMessage('echo', { n })).eventData, { n });
    }
  });

  it('classic worker: a reply that it does not know the event is a failure', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await ourRouter(scope);
    const client = await ourClient(scope, frontend);
    await untilJoined(() => ClassicWorker.start(scope, backend));
    const unknown = { error: { code: 'NO_HANDLER', message: 'no such event' } };
    await assert.rejects(client.sendMessage('echo', unknown), { code: 'NO_HANDLER', dispatched: false });
    const own = { error: { code: 'ITEM_NOT_FOUND', message: 'no such item' } };
    assert.deepEqual((await client.sendMessage('echo', own)).eventData, own);
  });

  it('classic workers bound by node id: two workers with different events get their own requests', async (t) => {
    const scope = scopeOf(t);
    const folder = tempFolder(scope);
    const nodes = { orders: 'a'.repeat(32), stock: 'my-laptop' };
    const classicEvents = { [nodes.orders]: ['orders.whoami'], [nodes.stock]: ['stock.whoami'] };
    const options = { frontendConnection: ANY, backendConnection: ANY, classicEvents };
    const router = new ZeroMQRouter({ ...options, limits: { startupGrace: 0 } });
    scope.after(() => router.stop({ deadline: 100 }));
    const { frontend, backend } = await router.start();
    const start = (name: keyof typeof nodes) => {
      const config = join(folder, `${name}.ini`);
      writeFileSync(config, `[worker]\nnode_id = ${nodes[name]}\n`);
      return untilJoined(() => ClassicWorker.start(scope, backend, { config }));
    };
    const [orders, stock] = [await start('orders'), await start('stock')];
    const client = await ourClient(scope, frontend);
    for (let n = 0; n < 8; n += 1) {
      assert.equal(pidOf(await client.sendMessage('orders.whoami', {})), orders.pid);
      assert.equal(pidOf(await client.sendMessage('stock.whoami', {})), stock.pid);
    }
    await assert.rejects(client.sendMessage('other.whoami', {}), { code: 'NO_WORKER' });
    await stock.kill();
    await assert.rejects(client.sendMessage('stock.whoami', {}), { code: 'NO_WORKER' });
  });

  it('classic workers: while one is busy, others serve', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await ourRouter(scope);
    const client = await ourClient(scope, frontend);
    const busy = await untilJoined(() => ClassicWorker.start(scope, backend));
    const slow = client.sendMessage('sleep', { ms: 1000 });
    await busy.received('sleep');
    const free = await untilJoined(() => ClassicWorker.start(scope, backend));
    const replies = await Promise.all(Array.from({ length: 20 }, () => client.sendMessage('whoami', {})));
    assert.deepEqual(new Set(replies.map(pidOf)), new Set([free.pid]));
    assert.deepEqual((await slow).eventData, { ms: 1000 });
  });

  for (const event of ['broken-json', 'nan']) {
    it(`classic worker: a reply that is not JSON (${event}) is reported, and the worker continues`, async (t) => {
      const scope = scopeOf(t);
      const { frontend, backend } = await ourRouter(scope);
      const client = await ourClient(scope, frontend);
      await untilJoined(() => ClassicWorker.start(scope, backend));
      await assert.rejects(client.sendMessage(event, {}), { code: 'BAD_REPLY' });
      assert.deepEqual((await client.sendMessage('echo', 1)).eventData, 1);
    });
  }

  it('classic worker: gets no JSON that it cannot read and would drop silently', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await ourRouter(scope);
    const worker = await untilJoined(() => ClassicWorker.start(scope, backend));
    const client = rawDealer(scope, frontend);
    for (const body of ['{"broken', '', 'NaN', nested(1000)]) {
      await client.send(['', 'echo', body]);
      const { error } = JSON.parse(String((await client.receive())[2])) as { error: { code: string } };
      assert.equal(error.code, 'MALFORMED_MESSAGE', body.slice(0, 20));
    }
    await client.send(['', 'echo', nested(400)]);
    assert.equal(JSON.stringify(JSON.parse(String((await client.receive())[2]))), nested(400));
    assert.deepEqual(
      worker.lines.filter((line) => 'dropped' in line),
      [],
    );
  });

  it('classic worker, stopped past its heartbeats: gets no requests until its heartbeats return', async (t) => {
    const scope = scopeOf(t);
    const heartbeatConfig = new ZeroMQHeartbeatConfig(ANY, {
      interval: 50,
      timeout: allowed(150),
      maxMissed: 1,
    });
    const router = new ZeroMQRouter({ frontendConnection: ANY, backendConnection: ANY, heartbeatConfig });
    scope.after(() => router.stop({ deadline: 100 }));
    const { frontend, backend, heartbeat } = await router.start();
    const client = await ourClient(scope, frontend);
    const beats = { heartbeat, interval: 50 };
    const frozen = await untilJoined(() => ClassicWorker.start(scope, backend, beats));
    const held = client.sendMessage('sleep', { ms: 60_000 }, { timeout: PATIENCE });
    const lost = assert.rejects(held, { code: 'WORKER_LOST', dispatched: true });
    await frozen.received('sleep');
    frozen.process.kill('SIGSTOP');
    await lost;
    const other = await untilJoined(() => ClassicWorker.start(scope, backend, beats));
    for (let n = 0; n < 10; n += 1) assert.equal(pidOf(await client.sendMessage('whoami', {})), other.pid);
    const back = await untilJoined(async () => frozen.process.kill('SIGCONT'));
    assert.equal(back, true);
    assert.equal(router.stats().workers, 2);
  });

  it('classic worker: a trailing frame that is not metadata is ignored', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await ourRouter(scope);
    const client = await ourClient(scope, frontend);
    await untilJoined(() => ClassicWorker.start(scope, backend));
    const reply = await client.sendMessage('extra', { n: 1 });
    assert.deepEqual([reply.status, reply.eventData], [200, { n: 1 }]);
  });
});

describe('classic clients of native nodes', NEEDS_CLASSIC, () => {
  it("classic client: gets a worker's error as event data", async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await ourRouter(scope);
    const handlers = {
      teapot: () => {
        throw new ReplyError(418, 'TEAPOT', 'short and stout', { details: { spout: true } });
      },
      fine: () => 'tea',
    };
    const worker = new ZeroMQWorker({ connection: backend, handlers });
    scope.after(() => worker.stop());
    await untilJoined(() => worker.start());
    const clients = await ClassicClients.start(scope, frontend);
    const { data, frames } = await clients.request('teapot', {});
    assert.deepEqual(data, {
      error: { code: 'TEAPOT', message: 'short and stout', dispatched: true, details: { spout: true } },
    });
    assert.equal(frames, 3, 'the metadata frame, which classic clients ignore');
    assert.equal((await clients.request('fine', {})).frames, 2, 'a success has no metadata');
  });

  it('classic client: gets a reply if no worker is there', async (t) => {
    const scope = scopeOf(t);
    const { frontend } = await ourRouter(scope);
    const clients = await ClassicClients.start(scope, frontend);
    const { data } = await clients.request('unserved', {});
    assert.equal((data as { error: { code: string } }).error.code, 'NO_WORKER');
  });

  it('classic clients: are served concurrently by one native server', async (t) => {
    const scope = scopeOf(t);
    const count = 8;
    let waiting = 0;
    let open: () => void;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const meet = async () => {
      waiting += 1;
      if (waiting === count) open();
      await gate;
      return waiting;
    };
    const server = new ZeroMQServer({ connection: ANY, handlers: { meet } });
    scope.after(() => server.stop());
    const { endpoint } = await server.start();
    const clients = await ClassicClients.start(scope, endpoint, { clients: count });
    const replies = await Promise.all(
      clients.identities.map((_, client) => clients.request('meet', {}, { client })),
    );
    assert.deepEqual(new Set(replies.map((reply) => reply.data)), new Set([count]));
  });
});

describe('behind a classic router', NEEDS_CLASSIC, () => {
  it('native client behind a classic router: has as many requests in flight as sockets in its pool, and recovers from timeouts', async (t) => {
    const scope = scopeOf(t);
    const router = await ClassicRouter.start(scope, ANY, ANY);
    await ClassicWorker.start(scope, router.backend);
    const client = await ourClient(scope, router.frontend, { classic: true, poolSize: 4 });
    const timeout = briefTimeout(200);
    const mutes = Array.from({ length: 4 }, () => client.sendMessage('mute', {}, { timeout }));
    for (const mute of mutes) await assert.rejects(mute, { code: 'TIMEOUT', dispatched: true });
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    const replies = await Promise.all(numbers.map((n) => client.sendMessage('echo', n)));
    assert.deepEqual(
      replies.map((reply) => reply.eventData),
      numbers,
    );
  });

  it("native client behind a classic router: does not take a late reply for the next request's", async (t) => {
    const scope = scopeOf(t);
    const router = await ClassicRouter.start(scope, ANY, ANY);
    await ClassicWorker.start(scope, router.backend);
    const client = await ourClient(scope, router.frontend, { classic: true, poolSize: 1 });
    const late = client.sendMessage('sleep', { ms: 300 }, { timeout: 100 });
    await assert.rejects(late, { code: 'TIMEOUT' });
    assert.deepEqual((await client.sendMessage('echo', 'next')).eventData, 'next');
  });

  it('native worker behind a classic router: runs requests concurrently, and a native client gets its errors, status and headers', async (t) => {
    const scope = scopeOf(t);
    const router = await ClassicRouter.start(scope, ANY, ANY, { heartbeat: ANY });
    let open: () => void;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const worker = new ZeroMQWorker({
      connection: router.backend,
      heartbeatConfig: new ZeroMQHeartbeatConfig(router.heartbeat, { interval: 50 }),
      handlers: {
        wait: () => gate,
        open: () => open(),
        fail: () => {
          throw new ReplyError(409, 'CLASH', 'already there');
        },
        crash: () => {
          throw new Error('internal detail');
        },
      },
    });
    scope.after(() => worker.stop());
    await worker.start();
    const clients = await ClassicClients.start(scope, router.frontend, { clients: 2 });
    const waits = clients.request('wait', {});
    await clients.request('open', {}, { client: 1 });
    assert.equal((await waits).data, null);

    const client = await ourClient(scope, router.frontend, { classic: true });
    await assert.rejects(client.sendMessage('fail', {}), {
      code: 'CLASH',
      status: 409,
      message: 'already there',
    });
    const crash = client.sendMessage('crash', {});
    await assert.rejects(crash, { code: 'HANDLER_ERROR', message: /^(?!.*not for the caller)/ });
    const beat = await router.waitForLine((line) => 'heartbeat' in line);
    assert.equal(beat['frames'], 4);
  });
});
