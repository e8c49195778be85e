/**
 * The life of every node: start and stop in every state and order, partial failures, addresses in
 * use.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  silentLogger,
  ZeroMQClient,
  ZeroMQHeartbeatConfig,
  ZeroMQRouter,
  ZeroMQRoutingProxy,
  ZeroMQServer,
  ZeroMQSocketInvalid,
  ZeroMQWorker,
} from '../../src/index.ts';
import { anyEndpoint, freeEndpoint } from '../helpers/endpoints.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { startProcess } from '../helpers/processes.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { ipcPath, tempFolder } from '../helpers/temp.ts';
import { connectClient, HandlerGate, nextEvent, startRouter, startServer, startWorker } from './framework.ts';

failOnLeftovers();

const ANY = 'tcp://127.0.0.1:0';
const echo = { echo: (data: unknown) => data };
const logger = silentLogger;

/** Common members of all nodes. */
interface Node {
  start(): Promise<unknown>;
  stop(options?: { deadline?: number }): Promise<void>;
}

const NODES: Record<string, (configFile?: string) => Node> = {
  'a router': (configFile) =>
    new ZeroMQRouter({
      frontendConnection: ANY,
      backendConnection: ANY,
      heartbeatConfig: new ZeroMQHeartbeatConfig(ANY),
      configFile,
      logger,
    }),
  'a proxy': (configFile) =>
    new ZeroMQRouter({
      frontendConnection: ANY,
      backendConnection: ANY,
      strategy: new ZeroMQRoutingProxy(),
      configFile,
      logger,
    }),
  'a server': (configFile) => new ZeroMQServer({ connection: ANY, handlers: echo, configFile, logger }),
  'a worker': (configFile) =>
    new ZeroMQWorker({
      connection: 'tcp://127.0.0.1:1',
      handlers: echo,
      heartbeatConfig: new ZeroMQHeartbeatConfig('tcp://127.0.0.1:1'),
      configFile,
      logger,
    }),
  'a client': (configFile) => {
    const client = new ZeroMQClient({
      connection: 'tcp://127.0.0.1:1',
      heartbeatConfig: new ZeroMQHeartbeatConfig('tcp://127.0.0.1:1'),
      configFile,
      logger,
    });
    return { start: () => client.connect({ timeout: 0 }), stop: () => client.close() };
  },
};

for (const [what, make] of Object.entries(NODES)) {
  describe(what, () => {
    it(`${what}: starts once and stops once, however often the methods are called`, async () => {
      const node = make();
      const [first, second] = await Promise.all([node.start(), node.start()]);
      assert.deepEqual(first, second);
      await Promise.all([node.stop(), node.stop()]);
      await node.stop();
      await assert.rejects(node.start(), { code: 'CLOSED' });
    });

    it(`${what}: can be stopped before it starts`, async () => {
      const node = make();
      await node.stop();
      await assert.rejects(node.start(), { code: 'CLOSED' });
    });

    it(`${what}: can be stopped while it starts`, async () => {
      const node = make();
      const starting = node.start().catch((error: { code: string }) => error.code);
      await node.stop();
      assert.ok([false, 'CLOSED'].includes((await starting) as boolean | string));
    });

    it(`${what}: does not start with an invalid node id, and leaves nothing open`, async (t) => {
      const configFile = `${tempFolder(scopeOf(t))}/config.ini`;
      writeFileSync(
        configFile,
        ['client', 'worker', 'server', 'router'].map((section) => `[${section}]\nnode_id = 100%\n`).join(''),
      );
      const node = make(configFile);
      await assert.rejects(node.start(), /node_id .* must not contain %/);
      await node.stop();
    });

    it(`${what}: stores its node id in its section of the config file and keeps it after a restart`, async (t) => {
      const configFile = `${tempFolder(scopeOf(t))}/config.ini`;
      const read = (): string => readFileSync(configFile, 'utf8');
      for (const node of [make(configFile), make(configFile)]) {
        await node.start();
        await node.stop();
        const kind = what.split(' ').at(-1) === 'proxy' ? 'router' : what.split(' ')[1];
        assert.match(read(), new RegExp(`^\\[${kind}\\]\\nnode_id = [0-9a-f]{32}\\n`));
      }
    });
  });
}

