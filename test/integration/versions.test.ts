/** Two versions of a contract behind one router: split by weight, chosen by header, shown to operators. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import Joi from 'joi';
import { ApiRegistry, contractChecker, createGateway } from '../../src/gateway/index.ts';
import { defineContract, silentLogger, ZeroMQRouter, ZeroMQWorker } from '../../src/index.ts';
import { anyEndpoint, type Transport } from '../helpers/endpoints.ts';
import { problemOf } from '../helpers/gateway/hosts.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { untilJoined } from '../helpers/published.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient } from './framework.ts';

failOnLeftovers();

/** The contract in a version; from 2.0.0 on, it has an optional currency. */
function contractOf(version: string | undefined, weight?: number) {
  const currency = version?.startsWith('2') === true ? { currency: Joi.string() } : {};
  return defineContract({
    name: 'prices',
    ...(version === undefined ? {} : { version }),
    ...(weight === undefined ? {} : { weight }),
    versionHeader: 'X-Version',
    events: {
      'prices.get': {
        method: 'GET',
        path: '/prices/{sku}',
        data: Joi.object<{ sku: string; currency?: string }>({ sku: Joi.string().required(), ...currency }),
      },
    },
  });
}

async function start(t: TestContext, transport: Transport | 'embedded') {
  const scope: Scope = scopeOf(t);
  const registry = new ApiRegistry();
  const socket = transport === 'embedded' ? 'inproc' : transport;
  const router = new ZeroMQRouter({
    frontendConnection: anyEndpoint(scope, socket),
    backendConnection: anyEndpoint(scope, socket),
    logger: silentLogger,
    limits: { startupGrace: 0 },
    contractChecker: contractChecker(registry),
  });
  scope.after(() => router.stop({ deadline: 0 }));
  const { frontend, backend } = await router.start();
  const worker = async (version: string | undefined, weight?: number): Promise<ZeroMQWorker> => {
    const node = new ZeroMQWorker({
      connection: transport === 'embedded' ? router : backend,
      contract: contractOf(version, weight),
      logger: silentLogger,
      handlers: { 'prices.get': (data: object) => ({ ...data, served: version ?? 'none' }) },
    });
    scope.after(() => node.stop({ deadline: 0 }));
    await untilJoined(() => node.start());
    return node;
  };
  const gateway = createGateway({ requester: router, api: registry, port: 0 });
  scope.after(() => gateway.close({ deadline: 0 }));
  const { url } = await gateway.listen();
  const served = async (path = '/prices/bolt', version?: string): Promise<unknown> => {
    const response = await fetch(
      url + path,
      version === undefined ? {} : { headers: { 'x-version': version } },
    );
    const data = (await response.json()) as { served?: string; code?: string };
    return data.served ?? data.code;
  };
  return { scope, router, frontend, worker, gateway, url, served };
}

