/** Fault: a peer connects without a key, with a wrong key, or with the key of another role. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AllowListEntry, curveKeyPair } from '../../src/index.ts';
import { within } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { CLIENT, keysOf, SERVER, STRANGER, startGuarded, WORKER } from '../integration/curve-nodes.ts';
import { connectClient, makeClient, makeWorker, startWorker } from '../integration/framework.ts';
import { outcomesOf, Scene } from './scene.ts';

failOnLeftovers();

const PEERS: readonly AllowListEntry[] = [
  { name: 'caller', publicKey: CLIENT.publicKey, role: 'client', calls: ['put', 'post'] },
  { name: 'worker', publicKey: WORKER.publicKey, role: 'worker', serves: ['put', 'post'] },
];

/** A router with an allow list, and a worker and a client that are on it. */
async function make(scope: Scope) {
  const scene = new Scene(scope);
  const { router, frontend, backend } = await startGuarded(scope, PEERS);
  const { put, post } = scene.handlers('worker');
  await startWorker(scope, { connection: backend, handlers: { put, post }, curve: keysOf(WORKER) });
  const client = await connectClient(scope, frontend, { curve: keysOf(CLIENT) });
  return { scene, router, frontend, backend, client };
}

const WRONG_KEYS = [
  ['no key', undefined],
  ['a key that is not on the allow list', keysOf(STRANGER)],
  ['the key of a worker', keysOf(WORKER)],
  ['a wrong public key of the router', { ...keysOf(CLIENT), serverKey: curveKeyPair().publicKey }],
] as const;

describe('wrong key', () => {
  for (const [what, curve] of WRONG_KEYS) {
    it(`wrong key, client with ${what}: its requests fail with NO_ROUTER, and other clients are not affected`, async (t) => {
      const scope = scopeOf(t);
      const { scene, router, frontend, client } = await make(scope);
      const stranger = makeClient(scope, { connection: frontend, curve, connectTimeout: 300 });
      const asked = ['put', 'post'].map((event) => scene.send(stranger, event as 'put' | 'post'));
      const others = Array.from({ length: 20 }, (_, n) => scene.send(client, n % 2 === 0 ? 'put' : 'post'));
      assert.deepEqual(new Set(await outcomesOf(others)), new Set(['ok']));
      assert.deepEqual(await outcomesOf(asked), ['NO_ROUTER', 'NO_ROUTER']);
      assert.equal(
        router.stats().submitted,
        others.length,
        'no request of the rejected client reached the router',
      );
      assert.equal(scene.assertGuarantees().executions, others.length);
    });
  }

  it('wrong key: a worker that is not on the allow list gets no requests', async (t) => {
    const scope = scopeOf(t);
    const { scene, router, backend, client } = await make(scope);
    const { put, post } = scene.handlers('stranger');
    const stranger = makeWorker(scope, {
      connection: backend,
      handlers: { put, post },
      curve: { serverKey: SERVER.publicKey, secretKey: STRANGER.secretKey },
    });
    await stranger.start();
    const [monitor] = stranger.monitors;
    await within(new Promise((resolve) => monitor?.on('handshake:error:auth', resolve)), 'a refusal');
    const requests = Array.from({ length: 50 }, () => scene.send(client, 'post'));
    const outcomes = await Promise.all(requests.map(({ settled }) => settled));
    assert.ok(outcomes.every(({ by }) => by?.startsWith('worker-') === true));
    assert.equal(router.stats().workers, 1);
    scene.assertGuarantees();
  });
});
