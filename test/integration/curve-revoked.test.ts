// test:all: 5 s; curve.test.ts represents it
/**
 * What happens to connected peers whose key is removed from the allow list, and to peers that
 * impersonate others.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Dealer } from 'zeromq';
import { ZeroMQError } from '../../src/index.ts';
import { readClassic } from '../../src/wire/classic.ts';
import { within } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { ADMIN, CLIENT, keysOf, PEERS, SERVER, startGuarded, WORKER } from './curve-nodes.ts';
import { makeClient, startWorker } from './framework.ts';

failOnLeftovers();

const handlers = {
  'echo.get': (data: unknown) => data,
  private: () => 'for operators',
  slow: () => new Promise(() => undefined),
};

const without = (name: string) => ({ peers: PEERS.filter((peer) => peer.name !== name) });

async function outcome(sent: Promise<unknown>): Promise<string> {
  return sent.then(
    () => 'ok',
    (error: unknown) => (error instanceof ZeroMQError ? error.code : String(error)),
  );
}

/** Returns a bare socket with a key and a routing id of its choice. */
function bare(
  scope: Scope,
  endpoint: string,
  secret: { publicKey: string; secretKey: string },
  id: string,
): Dealer {
  const socket = new Dealer({ linger: 0, routingId: id, receiveTimeout: PATIENCE, sendTimeout: PATIENCE });
  scope.after(() => socket.close());
  socket.curveServerKey = SERVER.publicKey;
  socket.curvePublicKey = secret.publicKey;
  socket.curveSecretKey = secret.secretKey;
  socket.connect(endpoint);
  return socket;
}

const handshakeOf = (socket: Dealer) =>
  within(new Promise((resolve) => socket.events.on('handshake', resolve)), 'a handshake');

async function ask(socket: Dealer, event: string): Promise<string> {
  await socket.send(['', event, '1']);
  const classic = readClassic(await socket.receive(), 0);
  return 'body' in classic ? String(classic.body) : JSON.stringify(classic);
}

describe('a key removed from the allow list', () => {
  it('removed key of a client: its requests are rejected immediately, and the router stops reading from it', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend, list } = await startGuarded(scope);
    await startWorker(scope, { connection: backend, handlers, curve: keysOf(WORKER) });
    const client = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
    await client.sendMessage('echo.get', 1);
    list.replace(without('gateway'));
    assert.equal(await outcome(client.sendMessage('echo.get', 1)), 'NOT_PERMITTED');
    let last = 'NOT_PERMITTED';
    while (last === 'NOT_PERMITTED' || router.stats().clients > 0)
      last = await outcome(client.sendMessage('echo.get', 1, { timeout: 300 }));
    assert.equal(last, 'TIMEOUT');
    assert.equal(router.stats().clients, 0);
    const again = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
    assert.equal(await again.connect({ timeout: 400 }), false);
  });

  it('removed key of a worker: the worker leaves immediately, and its requests are settled', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend, list } = await startGuarded(scope);
    const worker = await startWorker(scope, { connection: backend, handlers, curve: keysOf(WORKER) });
    const refused = new Promise<string>((resolve) => worker.on('rejected', (_endpoint, why) => resolve(why)));
    const client = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
    await client.sendMessage('echo.get', 1);
    const held = outcome(client.sendMessage('slow'));
    await client.sendMessage('echo.get', 1); // This request is queued behind the first.
    list.replace(without('echo'));
    assert.equal(router.stats().workers, 0);
    assert.equal(await within(held, 'the end of the request'), 'WORKER_LOST');
    assert.match(await within(refused, 'the notification'), /allow list/);
    assert.equal(await outcome(client.sendMessage('echo.get', 1)), 'NO_WORKER');
  });

  it('removed key: a peer is accepted again when its key returns', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend, list } = await startGuarded(scope);
    await startWorker(scope, { connection: backend, handlers, curve: keysOf(WORKER) });
    list.replace(without('gateway'));
    const client = makeClient(scope, {
      connection: frontend,
      curve: keysOf(CLIENT),
      connectTimeout: PATIENCE,
    });
    assert.equal(await client.connect({ timeout: 300 }), false);
    list.replace({ peers: PEERS });
    assert.equal(await outcome(client.sendMessage('echo.get', 1, { timeout: PATIENCE })), 'ok');
  });
});

