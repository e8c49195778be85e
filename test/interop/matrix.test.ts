// test:all: 60 pairs of nodes; classic-alone.test.ts represents it
/**
 * {classic, native} client × {classic, native} router × {classic, native} worker, and {classic,
 * native} client × {classic, native} server, over TCP and IPC, with and without heartbeats.
 * docs/interop.md shows the matrix.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NEEDS_CLASSIC } from '../helpers/classic.ts';
import { TRANSPORTS } from '../helpers/endpoints.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { scopeOf } from '../helpers/scope.ts';
import {
  type Callers,
  KINDS,
  type Kind,
  startClients,
  startRouter,
  startServer,
  startWorker,
} from './parts.ts';
import { NESTED } from './values.ts';

failOnLeftovers();

/**
 * Classic peers are Python processes. Without Python, the combinations without classic peers are
 * tested.
 */
const unless = (...kinds: Kind[]) => (kinds.includes('classic') ? NEEDS_CLASSIC : {});

async function tryValues(clients: Callers): Promise<void> {
  for (const data of [NESTED, null, 0, '', [], {}, 'ünïcödé 日本語', [[[]]]]) {
    assert.deepEqual(await clients.call('echo', data), data);
  }
  assert.deepEqual(await clients.call('prüfung.エコー', NESTED), NESTED);
}

async function tryAllAtOnce(clients: Callers): Promise<void> {
  const calls = Array.from({ length: clients.count }, async (_, client) => {
    for (let n = 0; n < 3; n += 1) {
      const data = { client, n, text: 'ä'.repeat(client) };
      assert.deepEqual(await clients.call('echo', data, { client }), data);
    }
  });
  await Promise.all(calls);
}

for (const transport of TRANSPORTS) {
  for (const heartbeats of [false, true]) {
    describe(`interop over ${transport}${heartbeats ? ' with heartbeats' : ''}`, () => {
      for (const client of KINDS) {
        for (const router of KINDS) {
          for (const worker of KINDS) {
            it(
              `interop: ${client} client, ${router} router, ${worker} worker`,
              unless(client, router, worker),
              async (t) => {
                const scope = scopeOf(t);
                const listening = await startRouter(scope, router, transport, heartbeats);
                await startWorker(scope, worker, listening);
                const behind = router === 'classic' ? 'classic router' : 'anything else';
                await tryValues(await startClients(scope, client, listening, behind));
                if (heartbeats) await listening.heardOf(2);
              },
            );
          }
        }
        for (const server of KINDS) {
          it(`interop: ${client} client, ${server} server`, unless(client, server), async (t) => {
            const scope = scopeOf(t);
            const listening = await startServer(scope, server, transport, heartbeats);
            await tryValues(await startClients(scope, client, listening, 'anything else'));
            if (heartbeats) await listening.heardOf(1);
          });
        }
      }
    });
  }
}

describe('interop: 64 clients at once', () => {
  for (const client of KINDS) {
    for (const router of KINDS) {
      for (const worker of KINDS) {
        it(
          `interop, 64 clients: ${client} clients, ${router} router, ${worker} worker`,
          unless(client, router, worker),
          async (t) => {
            const scope = scopeOf(t);
            const listening = await startRouter(scope, router, 'tcp', false);
            await startWorker(scope, worker, listening);
            const behind = router === 'classic' ? 'classic router' : 'anything else';
            await tryAllAtOnce(await startClients(scope, client, listening, behind, 64));
          },
        );
      }
    }
    for (const server of KINDS) {
      it(`interop, 64 clients: ${client} clients, ${server} server`, unless(client, server), async (t) => {
        const scope = scopeOf(t);
        const listening = await startServer(scope, server, 'tcp', false);
        await tryAllAtOnce(await startClients(scope, client, listening, 'anything else', 64));
      });
    }
  }
});
