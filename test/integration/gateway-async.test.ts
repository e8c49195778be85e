/** Asynchronous requests over HTTP: accepted, shown, replayed, watched, cancelled, and taken over. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withResolvers } from '../../src/core/collections/deferred.ts';
import type { GatewayOptions } from '../../src/gateway/index.ts';
import { type HandlerContext, ReplyError, reply } from '../../src/index.ts';
import { openStore } from '../../src/store/index.ts';
import { within } from '../helpers/eventually.ts';
import { apiOf } from '../helpers/gateway/api.ts';
import { type Hosted, ownServer } from '../helpers/gateway/hosts.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { makeWorker, startRouter, startWorker } from './framework.ts';

const key = { key: [] };
const requestBody = { content: { 'application/json': { schema: { type: 'object' } } } };

const api = () =>
  apiOf(
    {
      '/reports': {
        post: {
          'x-event-name': 'reports.make',
          'x-async': true,
          requestBody,
          responses: { 200: { description: 'the report' } },
        },
      },
      '/required': { post: { 'x-event-name': 'reports.make', 'x-async': 'required', requestBody } },
      '/secret': { post: { 'x-event-name': 'reports.make', 'x-async': true, security: [key], requestBody } },
      '/plain': { post: { 'x-event-name': 'reports.make', requestBody } },
      '/keyed': {
        post: { 'x-event-name': 'reports.make', 'x-async': true, 'x-idempotency': 'optional', requestBody },
      },
    },
    { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'x-key' } } },
  );

const auth = {
  schemes: {
    key: {
      type: 'apiKey',
      keys: [
        { id: 'ann', key: 'ann-ann-ann-ann-ann' },
        { id: 'bob', key: 'bob-bob-bob-bob-bob' },
      ],
    },
  },
} as const;

interface Data {
  readonly mode?: 'wait' | 'status' | 'fail' | 'lost' | 'large';
}

/** A handler that waits for the test. */
class Reports {
  readonly started = withResolvers<HandlerContext>();
  readonly release = withResolvers<void>();
  runs = 0;

  readonly make = async ({ mode }: Data, context: HandlerContext): Promise<unknown> => {
    this.runs += 1;
    if (mode === 'status')
      return reply(201, Buffer.from('%PDF'), { 'content-type': 'application/pdf', 'x-pages': '3' });
    if (mode === 'fail') throw new ReplyError(409, 'NO_DATA', 'there is nothing to report');
    if (mode === 'large') return 'x'.repeat(5000);
    if (mode !== 'wait') return { made: true };
    context.progress({ done: 1, of: 2 });
    this.started.resolve(context);
    await this.release.promise;
    context.progress({ done: 2, of: 2 });
    return { made: 'late' };
  };
}

interface Scene extends Hosted {
  readonly reports: Reports;
  readonly store: string;
  readonly requester: GatewayOptions['requester'];
}

async function scene(scope: Scope, options: Partial<GatewayOptions> = {}, concurrency = 10): Promise<Scene> {
  const store = options.store ?? `sqlite:${join(tempFolder(scope), 'store.db')}`;
  const { router } = await startRouter(scope);
  const reports = new Reports();
  await startWorker(scope, { connection: router, concurrency, handlers: { 'reports.make': reports.make } });
  const hosted = await ownServer(scope, { requester: router, api: api(), store, auth, ...options });
  return { ...hosted, reports, store, requester: router };
}

interface Status {
  readonly id: string;
  readonly state: string;
  readonly progress?: unknown;
  readonly outcome?: { status: number; code?: string };
  readonly links: { self: string; result: string; events: string };
}

async function post(
  url: string,
  data: Data = {},
  headers: Record<string, string> = { prefer: 'respond-async' },
): Promise<Response> {
  const body = JSON.stringify(data);
  return fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
}

async function ended(url: string, status: Status, headers: Record<string, string> = {}): Promise<Status> {
  const response = await fetch(url + status.links.self, { headers: { prefer: 'wait=20', ...headers } });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('preference-applied'), 'wait=20');
  return (await response.json()) as Status;
}

