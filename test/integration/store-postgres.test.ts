import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { NewRequest } from '../../src/store/model/request.ts';
import { openStore } from '../../src/store/open.ts';
import { within } from '../helpers/eventually.ts';
import { apiOf, jsonBody } from '../helpers/gateway/api.ts';
import { ownServer } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';
import { POSTGRES_MISSING, queryPostgres, startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { Scope } from '../helpers/scope.ts';

const requestOf = (changes: Partial<NewRequest> = {}): NewRequest => ({
  id: randomUUID(),
  caller: 'ann',
  event: 'e',
  fingerprint: Buffer.alloc(32),
  state: 'accepted',
  idempotent: false,
  data: Buffer.alloc(10),
  metadata: Buffer.alloc(0),
  timeout: 1000,
  retention: 0,
  owner: 'g',
  lease: 60_000,
  ...changes,
});

describe('PostgreSQL store', { skip: POSTGRES_MISSING }, () => {
  const scope = new Scope();
  let postgres: TestPostgres;
  before(async () => {
    postgres = await startPostgres(scope);
  });
  after(() => scope.close());

  it('PostgreSQL store: gateways that start at the same time make the tables once', async (t) => {
    const url = await postgres.createDatabase('starts');
    const stores = await Promise.all([1, 2, 3, 4].map(() => openStore(url)));
    for (const store of stores) t.after(() => store.close());
    for (const store of stores) assert.equal((await store.create(requestOf())).outcome, 'created');
    assert.equal((await stores[0]?.statistics())?.states.accepted, 4);
  });

  it('PostgreSQL store: another gateway learns of a change, and takes over', async (t) => {
    const url = await postgres.createDatabase('gateways');
    const [one, two] = await Promise.all([openStore(url), openStore(url)]);
    t.after(() => one.close());
    t.after(() => two.close());
    const creation = await one.create(requestOf({ state: 'running' }));
    assert.ok(creation.outcome === 'created');
    const changed = new Promise<string>((resolve) => two.watch(resolve));
    assert.equal(await two.cancel(creation.request.id), 'requested');
    assert.equal(await within(changed, 'a notification'), creation.request.id);
    await one.release([creation.hold]);
    assert.equal((await two.claim('g2', 1000, 10))[0]?.request.cancelRequested, true);
  });

  it('PostgreSQL store: counts stay exact when gateways create, end and expire at the same time', async (t) => {
    const url = await postgres.createDatabase('counts');
    const stores = await Promise.all([openStore(url), openStore(url)]);
    for (const store of stores) t.after(() => store.close());
    const run = async (index: number): Promise<void> => {
      const store = stores[index % 2] as (typeof stores)[number];
      const creation = await store.create(requestOf({ caller: `c${index % 5}`, state: 'running' }));
      assert.ok(creation.outcome === 'created');
      const result = { status: 200, headers: [], body: Buffer.alloc(index) };
      await store.finish(creation.hold, { state: 'succeeded', code: '', result });
      await store.expire(7);
    };
    await Promise.all(Array.from({ length: 200 }, (_, index) => run(index)));
    while ((await stores[0].expire(50)) > 0);
    assert.equal((await stores[0].statistics()).bytes, 0);
    assert.deepEqual(await queryPostgres(url, 'SELECT * FROM zeromq_gateway.usage'), []);
  });

  it('PostgreSQL store: a key that one gateway has used is replayed by another one', async (t) => {
    const store = await postgres.createDatabase('keys');
    const api = apiOf({
      '/orders': { post: { 'x-idempotency': 'required', ...jsonBody({ type: 'object' }) } },
    });
    const requester: FakeRequester = new FakeRequester({
      'post.orders': () => ({ run: requester.requests.length }),
    });
    const gateways = await Promise.all([1, 2].map(() => ownServer(t, { requester, api, store })));
    const send = (index: number, key: string): Promise<Response> =>
      fetch(`${gateways[index]?.url}/orders`, {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
      });
    assert.deepEqual(await (await send(0, '"k"')).json(), { run: 1 });
    const again = await send(1, '"k"');
    assert.deepEqual([again.headers.get('idempotency-replayed'), await again.json()], ['true', { run: 1 }]);
    const both = await Promise.all([0, 1, 0, 1].map((index) => send(index, '"at once"')));
    for (const { status } of both) assert.ok(status === 200 || status === 409, String(status));
    assert.equal(requester.requests.length, 2);
  });

  it('PostgreSQL store: tables of a later release are rejected', async () => {
    const url = await postgres.createDatabase('later');
    await (await openStore(url)).close();
    await queryPostgres(url, 'UPDATE zeromq_gateway.version SET version = 99');
    await assert.rejects(openStore(url), /have version 99, and this release knows versions up to 1/);
  });

  it('PostgreSQL store: is unavailable without its server, when it starts and later', async (t) => {
    const own = await startPostgres(scope);
    const url = await own.createDatabase('lost');
    const reports: string[] = [];
    const store = await openStore(url, { report: (message) => reports.push(message) });
    t.after(() => store.close());
    own.server.kill('SIGKILL');
    await own.server.exited;
    const unavailable = { name: 'StoreUnavailableError', status: 503, dispatched: false };
    await assert.rejects(store.create(requestOf()), unavailable);
    await assert.rejects(store.check(false), unavailable);
    await assert.rejects(openStore(url), unavailable);
    assert.ok(reports.includes('connection to PostgreSQL failed'));
  });
});
