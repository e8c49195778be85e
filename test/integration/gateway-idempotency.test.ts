/** Idempotency keys of synchronous requests, with a store in SQLite. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { failure } from '../../src/core/messages/message.ts';
import { SILENT } from '../../src/gateway/common/api-source.ts';
import type { GatewayOptions } from '../../src/gateway/index.ts';
import { unavailable } from '../../src/store/model/errors.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { within } from '../helpers/eventually.ts';
import { apiOf, jsonBody } from '../helpers/gateway/api.ts';
import { HOSTS, type Host, type Hosted, ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { type FakeHandler, FakeRequester, replyOf, SILENCE } from '../helpers/gateway/requester.ts';
import { tempFolder } from '../helpers/temp.ts';

const body = jsonBody({ type: 'object', properties: { n: { type: 'integer' } } });

const api = apiOf(
  {
    '/orders': { post: { 'x-idempotency': 'optional', ...body } },
    '/payments': { post: { 'x-idempotency': 'required', ...body } },
    '/totals': { post: { 'x-idempotency': 'optional', 'x-idempotent': true, ...body } },
    '/short': { post: { 'x-idempotency': 'optional', 'x-timeout-ms': 60, ...body } },
    '/mine': { patch: { 'x-idempotency': 'optional', security: [{ key: [] }], ...body } },
    '/plain': { post: body },
  },
  { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } } },
);
const [ANN, BOB] = ['the-key-of-ann-1', 'the-key-of-bob-2'] as const;
const auth = {
  schemes: {
    key: {
      type: 'apiKey',
      keys: [
        { id: 'ann', key: ANN },
        { id: 'bob', key: BOB },
      ],
    },
  },
} as const;

type Finish = Parameters<SqliteStore['finish']>;

interface Keyed extends Hosted {
  readonly requester: FakeRequester;
  readonly send: (
    path: string,
    key?: string,
    data?: object,
    headers?: Record<string, string>,
  ) => Promise<Response>;
}

async function start(
  t: TestContext,
  handlers: Record<string, FakeHandler> = {},
  { host = ownServer, ...options }: Omit<Partial<GatewayOptions>, 'host'> & { host?: Host } = {},
): Promise<Keyed> {
  const requester = new FakeRequester(handlers);
  const store = `sqlite:${join(tempFolder(t), 'store.db')}`;
  const hosted = await host(t, { requester, api, auth, store, ...options });
  const send: Keyed['send'] = (path, key, data = { n: 1 }, headers = {}) =>
    fetch(hosted.url + path, {
      method: path === '/mine' ? 'PATCH' : 'POST',
      body: JSON.stringify(data),
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...headers,
      },
    });
  return { ...hosted, requester, send };
}

async function codeOf(response: Response): Promise<string> {
  return (await problemOf(response)).code;
}

for (const [name, host] of HOSTS) {
  describe(`idempotency keys on ${name}`, () => {
    it(`idempotency keys on ${name}: a retry gets status, headers and bytes of the first reply`, async (t) => {
      let runs = 0;
      const { send, requester } = await start(
        t,
        {
          'post.orders': () => {
            runs += 1;
            return replyOf({ run: runs }, { status: 201, headers: { Location: '/orders/7', 'X-A': 'b' } });
          },
        },
        { host },
      );
      const first = await send('/orders', '"k1"');
      const second = await send('/orders', 'k1');
      for (const response of [first, second]) {
        assert.equal(response.status, 201);
        assert.equal(response.headers.get('x-a'), 'b');
        assert.match(response.headers.get('location') ?? '', /\/orders\/7$/);
        assert.equal(response.headers.get('content-type'), 'application/json');
        assert.equal(await response.text(), '{"run":1}');
      }
      assert.equal(first.headers.get('location'), second.headers.get('location'));
      assert.equal(first.headers.get('idempotency-replayed'), null);
      assert.equal(second.headers.get('idempotency-replayed'), 'true');
      assert.notEqual(first.headers.get('request-id'), second.headers.get('request-id'));
      assert.equal(requester.requests.length, 1);
      assert.equal(await (await send('/orders', '"k2"')).text(), '{"run":2}');
    });
  });
}

describe('idempotency keys', () => {
  it('idempotency keys: the worker receives the key', async (t) => {
    const { send, requester } = await start(t);
    await send('/orders', '"8e03978e-40d5"');
    await send('/orders');
    const keys = requester.requests.map(({ extras }) => extras?.idempotencyKey);
    assert.deepEqual(keys, ['8e03978e-40d5', undefined]);
  });

  it('idempotency keys: a request without a key runs each time, unless a key is required', async (t) => {
    const { send, requester } = await start(t);
    assert.equal((await send('/orders')).status, 200);
    assert.equal((await send('/orders')).status, 200);
    assert.equal(await codeOf(await send('/payments')), 'IDEMPOTENCY_KEY_MISSING');
    assert.equal(await codeOf(await send('/orders', 'a b')), 'IDEMPOTENCY_KEY_INVALID');
    assert.equal((await send('/payments', '"p"')).status, 200);
    assert.equal(requester.requests.length, 3);
  });

  it('idempotency keys: an operation without x-idempotency ignores the header', async (t) => {
    const { send, requester } = await start(t);
    await send('/plain', '"k"');
    await send('/plain', '"k"', { n: 2 });
    assert.equal(requester.requests.length, 2);
    assert.equal(requester.requests[0]?.extras?.idempotencyKey, undefined);
  });

  it('idempotency keys: a retry with other data is rejected with 422', async (t) => {
    const { send, requester } = await start(t);
    await send('/orders', '"k"', { n: 1 });
    const response = await send('/orders', '"k"', { n: 2 });
    assert.equal(response.status, 422);
    assert.equal(await codeOf(response), 'IDEMPOTENCY_KEY_REUSED');
    assert.equal(requester.requests.length, 1);
  });

  it('idempotency keys: a retry while the first request runs is rejected with 409', async (t) => {
    let finish: (value: unknown) => void = () => undefined;
    const running = new Promise((resolve) => {
      finish = resolve;
    });
    const { send, requester } = await start(t, { 'post.orders': () => running });
    const first = send('/orders', '"k"');
    let second: Response;
    do second = await send('/orders', '"k"');
    while (requester.requests.length === 0);
    assert.equal(second.status, 409);
    assert.equal(second.headers.get('retry-after'), '1');
    assert.equal(await codeOf(second), 'IDEMPOTENCY_KEY_RUNNING');
    finish({ done: true });
    assert.deepEqual(await (await first).json(), { done: true });
    assert.deepEqual(await (await send('/orders', '"k"')).json(), { done: true });
    assert.equal(requester.requests.length, 1);
  });

  it('idempotency keys: of many concurrent requests with the same key, one runs', async (t) => {
    const { send, requester } = await start(t);
    const responses = await Promise.all(Array.from({ length: 20 }, () => send('/orders', '"k"')));
    for (const { status } of responses) assert.ok(status === 200 || status === 409, String(status));
    assert.equal(requester.requests.length, 1);
  });

  it('idempotency keys: keys of other callers and of other events are other keys', async (t) => {
    const { send, requester } = await start(t);
    for (const key of [ANN, BOB]) {
      for (const again of [null, 'true']) {
        const response = await send('/mine', '"k"', { n: 1 }, { 'x-key': key });
        assert.equal(response.headers.get('idempotency-replayed'), again);
      }
    }
    await send('/orders', '"k"');
    assert.equal(requester.requests.length, 3);
    assert.equal((await send('/mine', '"k"')).status, 401);
  });

  it('idempotency keys: an error of the handler is stored, a request that did not run is not', async (t) => {
    const replies = [failure('NO_WORKER', 'no worker'), failure('HANDLER_ERROR', 'it broke')];
    const { send, requester } = await start(t, { 'post.orders': () => replies.shift() });
    assert.equal(await codeOf(await send('/orders', '"k"')), 'NO_WORKER');
    const failed = await send('/orders', '"k"');
    assert.equal(failed.status, 500);
    const again = await send('/orders', '"k"');
    assert.equal(again.status, 500);
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    assert.equal(await again.text(), await failed.text());
    assert.equal(requester.requests.length, 2);
  });

  it('idempotency keys: after a lost reply, the outcome is unknown and the request never runs again', async (t) => {
    const { send, requester } = await start(t, {
      'post.orders': () => failure('WORKER_LOST', 'the worker is gone'),
      'post.short': () => failure('TIMEOUT', 'too late'),
    });
    for (const [path, code] of [
      ['/orders', 'WORKER_LOST'],
      ['/short', 'TIMEOUT'],
    ] as const) {
      assert.equal(await codeOf(await send(path, '"k"')), code);
      const retry = await send(path, '"k"');
      assert.equal(retry.status, 502);
      const problem = await problemOf(retry);
      assert.equal(problem.code, 'OUTCOME_UNKNOWN');
      assert.equal(problem.dispatched, true);
      assert.match(problem.detail, new RegExp(`\\(${code}\\).*Check whether it took effect`));
    }
    assert.equal(requester.requests.length, 2);
  });

  it('idempotency keys: an idempotent operation runs again after a lost reply', async (t) => {
    const replies = [failure('WORKER_LOST', 'gone'), replyOf({ total: 3 })];
    const { send } = await start(t, { 'post.totals': () => replies.shift() });
    assert.equal((await send('/totals', '"k"')).status, 502);
    assert.deepEqual(await (await send('/totals', '"k"')).json(), { total: 3 });
    assert.equal((await send('/totals', '"k"')).headers.get('idempotency-replayed'), 'true');
  });

  it('idempotency keys: the request goes on without its client, and a retry finds the reply', async (t) => {
    let finish: (value: unknown) => void = () => undefined;
    const running = new Promise((resolve) => {
      finish = resolve;
    });
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const { send, requester, port, gateway } = await start(t, {
      'post.orders': () => {
        begin();
        return running;
      },
    });
    const client = httpRequest({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/orders',
      headers: { 'content-type': 'application/json', 'idempotency-key': '"k"' },
    });
    client.on('error', () => undefined);
    client.end('{"n":1}');
    await begun;
    await new Promise((resolve) => client.on('close', resolve).destroy());
    assert.equal((await send('/orders', '"k"')).status, 409);
    assert.equal(gateway.inFlight, 1);
    finish({ done: true });
    let retry: Response;
    do retry = await send('/orders', '"k"');
    while (retry.status === 409);
    assert.deepEqual(await retry.json(), { done: true });
    assert.equal(requester.cancelled.length, 0);
    assert.equal(requester.requests.length, 1);
    assert.equal(gateway.inFlight, 0);
  });

  it('idempotency keys: a reply above stored.result is sent, and a retry gets 410', async (t) => {
    const { send, requester } = await start(
      t,
      { 'post.orders': () => ({ text: 'x'.repeat(500) }) },
      { stored: { result: 100 } },
    );
    assert.equal((await send('/orders', '"k"')).status, 200);
    assert.equal(await codeOf(await send('/orders', '"k"')), 'RESULT_TOO_LARGE');
    assert.equal(requester.requests.length, 1);
  });

  it('idempotency keys: a caller at its limit gets 429, a full store 503, and nothing runs', async (t) => {
    const { send, requester } = await start(t, {}, { stored: { requestsPerCaller: 1, requests: 2 } });
    assert.equal((await send('/mine', '"a"', {}, { 'x-key': ANN })).status, 200);
    const quota = await send('/mine', '"b"', {}, { 'x-key': ANN });
    assert.deepEqual([quota.status, quota.headers.get('retry-after')], [429, '60']);
    assert.equal(await codeOf(quota), 'STORE_QUOTA');
    assert.equal((await send('/mine', '"a"', {}, { 'x-key': BOB })).status, 200);
    const full = await send('/orders', '"c"');
    assert.deepEqual([full.status, full.headers.get('retry-after')], [503, '60']);
    assert.equal(await codeOf(full), 'STORE_FULL');
    assert.equal(requester.requests.length, 2);
    assert.equal((await send('/orders')).status, 200);
  });

  it('idempotency keys: hooks see the first request, and a replay runs none for events and replies', async (t) => {
    const calls: string[] = [];
    const { send } = await start(
      t,
      {},
      {
        hooks: {
          onRequest: () => void calls.push('request'),
          onEvent: (event) => {
            calls.push('event');
            event.data = { ...(event.data as object), at: calls.length };
          },
          onReply: (reply) => {
            calls.push('reply');
            reply.headers['x-hook'] = String(calls.length);
          },
        },
      },
    );
    const first = await send('/orders', '"k"');
    const again = await send('/orders', '"k"');
    assert.deepEqual(calls, ['request', 'event', 'reply', 'request']);
    assert.equal(again.headers.get('x-hook'), first.headers.get('x-hook'));
    assert.equal(await again.text(), await first.text());
  });

  it('idempotency keys: without a store, a warning names the events, and requests with a key get 503', async (t) => {
    const warnings: unknown[] = [];
    const logger = {
      ...SILENT,
      warn: (fields: object) => void warnings.push((fields as { events: unknown }).events),
    };
    const { send, requester, url } = await start(t, {}, { store: undefined, logger });
    assert.deepEqual(warnings, [['post.orders', 'post.payments', 'post.totals', 'post.short', 'patch.mine']]);
    assert.equal(await codeOf(await send('/orders', '"k"')), 'STORE_UNAVAILABLE');
    assert.equal(requester.requests.length, 0);
    assert.equal((await send('/orders')).status, 200);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
  });

  it('idempotency keys: while the store cannot be opened, nothing runs and /readyz has the reason', async (t) => {
    const first = await start(t);
    const file = join(tempFolder(t), 'shared.db');
    await start(t, {}, { store: `sqlite:${file}` }).then(({ send }) => send('/orders', '"k"'));
    const { send, requester, url } = await start(t, {}, { store: `sqlite:${file}` });
    const response = await send('/orders', '"k"');
    assert.equal(await codeOf(response), 'STORE_UNAVAILABLE');
    assert.equal(response.headers.get('retry-after'), '1');
    assert.equal(requester.requests.length, 0);
    const readiness = await fetch(`${url}/readyz`);
    assert.equal(readiness.status, 503);
    const { reasons } = (await readiness.json()) as { reasons: { code: string; detail: string }[] };
    assert.equal(reasons[0]?.code, 'STORE_UNAVAILABLE');
    assert.match(reasons[0]?.detail ?? '', /another process uses it/);
    assert.equal((await send('/orders')).status, 200);
    assert.equal((await fetch(`${first.url}/readyz`)).status, 200);
  });

  it('idempotency keys: a reply that cannot be stored is not sent until it is, and does not run again', async (t) => {
    const { send, requester } = await start(t, { 'post.orders': () => replyOf({ n: 2 }) });
    const finish = Reflect.get(SqliteStore.prototype, 'finish');
    let calls = 0;
    const stored = new Promise<void>((resolve) => {
      t.mock.method(SqliteStore.prototype, 'finish', async function (this: SqliteStore, ...args: Finish) {
        calls += 1;
        if (calls === 1) throw unavailable('the disk is full');
        const done = await finish.apply(this, args);
        resolve();
        return done;
      });
    });
    const problem = await problemOf(await send('/orders', '"k"'));
    assert.deepEqual([problem.code, problem.status, problem.dispatched], ['STORE_UNAVAILABLE', 503, true]);
    await within(stored, 'the reply to be stored');
    const retry = await send('/orders', '"k"');
    assert.equal(retry.headers.get('idempotency-replayed'), 'true');
    assert.deepEqual(await retry.json(), { n: 2 });
    assert.equal(requester.requests.length, 1);
  });

  it('idempotency keys: the document describes the header and its responses', async (t) => {
    const { gateway } = await start(t);
    const { paths = {} } = gateway.openapi();
    const operation = paths['/payments']?.post as {
      parameters: { name: string; in: string; required: boolean }[];
      responses: Record<string, unknown>;
    };
    const [key] = operation.parameters;
    assert.deepEqual([key?.name, key?.in, key?.required], ['Idempotency-Key', 'header', true]);
    for (const status of ['400', '409', '410', '422', '503']) assert.ok(operation.responses[status], status);
    assert.equal(Object.hasOwn(paths['/plain']?.post?.responses ?? {}, '422'), false);
  });

  it('idempotency keys: a gateway that closes stores the outcomes of its requests', async (t) => {
    const store = `sqlite:${join(tempFolder(t), 'store.db')}`;
    const { send, gateway, requester } = await start(t, { 'post.orders': () => SILENCE }, { store });
    const lost = send('/orders', '"k"').catch(() => undefined);
    while (requester.requests.length === 0) await send('/plain');
    await gateway.close({ deadline: 0 });
    await lost;
    const next = await start(t, {}, { store });
    assert.equal(await codeOf(await next.send('/orders', '"k"')), 'OUTCOME_UNKNOWN');
    assert.equal(next.requester.requests.length, 0);
  });
});
