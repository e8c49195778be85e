/**
 * Which keys are accepted and what they permit: routers, servers, clients and workers with CURVE
 * over real sockets.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  curveKeyPair,
  defineContract,
  ZeroMQClientError,
  ZeroMQHeartbeatConfig,
  ZeroMQRoutingProxy,
} from '../../src/index.ts';
import { anyEndpoint } from '../helpers/endpoints.ts';
import { within } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { ADMIN, CLIENT, keysOf, PEERS, SERVER, STRANGER, startGuarded, WORKER } from './curve-nodes.ts';
import { makeClient, makeWorker, startRouter, startServer, startWorker } from './framework.ts';

failOnLeftovers();

const handlers = {
  'echo.get': (data: unknown) => data,
  private: () => 'for operators',
  slow: () => new Promise(() => undefined),
};

/** Time in ms given to a peer that must not be accepted. */
const REFUSED_WITHIN = 400;

const code = (expected: string) => (error: unknown) =>
  error instanceof ZeroMQClientError && error.code === expected && error.dispatched === false;

async function isLetIn(
  scope: Scope,
  connection: string,
  curve?: ReturnType<typeof keysOf>,
): Promise<boolean> {
  return makeClient(scope, { connection, curve }).connect({ timeout: curve ? PATIENCE : REFUSED_WITHIN });
}

/** Resolves when the other side rejected a client's key. */
async function isTurnedAway(scope: Scope, connection: string, secretKey: string): Promise<void> {
  const client = makeClient(scope, { connection, curve: { serverKey: SERVER.publicKey, secretKey } });
  await client.connect({ timeout: 1 });
  const [monitor] = client.monitors;
  await within(new Promise((resolve) => monitor?.on('handshake:error:auth', resolve)), 'a refusal');
  assert.equal(client.reachable, false);
}

for (const transport of ['tcp', 'ipc'] as const) {
  describe(`CURVE over ${transport}`, () => {
    it(`CURVE over ${transport}: requests, replies and heartbeats pass between peers on the allow list`, async (t) => {
      const scope = scopeOf(t);
      const heartbeatConfig = new ZeroMQHeartbeatConfig(anyEndpoint(scope, transport));
      const { router, frontend, backend, heartbeat } = await startGuarded(
        scope,
        PEERS,
        { heartbeatConfig },
        transport,
      );
      const beats = new ZeroMQHeartbeatConfig(String(heartbeat), { interval: 50 });
      const beating = new Promise((resolve) => router.on('peerConnected', resolve));
      const worker = await startWorker(scope, {
        connection: backend,
        handlers,
        curve: keysOf(WORKER),
        heartbeatConfig: beats,
      });
      const client = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
      for (const value of [1, 'two', { three: [3] }]) {
        assert.deepEqual((await client.sendMessage('echo.get', value)).eventData, value);
      }
      assert.equal(await within(beating, 'a heartbeat'), worker.identity.identity);
    });
  });
}

describe('accepted keys', () => {
  it('CURVE: rejects peers without a key, with an unlisted key, or with a wrong public key of the router', async (t) => {
    const scope = scopeOf(t);
    const { frontend } = await startGuarded(scope);
    assert.equal(await isLetIn(scope, frontend), false);
    await isTurnedAway(scope, frontend, STRANGER.secretKey);
    const misled = makeClient(scope, {
      connection: frontend,
      curve: { serverKey: STRANGER.publicKey, secretKey: CLIENT.secretKey },
    });
    assert.equal(await misled.connect({ timeout: REFUSED_WITHIN }), false);
    await assert.rejects(misled.sendMessage('echo.get', 1, { timeout: 200 }), code('NO_ROUTER'));
    assert.equal(await isLetIn(scope, frontend, keysOf(CLIENT)), true);
  });

  it('CURVE: a router without keys rejects peers with keys', async (t) => {
    const scope = scopeOf(t);
    const { frontend } = await startRouter(scope);
    const client = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
    assert.equal(await client.connect({ timeout: REFUSED_WITHIN }), false);
  });

  it('CURVE: accepts each key only at the sockets of its role', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startGuarded(scope);
    await isTurnedAway(scope, frontend, WORKER.secretKey);
    await isTurnedAway(scope, backend, CLIENT.secretKey);
    for (const place of [frontend, backend]) assert.ok(await isLetIn(scope, place, keysOf(ADMIN)));
  });

  it('CURVE: accepts only the domain of the router', async (t) => {
    const scope = scopeOf(t);
    const peers = PEERS.map((peer) => ({ ...peer, domains: ['here'] }));
    const there = await startGuarded(scope, peers, {
      curve: { secretKey: SERVER.secretKey, domain: 'there' },
    });
    const here = await startGuarded(scope, peers, { curve: { secretKey: SERVER.secretKey, domain: 'here' } });
    await isTurnedAway(scope, there.frontend, CLIENT.secretKey);
    assert.ok(await isLetIn(scope, here.frontend, keysOf(CLIENT)));
  });

  it('CURVE: without an allow list, accepts every peer that knows the public key', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope, 'tcp', { curve: SERVER });
    const { publicKey: serverKey } = SERVER;
    await startWorker(scope, { connection: backend, handlers, curve: { serverKey } });
    const client = makeClient(scope, { connection: frontend, curve: { serverKey } });
    assert.equal((await client.sendMessage('private')).eventData, 'for operators');
  });

  it('CURVE: limits the connections per key', async (t) => {
    const scope = scopeOf(t);
    const { frontend } = await startGuarded(scope, PEERS, {
      curve: { secretKey: SERVER.secretKey, connectionsPerKey: 2 },
    });
    const first = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
    const second = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
    assert.ok((await first.connect({ timeout: PATIENCE })) && (await second.connect({ timeout: PATIENCE })));
    const third = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
    assert.equal(await third.connect({ timeout: REFUSED_WITHIN }), false);
    await first.close();
    assert.equal(await third.connect({ timeout: PATIENCE }), true);
  });
});

