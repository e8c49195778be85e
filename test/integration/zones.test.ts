/** Clients prefer routers of their own zone, and routers workers of their own zone. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import {
  silentLogger,
  ZeroMQClient,
  ZeroMQConfigError,
  ZeroMQRouter,
  ZeroMQWorker,
} from '../../src/index.ts';
import { eventually } from '../helpers/eventually.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { scopeOf } from '../helpers/scope.ts';

const logger = silentLogger;
const connection = 'tcp://127.0.0.1:0';

function zones(t: TestContext) {
  const scope = scopeOf(t);
  return {
    router: async (zone?: string) => {
      const options = { frontendConnection: connection, backendConnection: connection, zone, logger };
      const router = new ZeroMQRouter(options);
      scope.after(() => router.stop());
      return { router, ...(await router.start()) };
    },
    worker: async (backend: string, name: string, zone?: string) => {
      const handlers = { where: () => name };
      const worker = new ZeroMQWorker({ connection: backend, zone, handlers, logger });
      scope.after(() => worker.stop());
      await untilJoined(() => worker.start());
      return worker;
    },
    client: async (routers: string[], zone?: string) => {
      const client = new ZeroMQClient({ ...PATIENT, connection: routers, zone, logger });
      scope.after(() => client.close());
      await client.connect({ timeout: PATIENCE });
      const { monitors } = client;
      const onHandshake = (listener: () => void) => {
        for (const monitor of monitors) monitor.on('handshake', listener);
        return () => {
          for (const monitor of monitors) monitor.off('handshake', listener);
        };
      };
      const areConnected = () => monitors.every(({ connections }) => connections > 0);
      await eventually(onHandshake, areConnected, 'a connection to each router');
      return client;
    },
  };
}

/** The answers to 20 requests, one after the other. */
async function answersOf(client: ZeroMQClient): Promise<Set<unknown>> {
  const answers = new Set<unknown>();
  for (let n = 0; n < 20; n += 1) answers.add((await client.sendMessage('where')).eventData);
  return answers;
}

describe('zones', () => {
  it('zones: a client uses the routers of its zone until they are gone', async (t) => {
    const { router, worker, client } = zones(t);
    const [here, there, nowhere] = [await router('a'), await router('b'), await router()];
    await worker(here.backend, 'here');
    await worker(there.backend, 'there');
    await worker(nowhere.backend, 'nowhere');
    const own = await client([there.frontend, here.frontend, nowhere.frontend], 'a');
    // The first answers may come before those of the pings.
    await answersOf(own);
    assert.deepEqual(await answersOf(own), new Set(['here']));
    await here.router.stop();
    assert.deepEqual(await answersOf(own), new Set(['there', 'nowhere']));
    const other = await client([there.frontend, nowhere.frontend]);
    assert.deepEqual(await answersOf(other), new Set(['there', 'nowhere']));
  });

  it('zones: a router uses the workers of its zone while they have credit', async (t) => {
    const { router, worker, client } = zones(t);
    const { router: made, frontend, backend } = await router('a');
    await worker(backend, 'far', 'b');
    await worker(backend, 'unknown');
    const near = await worker(backend, 'near', 'a');
    const caller = await client([frontend]);
    assert.deepEqual(await answersOf(caller), new Set(['near']));
    assert.deepEqual(
      made
        .inspect()
        .workers.map(({ zone }) => zone)
        .sort(),
      ['a', 'b', undefined],
    );
    await near.stop();
    assert.deepEqual(await answersOf(caller), new Set(['far', 'unknown']));
  });

  it('zones: the name of a zone is checked', () => {
    const zone = 'a zone';
    assert.throws(() => new ZeroMQClient({ connection, zone }), ZeroMQConfigError);
    const both = { frontendConnection: connection, backendConnection: connection };
    assert.throws(() => new ZeroMQRouter({ ...both, zone, logger }), /zone must have 1 to 64 letters/);
  });
});
