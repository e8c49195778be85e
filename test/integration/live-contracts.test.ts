/** Contracts that workers announce to a router, as served by every gateway connected to it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import Joi from 'joi';
import { type Logger, silentLogger } from '../../src/core/logging/logging.ts';
import {
  ApiRegistry,
  contractChecker,
  LiveContracts,
  putDocument,
  watchDocuments,
} from '../../src/gateway/index.ts';
import { defineContract, ZeroMQClient, ZeroMQRouter, ZeroMQWorker } from '../../src/index.ts';
import { assertTakesAtMost, durationOf } from '../helpers/duration.ts';
import { freeEndpoint } from '../helpers/endpoints.ts';
import { emissions, eventually } from '../helpers/eventually.ts';
import { ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

failOnLeftovers(() => fetch('http://127.0.0.1:9').catch(() => undefined));

const ANY = 'tcp://127.0.0.1:0';
/** Time in ms. A poll takes 25 s, so whatever arrives within this time was pushed. */
const SOON = PATIENCE;

async function startRouter(scope: Scope, at = ANY) {
  const registry = new ApiRegistry();
  const router = new ZeroMQRouter({
    frontendConnection: at,
    backendConnection: ANY,
    limits: { startupGrace: 0 },
    contractChecker: contractChecker(registry),
  });
  scope.after(() => router.stop({ deadline: 1000 }));
  const { frontend, backend } = await router.start();
  return { frontend, backend };
}

interface OpenApi {
  readonly paths: Record<string, { get: { 'x-available'?: boolean } }>;
}

interface Front {
  readonly url: string;
  readonly registry: ApiRegistry;
}

async function startGateway(scope: Scope, frontend: string, wait = PATIENCE): Promise<Front> {
  const registry = new ApiRegistry();
  const client = new ZeroMQClient({ ...PATIENT, connection: frontend });
  scope.after(() => client.close());
  await client.connect({ timeout: wait });
  const live = new LiveContracts(registry, silentLogger);
  scope.after(() => live.close());
  live.watch(client, frontend);
  const { url } = await ownServer(scope, { requester: client, api: registry, contracts: live });
  return { url, registry };
}

interface Squares {
  readonly worker: ZeroMQWorker;
  /** Errors in its log. */
  readonly refusals: readonly string[];
}

