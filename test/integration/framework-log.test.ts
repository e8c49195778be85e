/** Log files of nodes: what the Python original logs at INFO, and nothing per request. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PACKAGE_VERSION } from '../../src/core/identity/package-version.ts';
import { placeOf, workerName } from '../../src/core/identity/worker-name.ts';
import {
  setupLogging,
  ZeroMQClient,
  ZeroMQHeartbeatConfig,
  ZeroMQRouter,
  ZeroMQServer,
  ZeroMQWorker,
  ZeroMQWorkerThreads,
} from '../../src/index.ts';
import { within } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

failOnLeftovers();

const ANY = 'tcp://127.0.0.1:0';
const module = fileURLToPath(new URL('./thread-worker.ts', import.meta.url));

type Line = Readonly<Record<string, unknown>>;

/** Returns the messages and fields of one node's lines at INFO, without the fields that vary. */
function linesOf(lines: readonly Line[], node: string): Line[] {
  return lines
    .filter((line) => line['node'] === node && line['level'] === 'info')
    .map((line) => {
      const varying = ['time', 'pid', 'level', 'node', 'silentFor', 'missed', 'module', 'thread'];
      return Object.fromEntries(Object.entries(line).filter(([name]) => !varying.includes(name)));
    });
}

/** Starts a log in its own folder. Returns a function that closes it and reads its file. */
function logTo(scope: ReturnType<typeof scopeOf>): () => Promise<Line[]> {
  const logging = setupLogging(tempFolder(scope), { consoleLevel: 'silent' });
  scope.after(() => logging.close());
  assert.match(basename(logging.file), /^debug_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(\.\d+)?\.log$/);
  return async () => {
    await logging.close();
    const text = readFileSync(logging.file, 'utf8').trimEnd();
    return text.split('\n').map((line) => JSON.parse(line) as Line);
  };
}

const beats = (connection: string): ZeroMQHeartbeatConfig =>
  new ZeroMQHeartbeatConfig(connection, { interval: 50, timeout: 1000, maxMissed: 0 });