describe('versions of a contract', () => {
  for (const transport of ['tcp', 'inproc', 'embedded'] as const) {
    it(`workers of two versions serve side by side, chosen by header (${transport})`, async (t) => {
      const { worker, served, url, router } = await start(t, transport);
      await worker('1.0.0');
      await worker('2.0.0', 0);
      for (let n = 0; n < 5; n += 1) assert.equal(await served(), '1.0.0');
      assert.equal(await served('/prices/bolt', '2.0.0'), '2.0.0');
      assert.equal(await served('/prices/bolt', '1.0.0'), '1.0.0');
      const missing = await fetch(`${url}/prices/bolt`, { headers: { 'x-version': '3.0.0' } });
      const problem = await problemOf(missing);
      assert.deepEqual([problem.status, problem.code, problem.dispatched], [503, 'NO_WORKER', false]);
      assert.match(problem.detail, /in version 3\.0\.0; workers serve (1\.0\.0, 2\.0\.0|2\.0\.0, 1\.0\.0)$/);
      assert.equal(router.setVersionWeight('prices', '2.0.0', 100), true);
      for (let n = 0; n < 5; n += 1) assert.equal(await served(), '2.0.0');
      assert.equal(router.setVersionWeight('prices', '2.0.0', null), true);
      assert.equal(await served(), '1.0.0');
    });
  }

  it('the document is that of the latest version, and names the header', async (t) => {
    const { worker, gateway } = await start(t, 'tcp');
    await worker('1.0.0');
    await worker('2.0.0', 5);
    const { paths, info } = gateway.openapi();
    const parameters = paths?.['/prices/{sku}']?.get?.parameters as {
      name: string;
      in: string;
      required?: boolean;
    }[];
    assert.deepEqual(parameters.map(({ name, in: location }) => `${location} ${name}`).sort(), [
      'header X-Version',
      'path sku',
      'query currency',
    ]);
    assert.ok(info !== undefined);
  });

  it('a request that an earlier version rejects goes to the later one, whatever the weights', async (t) => {
    const { worker, served } = await start(t, 'tcp');
    await worker('1.0.0');
    await worker('2.0.0', 0);
    assert.equal(await served('/prices/bolt?currency=USD'), '2.0.0');
  });

  it('a header without a version of a contract in the router gives a problem', async (t) => {
    const { worker, served } = await start(t, 'tcp');
    await worker(undefined);
    assert.equal(await served(), 'none');
    assert.equal(await served('/prices/bolt', '1.0.0'), 'NO_WORKER');
  });

  it('operators set weights by an event of the router, and see versions in its report', async (t) => {
    const { scope, worker, frontend, router } = await start(t, 'tcp');
    await worker('1.0.0');
    await worker('2.0.0', 5);
    const client = await connectClient(scope, frontend);
    const set = (data: object) => client.sendMessage('$router.weight', data);
    const shares = () =>
      router.inspect().events[0]?.versions?.map((one) => [one.version, one.workers, one.share]);
    assert.deepEqual(shares()?.sort(), [
      ['1.0.0', 1, 95],
      ['2.0.0', 1, 5],
    ]);
    await set({ contract: 'prices', version: '2.0.0', weight: 40 });
    assert.deepEqual(shares()?.sort(), [
      ['1.0.0', 1, 60],
      ['2.0.0', 1, 40],
    ]);
    for (const bad of [{ version: '2.0.0' }, { contract: 'prices', version: '2.0.0', weight: 101 }]) {
      await assert.rejects(set(bad), { code: 'INVALID_REQUEST', message: /"weight": 0 to 100 or null/ });
    }
    await assert.rejects(set({ contract: 'prices', version: '9', weight: 1 }), {
      code: 'INVALID_REQUEST',
      message: /no worker of the router serves the contract "prices" in version "9"/,
    });
  });
});

describe('defineContract: versions', () => {
  for (const [members, message] of [
    [{ version: 'two words' }, /version must be a version such as 2\.0\.0/],
    [{ version: 2 }, /version must be a version such as 2\.0\.0/],
    [{ version: '1', weight: 101 }, /weight must be a number of percent from 0 to 100/],
    [{ weight: 5 }, /weight requires a version/],
    [{ version: '1', versionHeader: 'X Version' }, /versionHeader must be the name of a header/],
  ] as const) {
    it(`rejects ${JSON.stringify(members)}`, () => {
      assert.throws(() => defineContract({ name: 'x', events: {}, ...(members as object) }), {
        name: 'ContractError',
        message,
      });
    });
  }

  it('sets info.version of the document, and the header of each operation', () => {
    const contract = contractOf('2.0.0', 5);
    const { version, weight } = contract;
    const fragment = contract.fragment();
    assert.deepEqual([fragment.info.version, version, weight], ['2.0.0', '2.0.0', 5]);
    const operation = fragment.paths?.['/prices/{sku}']?.get as Record<string, unknown>;
    assert.equal(operation['x-version-header'], 'X-Version');
    assert.ok(!JSON.stringify(fragment).includes('weight'), 'a weight is not a part of the document');
  });
});
