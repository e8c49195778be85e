// test:all: 5 s; curve.test.ts represents it
/** Clients and workers with two server keys follow routers whose key is replaced. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  curveKeyPair,
  silentLogger,
  ZeroMQClient,
  ZeroMQConfigError,
  ZeroMQRouter,
  ZeroMQWorker,
} from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';

failOnLeftovers();

const logger = silentLogger;
const [OLD, NEW] = [curveKeyPair(), curveKeyPair()];

async function startRouter(
  scope: Scope,
  { secretKey }: { secretKey: string },
  frontendConnection = 'tcp://127.0.0.1:0',
  backendConnection = frontendConnection,
) {
  const router = new ZeroMQRouter({ frontendConnection, backendConnection, curve: { secretKey }, logger });
  scope.after(() => router.stop());
  return { router, ...(await router.start()) };
}

describe('replaced server keys', () => {
  it('CURVE: nodes with both keys connect to a router with either, before and after its restart', async (t) => {
    const scope = scopeOf(t);
    const first = await startRouter(scope, OLD);
    const { frontend, backend } = first;
    const curve = { serverKey: [NEW.publicKey, OLD.publicKey], secretKey: curveKeyPair().secretKey };
    const worker = new ZeroMQWorker({
      connection: backend,
      curve,
      handlers: { echo: (data) => data },
      logger,
    });
    scope.after(() => worker.stop());
    await untilJoined(() => worker.start());
    const client = new ZeroMQClient({ connection: frontend, curve, connectTimeout: PATIENCE, logger });
    scope.after(() => client.close());
    await client.connect({ throwOnFailure: true, timeout: PATIENCE });
    assert.equal((await client.sendMessage('echo', 1, { timeout: PATIENCE })).eventData, 1);
    await first.router.stop();
    await untilJoined(async () => void (await startRouter(scope, NEW, frontend, backend)));
    assert.equal((await client.sendMessage('echo', 2, { idempotent: true, timeout: PATIENCE })).eventData, 2);
  });

  it('CURVE: a client with new keys connects to a router that its former key did not fit', async (t) => {
    const scope = scopeOf(t);
    const { frontend } = await startRouter(scope, NEW);
    const secretKey = curveKeyPair().secretKey;
    const client = new ZeroMQClient({
      connection: frontend,
      curve: { serverKey: OLD.publicKey, secretKey },
      logger,
    });
    scope.after(() => client.close());
    assert.equal(await client.connect({ timeout: 300 }), false);
    client.update({ curve: { serverKey: NEW.publicKey, secretKey } });
    assert.equal(await client.connect({ timeout: PATIENCE }), true);
  });

  it('CURVE: a node that is created without keys cannot get some', () => {
    const client = new ZeroMQClient({ connection: 'tcp://127.0.0.1:1', logger });
    assert.throws(() => client.update({ curve: { serverKey: NEW.publicKey } }), ZeroMQConfigError);
    assert.throws(() => {
      new ZeroMQClient({ connection: 'tcp://127.0.0.1:1', curve: { serverKey: [] }, logger });
    }, /curve\.serverKey must not be an empty list/);
  });
});