describe('log files', () => {
  it('log files: contain start, endpoints, connections and heartbeats of router, worker and client', async (t) => {
    const scope = scopeOf(t);
    const read = logTo(scope);
    const router = new ZeroMQRouter({
      frontendConnection: ANY,
      backendConnection: ANY,
      heartbeatConfig: beats(ANY),
    });
    scope.after(() => router.stop({ deadline: 100 }));
    const { frontend, backend, heartbeat = '' } = await router.start();
    const connected = within(once(router, 'peerConnected'), 'the heartbeat of the worker');
    const worker = new ZeroMQWorker({
      connection: backend,
      heartbeatConfig: beats(heartbeat),
      handlers: { ping: () => 'pong' },
    });
    scope.after(() => worker.stop({ deadline: 100 }));
    const accepted = within(once(worker, 'accepted'), 'the welcome of the router');
    await untilJoined(() => worker.start());
    await Promise.all([accepted, connected]);
    const client = new ZeroMQClient({ ...PATIENT, connection: frontend });
    scope.after(() => client.close());
    await client.connect({ throwOnFailure: true, timeout: PATIENCE });
    for (let n = 0; n < 20; n += 1) await client.sendMessage('ping');
    const ids = [router, worker, client].map(({ identity }) => identity.identity);
    const [routerId, workerId, clientId] = ids;
    await client.close();
    await worker.stop();
    await router.stop();
    const lines = await read();

    assert.deepEqual(linesOf(lines, 'client'), [
      { id: clientId, msg: 'client started' },
      { endpoint: frontend, msg: 'connected' },
      { endpoint: frontend, msg: 'disconnected' },
      { id: clientId, msg: 'client stopped' },
    ]);
    const said = linesOf(lines, 'worker').map(({ msg }) => msg);
    assert.deepEqual(linesOf(lines, 'worker')[0], { id: workerId, msg: 'worker started' });
    assert.deepEqual([...said].sort(), [
      'accepted by the router',
      'connected',
      'connected to the heartbeat receiver',
      'worker started',
      'worker stopped',
    ]);
    const name = workerName(workerId ?? '', placeOf());
    const ofRouter = linesOf(lines, 'router');
    assert.deepEqual(ofRouter.slice(0, 4), [
      { endpoint: frontend, msg: 'frontend bound' },
      { endpoint: backend, msg: 'backend bound' },
      { endpoint: heartbeat, msg: 'heartbeat bound' },
      { id: routerId, msg: 'router started' },
    ]);
    const who = { host: hostname(), workerPid: process.pid, package: PACKAGE_VERSION };
    for (const expected of [
      { worker: name, workerId, ...who, classic: false, events: 1, concurrency: 64, msg: 'worker joined' },
      { peer: workerId, nodeType: 'worker', returned: false, msg: 'heartbeat connected' },
      { worker: name, workerId, ...who, reason: 'goodbye', held: 0, msg: 'worker left' },
    ]) {
      // A heartbeat that is read after the goodbye counts as a new one.
      assert.ok(
        ofRouter.some((line) => isSame(line, expected)),
        expected.msg,
      );
    }
    assert.deepEqual(ofRouter.at(-1), { id: routerId, msg: 'router stopped' });
    assert.ok(lines.length < 20, 'there is no line for a request');
  });

  it('log files: contain the heartbeats of clients that a server loses', async (t) => {
    const scope = scopeOf(t);
    const read = logTo(scope);
    const server = new ZeroMQServer({
      connection: ANY,
      heartbeatConfig: beats(ANY),
      handlers: { ping: () => 'pong' },
    });
    scope.after(() => server.stop({ deadline: 100 }));
    const { endpoint, heartbeat = '' } = await server.start();
    const client = new ZeroMQClient({ ...PATIENT, connection: endpoint, heartbeatConfig: beats(heartbeat) });
    scope.after(() => client.close());
    const connected = within(once(server, 'peerConnected'), 'a heartbeat');
    await client.connect({ throwOnFailure: true, timeout: PATIENCE });
    await connected;
    const { identity: peer } = client.identity;
    const lost = within(once(server, 'peerLost'), 'the loss of the heartbeat');
    await client.close();
    await lost;
    const { identity: id } = server.identity;
    await server.stop();
    assert.deepEqual(linesOf(await read(), 'server'), [
      { endpoint, msg: 'frontend bound' },
      { endpoint: heartbeat, msg: 'heartbeat bound' },
      { id, msg: 'server started' },
      { peer, nodeType: 'client', returned: false, msg: 'heartbeat connected' },
      { peer, nodeType: 'client', msg: 'heartbeat lost' },
      { id, msg: 'server stopped' },
    ]);
  });

  it('log files: contain each worker of a group of threads', async (t) => {
    const scope = scopeOf(t);
    const read = logTo(scope);
    const router = new ZeroMQRouter({ frontendConnection: ANY, backendConnection: ANY });
    scope.after(() => router.stop({ deadline: 100 }));
    const { backend } = await router.start();
    const threads = new ZeroMQWorkerThreads({ module, connection: backend, threads: 2 });
    scope.after(() => threads.stop({ deadline: 100 }));
    await untilJoined(() => threads.start(), 2);
    await threads.stop();
    const lines = await read();
    for (const thread of [0, 1]) {
      const own = lines.filter((line) => line['thread'] === thread && line['node'] === 'worker-threads');
      const started = own.find(({ msg }) => msg === 'worker started');
      assert.match(String(started?.['id']), /^[0-9a-f]{32}_[0-9a-f]{16}$/);
      assert.equal(started?.['module'], module);
      assert.ok(own.some(({ msg, endpoint }) => msg === 'connected' && endpoint === backend));
      assert.ok(own.some(({ msg }) => msg === 'worker stopped'));
    }
  });
});

function isSame(line: Line, expected: Line): boolean {
  return JSON.stringify(Object.entries(line).sort()) === JSON.stringify(Object.entries(expected).sort());
}