describe('permissions of a key', () => {
  it('CURVE: clients call the events they are granted, in packed messages, too', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startGuarded(scope);
    await startWorker(scope, { connection: backend, handlers, curve: keysOf(WORKER) });
    const client = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
    await assert.rejects(client.sendMessage('private'), code('NOT_PERMITTED'));
    await client.sendMessage('echo.get', 1); // From here on, the client packs its messages.
    await assert.rejects(client.sendMessage('private'), code('NOT_PERMITTED'));
    const operator = makeClient(scope, { connection: frontend, curve: keysOf(ADMIN) });
    assert.equal((await operator.sendMessage('private')).eventData, 'for operators');
  });

  it('CURVE: clients may call built-in events that report, operators all built-in events', async (t) => {
    const scope = scopeOf(t);
    const { frontend } = await startGuarded(scope);
    const client = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
    await client.sendMessage('$router.ping');
    await client.sendMessage('$router.contracts');
    await assert.rejects(client.sendMessage('$router.other'), code('NOT_PERMITTED'));
    const operator = makeClient(scope, { connection: frontend, curve: keysOf(ADMIN) });
    await assert.rejects(operator.sendMessage('$router.other'), code('NO_WORKER'));
  });

  it('CURVE: workers serve the events they are granted', async (t) => {
    const scope = scopeOf(t);
    const { backend } = await startGuarded(scope);
    for (const [options, reason] of [
      [{ handlers: { 'echo.get': () => 1, 'tasks.get': () => 2 } }, /serving "tasks.get"/],
      [{ handleMessage: () => 1 }, /unannounced events/],
    ] as const) {
      const worker = makeWorker(scope, { connection: backend, curve: keysOf(WORKER), ...options });
      const refused = new Promise<string>((resolve) =>
        worker.on('rejected', (_endpoint, why) => resolve(why)),
      );
      await worker.start();
      assert.match(await within(refused, 'a refusal'), reason);
    }
  });

  it('CURVE: workers announce only paths and events they are granted', async (t) => {
    const scope = scopeOf(t);
    const { backend } = await startGuarded(scope);
    const contractAt = (path: string) =>
      defineContract({ name: path, events: { 'echo.get': { method: 'GET', path } } });
    const refusalOf = async (path: string): Promise<string | undefined> => {
      const worker = makeWorker(scope, {
        connection: backend,
        curve: keysOf(WORKER),
        contract: contractAt(path),
        handlers: { 'echo.get': () => 1 },
      });
      const answered = new Promise<string | undefined>((resolve) => {
        worker.on('rejected', (_endpoint, why) => resolve(why));
        worker.on('accepted', () => resolve(undefined));
      });
      await worker.start();
      return within(answered, 'the answer of the router');
    };
    assert.match(String(await refusalOf('/tasks')), /announcing operations under "\/tasks"/);
    assert.match(String(await refusalOf('/echoes')), /announcing operations under "\/echoes"/);
    assert.equal(await refusalOf('/echo/it'), undefined);
  });

  it('CURVE: a server requires keys as a router does', async (t) => {
    const scope = scopeOf(t);
    const { list } = await startGuarded(scope);
    const curve = { secretKey: SERVER.secretKey, authenticator: list };
    const { endpoint } = await startServer(scope, { handlers, curve });
    const client = makeClient(scope, { connection: endpoint, curve: keysOf(CLIENT) });
    assert.equal((await client.sendMessage('echo.get', 1)).eventData, 1);
    await assert.rejects(client.sendMessage('private'), code('NOT_PERMITTED'));
    assert.equal(await isLetIn(scope, endpoint), false);
  });

  it('CURVE: the proxy checks keys and roles, and nothing else', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startGuarded(scope, PEERS, { strategy: new ZeroMQRoutingProxy() });
    await isTurnedAway(scope, frontend, WORKER.secretKey);
    await isTurnedAway(scope, backend, CLIENT.secretKey);
    const worker = makeWorker(scope, { connection: backend, handlers, curve: keysOf(WORKER) });
    const connected = new Promise((resolve) => worker.on('connected', resolve));
    await worker.start();
    await within(connected, 'a connection');
    const client = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT), classic: true });
    assert.equal((await client.sendMessage('echo.get', 1)).eventData, 1);
  });
});

it('CURVE: each key stays with its own peer when many handshakes run at once', async (t) => {
  const scope = scopeOf(t);
  const pairs = Array.from({ length: 40 }, () => curveKeyPair());
  const peers = pairs.map(({ publicKey }, at) => {
    return { name: `client ${at}`, publicKey, role: 'client' as const, calls: [`own.${at}`] };
  });
  const worker = { name: 'all', publicKey: WORKER.publicKey, role: 'worker' as const, serves: ['*'] };
  const { frontend, backend } = await startGuarded(scope, [...peers, worker]);
  const own = pairs.map((_, at) => [`own.${at}`, () => at] as const);
  await startWorker(scope, { connection: backend, handlers: Object.fromEntries(own), curve: keysOf(WORKER) });
  const clients = pairs.map((pair) => {
    return makeClient(scope, {
      connection: frontend,
      curve: keysOf(pair),
      connectTimeout: PATIENCE,
      timeout: PATIENCE,
    });
  });
  await Promise.all(
    clients.map(async (client, at) => {
      assert.equal((await client.sendMessage(`own.${at}`)).eventData, at);
      const others = (at + 1) % clients.length;
      await assert.rejects(client.sendMessage(`own.${others}`), code('NOT_PERMITTED'));
    }),
  );
});
