// test:all: 15 s; ../unit/transport/socket represents it
/** Workers and clients say why they have no connection, and workers are accepted once it exists. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { type Logger, silentLogger, ZeroMQWorkerThreads } from '../../src/index.ts';
import { freeEndpoint } from '../helpers/endpoints.ts';
import { within } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { keysOf, SERVER, STRANGER, startGuarded, WORKER } from './curve-nodes.ts';
import { makeClient, makeWorker, nextEvent, startRouter } from './framework.ts';

failOnLeftovers();

/** A logger, and the first warning that it receives. */
function firstWarning(): { logger: Logger; warning: Promise<string> } {
  let logger: Logger = silentLogger;
  const warning = new Promise<string>((resolve) => {
    logger = {
      ...silentLogger,
      warn: (_fields: unknown, message?: unknown) => resolve(String(message)),
      child: () => logger,
    };
  });
  return { logger, warning: within(warning, 'a warning') };
}

interface Case {
  readonly name: string;
  readonly reason: RegExp;
  readonly start: (scope: Scope) => Promise<{ connection: string; curve?: ReturnType<typeof keysOf> }>;
}

const CASES: readonly Case[] = [
  {
    name: 'a refused port',
    reason: /connection refused: no process listens there/,
    start: async (scope) => ({ connection: await freeEndpoint(scope, 'tcp') }),
  },
  {
    name: 'a socket file that does not exist',
    reason: /the socket file does not exist/,
    start: async (scope) => ({ connection: await freeEndpoint(scope, 'ipc') }),
  },
  {
    name: 'a name that cannot be resolved',
    reason: /cannot resolve the name no-such-router\.invalid/,
    start: () => Promise.resolve({ connection: 'tcp://no-such-router.invalid:5556' }),
  },
  {
    name: 'a key that is not on the allow list',
    reason: /CURVE handshake failed: the other side rejects the public key of this node/,
    start: async (scope) => ({ connection: (await startGuarded(scope)).backend, curve: keysOf(STRANGER) }),
  },
  {
    name: 'a wrong server key',
    reason: /CURVE handshake failed: .* check that the server key of this node is the public key/,
    start: async (scope) => ({
      connection: (await startGuarded(scope)).backend,
      curve: { serverKey: STRANGER.publicKey, secretKey: WORKER.secretKey },
    }),
  },
  {
    name: 'no keys at a router that requires them',
    reason:
      /the other side requires encryption, and this node has no keys|it requires encryption and this node has no keys/,
    start: async (scope) => ({ connection: (await startGuarded(scope)).backend }),
  },
  {
    name: 'keys at a router without keys',
    reason: /CURVE handshake failed: this node has a server key, but the other side has no CURVE key pair/,
    start: async (scope) => ({ connection: (await startRouter(scope)).backend, curve: keysOf(WORKER) }),
  },
  {
    name: 'a port of an HTTP server',
    reason: /closed the connection during the handshake: .* the address does not belong to a ZeroMQ node/,
    start: async (scope) => {
      const server = createServer();
      scope.after(() => void server.close().closeAllConnections());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { connection: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` };
    },
  },
];

describe('a worker without a connection', () => {
  for (const { name, reason, start } of CASES) {
    it(`worker: logs why it is not accepted: ${name}`, async (t) => {
      const scope = scopeOf(t);
      const { logger, warning } = firstWarning();
      const worker = makeWorker(scope, { ...(await start(scope)), handlers: { a: () => 1 }, logger });
      await worker.start();
      assert.match(await warning, reason);
      const [access] = worker.routerAccess;
      assert.equal(access?.state, 'connecting');
      assert.match(access?.reason ?? '', reason);
    });
  }

  it('worker: is accepted once the router listens, and reports no reason from then on', async (t) => {
    const scope = scopeOf(t);
    const backendConnection = await freeEndpoint(scope, 'tcp');
    const { logger, warning } = firstWarning();
    const worker = makeWorker(scope, { connection: backendConnection, handlers: { a: () => 1 }, logger });
    await worker.start();
    await warning;
    const accepted = nextEvent(worker, 'accepted');
    await startRouter(scope, 'tcp', { backendConnection });
    await accepted;
    await within(worker.accepted, 'the acceptance');
    assert.deepEqual(worker.routerAccess, [{ endpoint: backendConnection, state: 'accepted', refusals: 0 }]);
  });

  it('worker threads: are accepted when a router has accepted every thread', async (t) => {
    const scope = scopeOf(t);
    const { router, backend } = await startRouter(scope);
    const module = new URL('./thread-worker.ts', import.meta.url);
    const workers = new ZeroMQWorkerThreads({
      module,
      connection: backend,
      threads: 2,
      logger: silentLogger,
    });
    scope.after(() => workers.stop({ deadline: 500 }));
    await workers.start();
    await within(workers.accepted, 'the acceptance');
    assert.equal(router.stats().workers, 2);
  });
});

describe('a client without a connection', () => {
  for (const { name, reason, start } of CASES) {
    it(`client: logs the reason and has it in its error: ${name}`, async (t) => {
      const scope = scopeOf(t);
      const { connection, curve } = await start(scope);
      const { logger, warning } = firstWarning();
      const client = makeClient(scope, { connection, curve, logger });
      const connecting = client.connect({ timeout: 700, throwOnFailure: true });
      await assert.rejects(connecting, (error: Error & { code?: string }) => {
        assert.equal(error.code, 'NO_ROUTER');
        assert.match(error.message, reason);
        return true;
      });
      assert.match(await warning, reason);
      await assert.rejects(client.sendMessage('a', 1, { timeout: 50 }), reason);
    });
  }

  it('client: names the endpoint of each reason if it has several', async (t) => {
    const scope = scopeOf(t);
    const refused = await freeEndpoint(scope, 'tcp');
    const { frontend } = await startGuarded(scope);
    const curve = { serverKey: SERVER.publicKey, secretKey: STRANGER.secretKey };
    const client = makeClient(scope, { connection: [refused, frontend], curve });
    await assert.rejects(client.connect({ timeout: 700, throwOnFailure: true }), (error: Error) => {
      assert.ok(error.message.includes(`${refused}: connection refused`), error.message);
      assert.ok(error.message.includes(`${frontend}: CURVE handshake failed`), error.message);
      return true;
    });
  });
});