describe('asynchronous requests', () => {
  it('asynchronous requests: 202, then state, progress and result of the very status, headers and bytes', async (t) => {
    const { url, reports } = await scene(scopeOf(t));
    const accepted = await post(`${url}/reports`, { mode: 'wait' });
    assert.equal(accepted.status, 202);
    assert.equal(accepted.headers.get('preference-applied'), 'respond-async');
    assert.equal(accepted.headers.get('retry-after'), '1');
    const status = (await accepted.json()) as Status;
    assert.equal(accepted.headers.get('location'), `/requests/${status.id}`);
    assert.ok(['accepted', 'running'].includes(status.state), status.state);
    await within(reports.started.promise, 'the handler');
    const early = await fetch(url + status.links.result);
    assert.equal(early.status, 409);
    assert.equal(early.headers.get('retry-after'), '1');
    assert.equal(((await early.json()) as { code: string }).code, 'REQUEST_RUNNING');
    reports.release.resolve();
    const last = await ended(url, status);
    assert.equal(last.state, 'succeeded');
    assert.deepEqual(last.progress, { done: 2, of: 2 });
    assert.deepEqual(last.outcome, { status: 200 });
    assert.deepEqual(await (await fetch(url + status.links.result)).json(), { made: 'late' });

    const file = (await (await post(`${url}/reports`, { mode: 'status' })).json()) as Status;
    await ended(url, file);
    const result = await fetch(url + file.links.result);
    assert.equal(result.status, 201);
    assert.equal(result.headers.get('content-type'), 'application/pdf');
    assert.equal(result.headers.get('x-pages'), '3');
    assert.equal(await result.text(), '%PDF');
  });

  it('asynchronous requests: without the preference, and of other operations, they are synchronous', async (t) => {
    const { url } = await scene(scopeOf(t));
    const optional = await post(`${url}/reports`, {}, {});
    assert.deepEqual([optional.status, await optional.json()], [200, { made: true }]);
    const plain = await post(`${url}/plain`);
    assert.equal(plain.status, 200);
    const required = await post(`${url}/required`, {}, {});
    assert.equal(required.status, 202);
    assert.equal(required.headers.get('preference-applied'), null);
  });

  it('asynchronous requests: wait=N answers with the reply if it is there in time', async (t) => {
    const { url, reports } = await scene(scopeOf(t));
    const prefer = 'respond-async, wait=20';
    const quick = await post(`${url}/reports`, {}, { prefer });
    assert.deepEqual([quick.status, await quick.json()], [200, { made: true }]);
    assert.equal(quick.headers.get('preference-applied'), 'wait=20');
    const slow = await post(`${url}/reports`, { mode: 'wait' }, { prefer: 'respond-async; foo, wait="0"' });
    assert.equal(slow.status, 202);
    reports.release.resolve();
  });

  it('asynchronous requests: an error of the handler is the result', async (t) => {
    const { url } = await scene(scopeOf(t));
    const status = (await (await post(`${url}/reports`, { mode: 'fail' })).json()) as Status;
    const last = await ended(url, status);
    assert.deepEqual([last.state, last.outcome], ['failed', { status: 409, code: 'NO_DATA' }]);
    const result = await fetch(url + status.links.result);
    assert.equal(result.status, 409);
    assert.equal(result.headers.get('content-type'), 'application/problem+json');
    const problem = (await result.json()) as { code: string; detail: string };
    assert.deepEqual([problem.code, problem.detail], ['NO_DATA', 'there is nothing to report']);
  });

  it('asynchronous requests: a result beyond stored.result is not stored, and the state says so', async (t) => {
    const { url } = await scene(scopeOf(t), { stored: { result: 1000 } });
    const status = (await (await post(`${url}/reports`, { mode: 'large' })).json()) as Status;
    assert.equal((await ended(url, status)).state, 'succeeded');
    const result = await fetch(url + status.links.result);
    assert.equal(result.status, 410);
    assert.equal(((await result.json()) as { code: string }).code, 'RESULT_TOO_LARGE');
  });

  it('asynchronous requests: DELETE aborts the signal of the handler', async (t) => {
    const { url, reports } = await scene(scopeOf(t));
    const status = (await (await post(`${url}/reports`, { mode: 'wait' })).json()) as Status;
    const { signal } = await within(reports.started.promise, 'the handler');
    const aborted = withResolvers<void>();
    signal.addEventListener('abort', () => aborted.resolve());
    const response = await fetch(url + status.links.self, { method: 'DELETE' });
    assert.ok([200, 202].includes(response.status));
    await within(aborted.promise, 'the abort');
    assert.equal((await ended(url, status)).state, 'cancelled');
    const again = await fetch(url + status.links.self, { method: 'DELETE' });
    assert.deepEqual([again.status, ((await again.json()) as Status).state], [200, 'cancelled']);
    const result = await fetch(url + status.links.result);
    assert.deepEqual(
      [result.status, ((await result.json()) as { code: string }).code],
      [409, 'REQUEST_CANCELLED'],
    );
    reports.release.resolve();
  });

  it('asynchronous requests: events show each state and progress, and end with the request', async (t) => {
    const { url, reports } = await scene(scopeOf(t));
    const status = (await (await post(`${url}/reports`, { mode: 'wait' })).json()) as Status;
    await within(reports.started.promise, 'the handler');
    const response = await fetch(url + status.links.events);
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    reports.release.resolve();
    const text = await within(response.text(), 'the end of the events');
    const states = [...text.matchAll(/^event: state\ndata: (.*)$/gm)].map(
      ([, json = '']) => JSON.parse(json) as Status,
    );
    assert.equal(states[0]?.state, 'running');
    assert.equal(states.at(-1)?.state, 'succeeded');
    assert.deepEqual(states.at(-1)?.progress, { done: 2, of: 2 });
    const missing = await fetch(`${url}/requests/none/events`);
    assert.deepEqual(
      [missing.status, ((await missing.json()) as { title: string }).title],
      [404, 'No such request'],
    );
  });

  it('asynchronous requests: are visible to their caller only', async (t) => {
    const { url } = await scene(scopeOf(t));
    const ann = { 'x-key': 'ann-ann-ann-ann-ann' };
    const bob = { 'x-key': 'bob-bob-bob-bob-bob' };
    const accepted = await post(`${url}/secret`, {}, { prefer: 'respond-async', ...ann });
    const status = (await accepted.json()) as Status;
    assert.equal((await ended(url, status, ann)).state, 'succeeded');
    for (const path of [status.links.self, status.links.result, status.links.events]) {
      assert.equal((await fetch(url + path, { headers: ann })).status, 200, path);
      for (const headers of [bob, {}] as Record<string, string>[]) {
        const other = await fetch(url + path, { headers });
        assert.equal(other.status, 404, path);
        assert.equal(((await other.json()) as { code: string }).code, 'REQUEST_NOT_FOUND');
      }
    }
    assert.equal((await fetch(url + status.links.self, { method: 'DELETE', headers: bob })).status, 404);
    const wrong = await fetch(url + status.links.self, { headers: { 'x-key': 'wrong-wrong-wrong-key' } });
    assert.equal(wrong.status, 401);
  });

  it('asynchronous requests: a key gives the former request, and other data 422', async (t) => {
    const { url, reports } = await scene(scopeOf(t));
    const headers = { prefer: 'respond-async', 'idempotency-key': '"k1"' };
    const first = (await (await post(`${url}/keyed`, {}, headers)).json()) as Status;
    await ended(url, first);
    const again = await post(`${url}/keyed`, {}, headers);
    assert.deepEqual([again.status, again.headers.get('idempotency-replayed')], [202, 'true']);
    assert.equal(((await again.json()) as Status).id, first.id);
    assert.equal((await post(`${url}/keyed`, { mode: 'status' }, headers)).status, 422);
    assert.equal(reports.runs, 1);
  });

  it('asynchronous requests: without a store, the preference is ignored, and x-async: required fails', async (t) => {
    const scope = scopeOf(t);
    const { router } = await startRouter(scope);
    const reports = new Reports();
    await startWorker(scope, { connection: router, handlers: { 'reports.make': reports.make } });
    const { url } = await ownServer(scope, { requester: router, api: api(), auth });
    assert.equal((await post(`${url}/reports`)).status, 200);
    const required = await post(`${url}/required`);
    assert.deepEqual(
      [required.status, ((await required.json()) as { code: string }).code],
      [503, 'STORE_UNAVAILABLE'],
    );
    assert.equal((await fetch(`${url}/requests/none`)).status, 404);
    const document = await (await fetch(`${url}/openapi.json`)).text();
    assert.doesNotMatch(document, /AsynchronousRequest|"202"/);
  });

  it('asynchronous requests: wait in the store for a worker, also over a restart of the gateway', async (t) => {
    const scope = scopeOf(t);
    const store = `sqlite:${join(tempFolder(scope), 'store.db')}`;
    const { router } = await startRouter(scope);
    const options = { requester: router, api: api(), store, auth };
    const first = await ownServer(scope, options);
    const status = (await (await post(`${first.url}/reports`)).json()) as Status;
    await first.gateway.close();
    const left = await openStore(store);
    assert.equal((await left.get(status.id))?.state, 'accepted');
    await left.close();
    const { url } = await ownServer(scope, options);
    const reports = new Reports();
    const worker = makeWorker(scope, { connection: router, handlers: { 'reports.make': reports.make } });
    await worker.start();
    assert.equal((await ended(url, status)).state, 'succeeded');
    assert.equal(reports.runs, 1);
  });

  it('asynchronous requests: those of a gateway that was killed run, are cancelled, or are unknown', async (t) => {
    const scope = scopeOf(t);
    const url = `sqlite:${join(tempFolder(scope), 'store.db')}`;
    const left = await openStore(url);
    const operation = { operation: 'POST /reports', requestId: 'r' };
    const request = {
      caller: '',
      event: 'reports.make',
      fingerprint: Buffer.from('f'),
      data: Buffer.from('{}'),
      metadata: Buffer.from(JSON.stringify(operation)),
      timeout: 60_000,
      retention: 60_000,
      owner: 'killed',
      lease: 60_000,
    };
    const cases = [
      { id: 'accepted', state: 'accepted', idempotent: false, ends: 'succeeded' },
      { id: 'running', state: 'running', idempotent: false, ends: 'unknown' },
      { id: 'idempotent', state: 'running', idempotent: true, ends: 'succeeded' },
      { id: 'cancelled', state: 'running', idempotent: true, ends: 'cancelled' },
    ] as const;
    for (const { id, state, idempotent } of cases) {
      await left.create({ ...request, id, state, idempotent });
    }
    await left.cancel('cancelled');
    await left.close();
    const hosted = await scene(scope, { store: url });
    for (const { id, ends } of cases) {
      const links = { self: `/requests/${id}`, result: '', events: '' };
      const { state } = await ended(hosted.url, { id, state: '', links });
      assert.equal(state, ends, id);
    }
    assert.equal(hosted.reports.runs, 2);
  });

  it('asynchronous requests: one that was running at the shutdown deadline is unknown, and never runs twice', async (t) => {
    const { url, gateway, reports, store, requester } = await scene(scopeOf(t));
    const status = (await (await post(`${url}/reports`, { mode: 'wait' })).json()) as Status;
    await within(reports.started.promise, 'the handler');
    await gateway.close({ deadline: 50 });
    const next = await ownServer(scopeOf(t), { requester, api: api(), store, auth });
    assert.equal((await ended(next.url, status)).state, 'unknown');
    const result = await fetch(next.url + status.links.result);
    const problem = (await result.json()) as { code: string; detail: string };
    assert.deepEqual([result.status, problem.code], [502, 'OUTCOME_UNKNOWN']);
    assert.match(problem.detail, /may have run/);
    assert.equal(reports.runs, 1);
    reports.release.resolve();
  });

  it('asynchronous requests: one that was queued at the shutdown deadline runs on the next gateway', async (t) => {
    const { url, gateway, reports, store, requester } = await scene(scopeOf(t), {}, 1);
    await post(`${url}/reports`, { mode: 'wait' });
    await within(reports.started.promise, 'the handler');
    const queued = (await (await post(`${url}/reports`)).json()) as Status;
    const state = async (): Promise<string> =>
      ((await (await fetch(url + queued.links.self)).json()) as Status).state;
    while ((await state()) !== 'running');
    await gateway.close({ deadline: 50 });
    const left = await openStore(store);
    assert.equal((await left.get(queued.id))?.state, 'accepted');
    await left.close();
    reports.release.resolve();
    const next = await ownServer(scopeOf(t), { requester, api: api(), store, auth });
    assert.equal((await ended(next.url, queued)).state, 'succeeded');
    assert.equal(reports.runs, 2);
  });

  it('asynchronous requests: a gateway that drains waits for those in flight', async (t) => {
    const { url, gateway, reports, store, requester } = await scene(scopeOf(t));
    const status = (await (await post(`${url}/reports`, { mode: 'wait' })).json()) as Status;
    await within(reports.started.promise, 'the handler');
    const polling = fetch(url + status.links.self, { headers: { prefer: 'wait=20' } });
    const closed = gateway.close({ deadline: PATIENCE });
    assert.equal(((await (await within(polling, 'the poll')).json()) as Status).state, 'running');
    reports.release.resolve();
    await within(closed, 'the end of the gateway');
    const next = await ownServer(scopeOf(t), { requester, api: api(), store, auth });
    assert.equal((await ended(next.url, status)).state, 'succeeded');
  });

  it('asynchronous requests: the document has their operations, 202 and Prefer', async (t) => {
    const { url } = await scene(scopeOf(t));
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: Record<
        string,
        Record<string, { responses: object; parameters?: { name: string }[]; security?: object[] }>
      >;
    };
    const { paths } = document;
    assert.deepEqual(
      Object.keys(paths).filter((path) => path.startsWith('/requests')),
      ['/requests/{id}', '/requests/{id}/result', '/requests/{id}/events'],
    );
    assert.ok('202' in (paths['/reports']?.['post']?.responses ?? {}));
    assert.ok(!('202' in (paths['/plain']?.['post']?.responses ?? {})));
    const names = paths['/reports']?.['post']?.parameters?.map(({ name }) => name);
    assert.deepEqual(names, ['Prefer']);
    // With the credentials of any asynchronous operation; some need none.
    assert.deepEqual(paths['/requests/{id}']?.['get']?.security, [{}, { key: [] }]);
  });
});