/** Starts a worker whose contract `name` has one event, squares. */
async function startSquares(
  scope: Scope,
  backend: string,
  name: string,
  path: string,
  event = 'squares.get',
  fields = ['n'],
): Promise<Squares> {
  const data = Joi.object(
    Object.fromEntries(fields.map((name) => [name, Joi.number().integer().required()])),
  );
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

/** Returns why the worker was rejected, from its own log. */
async function refusedBy({ worker, refusals }: Squares, why: RegExp): Promise<void> {
  await eventually(emissions(worker, 'rejected'), () => refusals.length > 0, 'the rejection');
  assert.match(refusals[0] ?? '', why);
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

test('gateway: responds 503 with Retry-After until it has the contracts of its router', async (t) => {
  const scope = scopeOf(t);
  const frontend = await freeEndpoint(scope, 'tcp');
  const front = await startGateway(scope, frontend, 0);
  front.registry.put('own', {
    openapi: '3.1.0',
    paths: { '/squares/{n}': { delete: { operationId: 'squares.delete', responses: {} } } },
  });
  for (const path of ['/squares/3', '/nothing']) {
    const response = await fetch(`${front.url}${path}`, close);
    assert.equal(response.headers.get('retry-after'), '1');
    const { status, code, dispatched } = await problemOf(response);
    assert.deepEqual([status, code, dispatched], [503, 'STARTING', false], path);
  }
  const ready = await fetch(`${front.url}/readyz`, close);
  const { reasons } = (await ready.json()) as { reasons: { code: string }[] };
  assert.deepEqual([ready.status, reasons.map(({ code }) => code)], [503, ['NO_ROUTER', 'STARTING']]);

  front.registry.remove('own');
  const { backend } = await startRouter(scope, frontend);
  await startSquares(scope, backend, 'squares', '/squares/{n}');
  await becomes(front, 'squares', true);
  assert.equal((await fetch(`${front.url}/squares/3`, close)).status, 200);
  assert.equal((await fetch(`${front.url}/nothing`, close)).status, 404);
  assert.equal((await fetch(`${front.url}/squares/3`, { method: 'PUT', ...close })).status, 405);
  assert.equal((await fetch(`${front.url}/readyz`, close)).status, 200);
});

test('gateway: routes and documents of all gateways follow the workers', async (t) => {
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
    const document = (await (await fetch(`${front.url}/openapi.json`, close)).json()) as OpenApi;
    assert.equal(document.paths['/squares/{n}']?.get['x-available'], false);
  }

  await startSquares(scope, backend, 'squares', '/squares/{n}');
  for (const front of fronts) {
    await becomes(front, 'squares', true);
    assert.equal((await fetch(`${front.url}/squares/4`, close)).status, 200);
  }
});

/**
 * Whether a gateway serves squares and lists it in its document, or reports in both that no worker
 * serves it.
 */
async function shows({ url }: Front, there: boolean): Promise<void> {
  const { status } = await fetch(`${url}/squares/3`, close);
  assert.equal(status, there ? 200 : 503);
  const document = (await (await fetch(`${url}/openapi.json`, close)).json()) as OpenApi;
  assert.equal(document.paths['/squares/{n}']?.get['x-available'], there ? undefined : false);
}

test('gateway: follows within a second, from the start of a worker to a response and from its end to a 503', async (t) => {
  const scope = scopeOf(t);
  const { frontend, backend } = await startRouter(scope);
  const fronts = [await startGateway(scope, frontend), await startGateway(scope, frontend)];
  const show = (there: boolean) =>
    Promise.all(fronts.map((front) => becomes(front, 'squares', there).then(() => shows(front, there))));
  const leaving: number[] = [];
  await assertTakesAtMost(t, 1000, 'two gateways have the route and the document', async () => {
    let stop: (() => Promise<void>) | undefined;
    const coming = await durationOf(async () => {
      const { worker } = await startSquares(scope, backend, 'squares', '/squares/{n}');
      stop = () => worker.stop();
      await show(true);
    });
    leaving.push(await durationOf(() => Promise.all([stop?.(), show(false)])));
    return coming;
  });
  await assertTakesAtMost(t, 1000, 'both report that no worker serves the event', async () => {
    const before = leaving.shift();
    if (before !== undefined) return before;
    const { worker } = await startSquares(scope, backend, 'squares', '/squares/{n}');
    await show(true);
    return durationOf(() => Promise.all([worker.stop(), show(false)]));
  });
});

test('gateway: serves a saved document within a second', async (t) => {
  const scope = scopeOf(t);
  const file = path.join(tempFolder(scope), 'api.json');
  const save = (name: string) => {
    const paths = { [`/${name}`]: { get: { operationId: name } } };
    writeFileSync(file, JSON.stringify({ openapi: '3.1.0', info: { title: 'A', version: '1' }, paths }));
  };
  save('start');
  const registry = new ApiRegistry();
  putDocument(registry, file);
  const watcher = watchDocuments(registry, [{ file }]);
  scope.after(() => watcher.close());
  const { url } = await ownServer(scope, { requester: new FakeRequester(), api: registry });
  let tries = 0;
  await assertTakesAtMost(t, 1000, 'the saved change is served', () => {
    tries += 1;
    const name = `saved${tries}`;
    return durationOf(async () => {
      save(name);
      await eventually(
        emissions(registry, 'change'),
        () => registry.snapshot().operations[0]?.path === `/${name}`,
        name,
        SOON,
      );
      assert.equal((await fetch(`${url}/${name}`, close)).status, 200);
      const document = (await (await fetch(`${url}/openapi.json`, close)).json()) as OpenApi;
      assert.deepEqual(Object.keys(document.paths), [`/${name}`]);
    });
  });
  assert.equal((await fetch(`${url}/start`, close)).status, 404);
});

test('contracts: the later of two conflicting ones is rejected by name in its log, and one without workers is displaced', async (t) => {
  const scope = scopeOf(t);
  const { frontend, backend } = await startRouter(scope);
  const front = await startGateway(scope, frontend);
  const { worker } = await startSquares(scope, backend, 'squares', '/squares/{n}');
  await becomes(front, 'squares', true);

  const later = await startSquares(scope, backend, 'powers', '/squares/{n}', 'powers.get');
  await refusedBy(later, /powers.*squares already serves GET \/squares\/\{n\}/);
  assert.equal(available(front, 'powers'), undefined);
  // The same event with other data: its path has an additional field.
  const other = await startSquares(scope, backend, 'cubes', '/cubes/{n}/{m}', 'squares.get', ['n', 'm']);
  await refusedBy(other, /cubes.*squares\.get.*squares already uses the event/);
  assert.equal(available(front, 'cubes'), undefined);
  assert.deepEqual(await (await fetch(`${front.url}/squares/3`, close)).json(), { square: 9 });

  await worker.stop();
  await becomes(front, 'powers', true);
  assert.equal(available(front, 'squares'), undefined);
});