describe('address in use', () => {
  it('address in use: a router closes what it opened before', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers: echo });
    const free = await freeEndpoint(scope, 'tcp');
    for (const options of [
      { frontendConnection: endpoint, backendConnection: free },
      { frontendConnection: free, backendConnection: endpoint },
      {
        frontendConnection: free,
        backendConnection: ANY,
        heartbeatConfig: new ZeroMQHeartbeatConfig(endpoint),
      },
      { frontendConnection: free, backendConnection: endpoint, strategy: new ZeroMQRoutingProxy() },
    ]) {
      const router = new ZeroMQRouter({ logger, ...options });
      await assert.rejects(router.start(), {
        constructor: ZeroMQSocketInvalid,
        code: 'EADDRINUSE',
        message: new RegExp(`cannot bind ${endpoint}`),
      });
      assert.match(String(await router.closed), /cannot bind/);
    }
    await startServer(scope, { connection: free, handlers: echo });
  });

  it('address in use: a server reports it, for heartbeats, too', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers: echo });
    const twice = new ZeroMQServer({ connection: endpoint, handlers: echo, logger });
    await assert.rejects(twice.start(), { code: 'EADDRINUSE' });
    const heartbeatConfig = new ZeroMQHeartbeatConfig(endpoint);
    const half = new ZeroMQServer({ connection: ANY, handlers: echo, heartbeatConfig, logger });
    await assert.rejects(half.start(), { code: 'EADDRINUSE' });
  });

  it('address of another host: a node reports it', async () => {
    const server = new ZeroMQServer({ connection: 'tcp://192.0.2.1:5555', handlers: echo, logger });
    await assert.rejects(server.start(), {
      constructor: ZeroMQSocketInvalid,
      message: /cannot bind tcp:\/\/192\.0\.2\.1/,
    });
    const named = new ZeroMQServer({ connection: 'tcp://no-such-host:5555', handlers: echo, logger });
    await assert.rejects(named.start(), {
      constructor: ZeroMQSocketInvalid,
      message: /no-such-host is neither an IP address nor a network interface of this host$/,
    });
  });
});

describe('IPC endpoint', () => {
  it('IPC endpoint: is taken over if its process has died', async (t) => {
    const scope = scopeOf(t);
    const path = ipcPath(scope);
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('ready'))`;
    const dead = startProcess(scope, process.execPath, ['-e', script]);
    await dead.waitForLine(/ready/);
    dead.kill('SIGKILL');
    await dead.exited;
    assert.ok(existsSync(path));
    const { endpoint } = await startServer(scope, { connection: `ipc://${path}`, handlers: echo });
    const client = await connectClient(scope, endpoint);
    assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
  });

  it('IPC endpoint: is kept by a running node', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers: echo }, 'ipc');
    const second = new ZeroMQServer({ connection: endpoint, handlers: echo, logger });
    await assert.rejects(second.start(), { code: 'EADDRINUSE', message: /another process listens there/ });
    const client = await connectClient(scope, endpoint);
    assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
  });

  it('IPC endpoint: is removed with its node', async (t) => {
    const scope = scopeOf(t);
    const path = ipcPath(scope);
    const { server } = await startServer(scope, { connection: `ipc://${path}`, handlers: echo });
    assert.ok(existsSync(path));
    await server.stop();
    assert.ok(!existsSync(path));
    const again = await startServer(scope, { connection: `ipc://${path}`, handlers: echo });
    await again.server.stop();
  });

  it('IPC endpoint: is kept if another node has bound its path since', async (t) => {
    const scope = scopeOf(t);
    const path = ipcPath(scope);
    const { server } = await startServer(scope, { connection: `ipc://${path}`, handlers: echo });
    renameSync(path, `${path}.old`);
    const successor = await startServer(scope, { connection: `ipc://${path}`, handlers: echo });
    await server.stop();
    const client = await connectClient(scope, successor.endpoint);
    assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
  });

  it('IPC endpoint: must be in an existing folder', async (t) => {
    const folder = `${tempFolder(scopeOf(t))}/nowhere`;
    const connection = `ipc://${folder}/socket`;
    const server = new ZeroMQServer({ connection, handlers: echo, logger });
    await assert.rejects(server.start(), {
      constructor: ZeroMQSocketInvalid,
      message: `cannot bind ${connection}: the folder ${folder} does not exist`,
    });
  });
});