it('changed permissions apply immediately to connected peers', async (t) => {
  const scope = scopeOf(t);
  const { frontend, backend, list } = await startGuarded(scope);
  const worker = await startWorker(scope, { connection: backend, handlers, curve: keysOf(WORKER) });
  const client = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
  assert.equal(await outcome(client.sendMessage('private')), 'NOT_PERMITTED');
  list.replace({
    peers: PEERS.map((peer) => (peer.name === 'gateway' ? { ...peer, calls: ['private'] } : peer)),
  });
  assert.equal(await outcome(client.sendMessage('private')), 'ok');
  assert.equal(await outcome(client.sendMessage('echo.get')), 'NOT_PERMITTED');
  const refused = new Promise<string>((resolve) => worker.on('rejected', (_endpoint, why) => resolve(why)));
  list.replace({ peers: PEERS.map((peer) => (peer.name === 'echo' ? { ...peer, serves: ['slow'] } : peer)) });
  assert.match(await within(refused, 'the notification'), /does not allow serving/);
  const accepted = new Promise((resolve) => worker.on('accepted', resolve));
  list.replace({ peers: PEERS });
  await within(accepted, 'the worker to be accepted again');
});

describe('a peer with its own key', () => {
  it('peer with a key: is disconnected if it sends what only libzmq may report', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startGuarded(scope);
    await startWorker(scope, { connection: backend, handlers, curve: keysOf(WORKER) });
    const liar = bare(scope, frontend, CLIENT, 'liar');
    assert.equal(await ask(liar, 'echo.get'), '1');
    await liar.send(['']); // The frame that stands for a closed connection.
    await liar.send(['', 'echo.get', '2']);
    liar.receiveTimeout = 300;
    await assert.rejects(liar.receive(), { code: 'EAGAIN' });
    assert.equal(router.stats().clients, 0);
  });

  it('peer with a key: gets nothing under the routing id of another peer and does not keep it out', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startGuarded(scope);
    await startWorker(scope, { connection: backend, handlers, curve: keysOf(WORKER) });
    const operator = bare(scope, frontend, ADMIN, 'the operator');
    assert.equal(await ask(operator, 'private'), '"for operators"');
    const thief = bare(scope, frontend, CLIENT, 'the operator');
    await handshakeOf(thief);
    await thief.send(['', 'private', '1']);
    const client = makeClient(scope, {
      connection: frontend,
      curve: keysOf(CLIENT),
      connectTimeout: PATIENCE,
    });
    assert.equal(await outcome(client.sendMessage('echo.get', 1)), 'ok');
    thief.receiveTimeout = 200;
    await assert.rejects(thief.receive(), { code: 'EAGAIN' });
    operator.close(); // The other peer lost its place, which is free now.
    assert.equal(await ask(bare(scope, frontend, ADMIN, 'the operator'), 'private'), '"for operators"');
    await assert.rejects(thief.receive(), { code: 'EAGAIN' });
  });

  it('peer with a key: keeps its place if it reconnects before the router noticed its loss', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startGuarded(scope);
    await startWorker(scope, { connection: backend, handlers, curve: keysOf(WORKER) });
    const before = bare(scope, frontend, CLIENT, 'the same');
    assert.equal(await ask(before, 'echo.get'), '1');
    const again = bare(scope, frontend, CLIENT, 'the same');
    assert.equal(await ask(again, 'echo.get'), '1');
    assert.match(await ask(again, 'private'), /NOT_PERMITTED/);
    assert.equal(router.stats().clients, 1);
  });

  it('peer with a key: has its own permissions under a routing id that another peer used before', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startGuarded(scope);
    await startWorker(scope, { connection: backend, handlers, curve: keysOf(WORKER) });
    const operator = bare(scope, frontend, ADMIN, 'shared');
    assert.equal(await ask(operator, 'private'), '"for operators"');
    const left = new Promise((resolve) => router.frontendMonitor?.on('disconnect', resolve));
    operator.close();
    await within(left, 'the end of the first connection');
    const next = bare(scope, frontend, CLIENT, 'shared');
    assert.match(await ask(next, 'private'), /NOT_PERMITTED/);
  });

  it('peer with a key: does not block others by disconnecting during its handshake', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startGuarded(scope);
    await startWorker(scope, { connection: backend, handlers, curve: keysOf(WORKER) });
    for (let round = 0; round < 50; round += 1) bare(scope, frontend, CLIENT, `hasty ${round}`).close();
    const client = makeClient(scope, {
      connection: frontend,
      curve: keysOf(CLIENT),
      connectTimeout: PATIENCE,
    });
    assert.equal(await outcome(client.sendMessage('echo.get', 1, { timeout: PATIENCE })), 'ok');
  });
});
