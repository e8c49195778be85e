/** Contracts that workers announce to a router, as every gateway connected to it serves them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Joi from 'joi';
import { type Logger, silentLogger } from '../../src/core/logging.ts';
import { ApiRegistry, LiveContracts } from '../../src/gateway/index.ts';
import { defineContract, ZeroMQClient, ZeroMQRouter, ZeroMQWorker } from '../../src/index.ts';
import { emissions, eventually } from '../helpers/eventually.ts';
import { ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';

failOnLeftovers(() => fetch('http://127.0.0.1:9').catch(() => undefined));

const ANY = 'tcp://127.0.0.1:0';
/** A poll takes 25 s; whatever is there in this time (ms) was pushed. */
const SOON = 5000;

async function startRouter(scope: Scope) {
  const registry = new ApiRegistry();
  const router = new ZeroMQRouter({
    frontendConnection: ANY,
    backendConnection: ANY,
    limits: { startupGrace: 0 },
    contractChecker: {
      put: (name, fragment) => void registry.put(name, fragment, { kind: 'worker' }),
      setAvailable: (name, available) => void registry.setAvailable(name, available),
      remove: (name) => void registry.remove(name),
      has: (name) => registry.has(name),
    },
  });
  scope.after(() => router.stop({ deadline: 1000 }));
  const { frontend, backend } = await router.start();
  return { frontend, backend };
}

interface Front {
  readonly url: string;
  readonly registry: ApiRegistry;
}

async function startGateway(scope: Scope, frontend: string): Promise<Front> {
  const registry = new ApiRegistry();
  const client = new ZeroMQClient({ connection: frontend });
  scope.after(() => client.close());
  await client.connect();
  const live = new LiveContracts(registry, silentLogger);
  scope.after(() => live.close());
  live.watch(client, frontend);
  const { url } = await ownServer(scope, { requester: client, api: registry });
  return { url, registry };
}

/** A worker of a contract with one event, squares; `name` is the contract's. */
async function startSquares(
  scope: Scope,
  backend: string,
  name: string,
  path: string,
  event = 'squares.get',
) {
  const data = Joi.object({ n: Joi.number().integer().required() });
  const contract = defineContract({ name, events: { [event]: { method: 'GET', path, data } } });
  const handlers = { [event]: ({ n }: { n: number }) => ({ square: n * n }) };
  const refusals: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    error: (fields: object | string, message?: unknown) =>
      void refusals.push(`${JSON.stringify(fields)} ${String(message)}`),
    child: () => logger,
  };
  const worker = new ZeroMQWorker({ connection: backend, contract, handlers, logger });
  scope.after(() => worker.stop());
  await worker.start();
  return { worker, refusals };
}

const available = ({ registry }: Front, source: string): boolean | undefined =>
  registry.snapshot().operations.find((operation) => operation.source === source)?.available;

function becomes(front: Front, source: string, wanted: boolean | undefined): Promise<boolean> {
  const what = `${source} to be ${String(wanted)}`;
  return eventually(
    emissions(front.registry, 'change'),
    () => available(front, source) === wanted,
    what,
    SOON,
  );
}

const close = { headers: { connection: 'close' } };

test('routes and documents of all gateways follow the workers', async (t) => {
  const scope = scopeOf(t);
  const { frontend, backend } = await startRouter(scope);
  const fronts = [await startGateway(scope, frontend), await startGateway(scope, frontend)];
  for (const { url } of fronts) assert.equal((await fetch(`${url}/squares/3`, close)).status, 404);

  const { worker } = await startSquares(scope, backend, 'squares', '/squares/{n}');
  for (const front of fronts) {
    await becomes(front, 'squares', true);
    assert.deepEqual(await (await fetch(`${front.url}/squares/3`, close)).json(), { square: 9 });
  }

  await worker.stop();
  for (const front of fronts) {
    await becomes(front, 'squares', false);
    const response = await fetch(`${front.url}/squares/3`, close);
    assert.equal(response.headers.get('retry-after'), '1');
    const { status, code } = await problemOf(response);
    assert.deepEqual([status, code], [503, 'NO_WORKER']);
    const document = (await (await fetch(`${front.url}/openapi.json`, close)).json()) as {
      paths: Record<string, { get: { 'x-available'?: boolean } }>;
    };
    assert.equal(document.paths['/squares/{n}']?.get['x-available'], false);
  }

  await startSquares(scope, backend, 'squares', '/squares/{n}');
  for (const front of fronts) {
    await becomes(front, 'squares', true);
    assert.equal((await fetch(`${front.url}/squares/4`, close)).status, 200);
  }
});

test('the later of two contracts that claim the same is refused in its log, by name; a dead one gives way', async (t) => {
  const scope = scopeOf(t);
  const { frontend, backend } = await startRouter(scope);
  const front = await startGateway(scope, frontend);
  const { worker } = await startSquares(scope, backend, 'squares', '/squares/{n}');
  await becomes(front, 'squares', true);

  const later = await startSquares(scope, backend, 'powers', '/squares/{n}', 'powers.get');
  const refused = emissions(later.worker, 'refused');
  await eventually(refused, () => later.refusals.length > 0, 'the refusal');
  assert.match(later.refusals[0] ?? '', /powers.*squares has claimed GET \/squares\/\{n\} already/);
  assert.equal(available(front, 'powers'), undefined);

  await worker.stop();
  await becomes(front, 'powers', true);
  assert.equal(available(front, 'squares'), undefined);
});