describe('stopping router', () => {
  async function withHeld(scope: Scope, concurrency = 1) {
    const started = await startRouter(scope);
    const gate = new HandlerGate();
    await startWorker(scope, { connection: started.backend, handlers: { hold: gate.handler }, concurrency });
    const client = await connectClient(scope, started.frontend, { connectTimeout: 50 });
    const held = client.sendMessage('hold', 'held');
    await gate.called();
    return { ...started, gate, client, held };
  }

  it('stopping router: settles its requests and accepts no new ones', async (t) => {
    const { router, gate, client, held } = await withHeld(scopeOf(t));
    const queued = client.sendMessage('hold', 'queued');
    await until(() => router.stats().queued === 1, client);
    const disconnected = nextEvent(client, 'disconnected');
    const stopping = router.stop({ deadline: PATIENCE });
    await disconnected;
    await assert.rejects(client.sendMessage('hold', 'new'), { code: 'NO_ROUTER', dispatched: false });
    const refused = await new Promise((resolve) => {
      const request = { eventName: 'hold', body: Buffer.from('1'), timeout: 1000, idempotent: true };
      router.request(request, (reply) => resolve(reply.code));
    });
    assert.equal(refused, 'SHUTTING_DOWN');
    gate.openAll();
    assert.equal((await held).eventData, 'held');
    await gate.called(2);
    gate.openAll();
    assert.equal((await queued).eventData, 'queued');
    await stopping;
    assert.equal(await router.closed, undefined);
  });

  it('stopping router: at its deadline, reports the outcome of every request', async (t) => {
    const { router, client, held } = await withHeld(scopeOf(t));
    const lost = assert.rejects(held, { code: 'WORKER_LOST', dispatched: true });
    const queued = client.sendMessage('hold', 'queued');
    const refused = assert.rejects(queued, { dispatched: false });
    await until(() => router.stats().queued === 1, client);
    await router.stop({ deadline: 30 });
    await Promise.all([lost, refused]);
    assert.match(String(await router.closed), /did not drain in 30 ms/);
  });

  /** Waits until the router has read everything sent before, by sending requests through it. */
  async function until(check: () => boolean, client: ZeroMQClient): Promise<void> {
    while (!check()) await client.sendMessage('unserved').catch(() => undefined);
  }
});

describe('nodes of one process', () => {
  it('nodes of one process: may start in any order', async (t) => {
    const scope = scopeOf(t);
    const [frontend, backend] = [await freeEndpoint(scope, 'tcp'), await freeEndpoint(scope, 'tcp')];
    const worker = new ZeroMQWorker({ connection: backend, handlers: echo, logger });
    scope.after(() => worker.stop({ deadline: 100 }));
    await worker.start();
    const client = new ZeroMQClient({ connection: frontend, connectTimeout: PATIENCE, logger });
    scope.after(() => client.close());
    const reply = client.sendMessage('echo', 1, { timeout: PATIENCE });
    const options = {
      frontendConnection: frontend,
      backendConnection: backend,
      limits: { startupGrace: PATIENCE },
    };
    await startRouter(scope, 'tcp', options);
    assert.equal((await reply).eventData, 1);
  });

  it('nodes of one process: report their endpoints with the ports that were chosen', async (t) => {
    const scope = scopeOf(t);
    const heartbeatConfig = new ZeroMQHeartbeatConfig(ANY);
    const { frontend, backend, heartbeat } = await startRouter(scope, 'tcp', { heartbeatConfig });
    for (const endpoint of [frontend, backend, heartbeat])
      assert.match(endpoint ?? '', /^tcp:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(new Set([frontend, backend, heartbeat]).size, 3);
    const connection = anyEndpoint(scope, 'inproc');
    assert.equal((await startServer(scope, { connection, handlers: echo })).endpoint, connection);
  });

  it('nodes of one process: reach each other over INPROC across threads', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers: echo }, 'inproc');
    const thread = new Worker(new URL('./inproc-thread.mjs', import.meta.url), { workerData: endpoint });
    const [[reply], [code]] = await Promise.all([once(thread, 'message'), once(thread, 'exit')]);
    assert.deepEqual([reply, code], ['from a thread', 0]);
  });

  it('nodes of one process: are closed by `await using`', async () => {
    let kept: ZeroMQRouter | undefined;
    {
      await using router = new ZeroMQRouter({ frontendConnection: ANY, backendConnection: ANY, logger });
      kept = router;
      await router.start();
    }
    assert.equal(await kept.closed, undefined);
    assert.equal(kept.reachable, false);
  });
});
