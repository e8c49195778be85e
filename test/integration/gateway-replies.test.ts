/** Replies of workers as HTTP responses. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { request } from 'undici';
import { failure } from '../../src/core/messages/message.ts';
import { OUTCOMES, type OutcomeCode } from '../../src/core/messages/outcome.ts';
import type { GatewaySettingsInput } from '../../src/gateway/index.ts';
import { HOSTS, type Hosted, problemOf } from '../helpers/gateway/hosts.ts';
import { type FakeHandler, FakeRequester, replyOf, SILENCE } from '../helpers/gateway/requester.ts';
import { api } from './reply-api.ts';

for (const [name, host] of HOSTS) {
  describe(`replies on ${name}`, () => {
    const open = (
      t: TestContext,
      handlers: Record<string, FakeHandler> = {},
      settings: GatewaySettingsInput = {},
    ): Promise<Hosted & { requester: FakeRequester }> => {
      const requester = new FakeRequester(handlers);
      return host(t, { requester, api, ...settings }).then((hosted) => ({ ...hosted, requester }));
    };

    for (const code of Object.keys(OUTCOMES) as OutcomeCode[]) {
      it(`replies on ${name}: ${code} becomes ${OUTCOMES[code].status}`, async (t) => {
        const { url } = await open(t, { 'get.x': () => failure(code, 'why it failed') });
        const response = await fetch(`${url}/x`);
        const problem = await problemOf(response);
        const { status, title, dispatched = false } = OUTCOMES[code];
        assert.deepEqual(
          {
            status: problem.status,
            title: problem.title,
            code: problem.code,
            dispatched: problem.dispatched,
          },
          { status, title, code, dispatched },
        );
        assert.equal(problem.type, `urn:zeromq-gateway:error:${code}`);
        assert.equal(response.headers.get('retry-after'), status === 503 ? '1' : null);
        assert.equal(response.headers.get('cache-control'), 'no-store');
        const hidden = ['HANDLER_ERROR', 'BAD_REPLY', 'NOT_PERMITTED'].includes(code);
        assert.equal(problem.detail, hidden ? OUTCOMES[code].meaning : 'why it failed');
      });
    }

    it(`replies on ${name}: a worker's own error keeps its status, code, details and headers`, async (t) => {
      const error = {
        error: {
          code: 'TASK_LOCKED',
          message: 'Another caller edits it.',
          dispatched: true,
          details: { by: 'eva' },
        },
      };
      const reply = replyOf(error, {
        status: 423,
        headers: { 'x-hint': 'wait', 'retry-after': '9', etag: '"a"' },
      });
      const { url } = await open(t, { 'get.x': () => ({ ...reply, code: 'TASK_LOCKED' }) });
      const response = await fetch(`${url}/x`);
      const problem = await problemOf(response);
      assert.equal(problem.status, 423);
      assert.equal(problem.code, 'TASK_LOCKED');
      assert.equal(problem.detail, 'Another caller edits it.');
      assert.deepEqual(problem.details, { by: 'eva' });
      assert.equal(response.headers.get('x-hint'), 'wait');
      assert.equal(response.headers.get('retry-after'), '9');
      assert.equal(response.headers.get('etag'), null);
    });

    it(`replies on ${name}: errors that a worker found are located in the HTTP request`, async (t) => {
      const errors = ['/id', '/limit', '/title', '/tags/0'].map((pointer) => ({
        pointer,
        message: 'is wrong',
      }));
      const { url } = await open(t, {
        'post.mixed.id': () => failure('INVALID_REQUEST', 'no', { details: { errors } }),
      });
      const init = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
      const problem = await problemOf(await fetch(`${url}/mixed/a`, init));
      const places = ['/path/id', '/query/limit', '/body/title', '/body/tags/0'];
      assert.deepEqual(
        problem.errors,
        places.map((pointer) => ({ pointer, detail: 'is wrong' })),
      );
    });

    it(`replies on ${name}: bytes are forwarded unchanged`, async (t) => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      const large = Buffer.concat(Array.from({ length: 200 }, () => bytes));
      for (const body of [Buffer.from(' {"a" : 1e999}'), bytes, large, Buffer.alloc(0)]) {
        const { url } = await open(t, {
          'get.x': () => replyOf(body, { contentType: 'application/octet-stream' }),
        });
        const response = await fetch(`${url}/x`);
        assert.deepEqual(Buffer.from(await response.arrayBuffer()), body);
        assert.equal(response.headers.get('content-length'), String(body.length));
      }
    });

    it(`replies on ${name}: status, type and headers of the worker are sent`, async (t) => {
      const headers = {
        location: '/x/7',
        'X-Made-By': 'me',
        'set-cookie': 'a=1; Path=/',
        vary: 'Accept-Language',
      };
      const { url } = await open(t, {
        'get.x': () => replyOf({}, { status: 201, headers, contentType: 'application/vnd.a+json' }),
      });
      const response = await fetch(`${url}/x`);
      assert.equal(response.status, 201);
      const prefix = new URL(url).pathname.replace(/\/$/, '');
      assert.equal(response.headers.get('location'), `${prefix}/x/7`);
      assert.equal(response.headers.get('x-made-by'), 'me');
      assert.equal(response.headers.get('set-cookie'), 'a=1; Path=/');
      assert.equal(response.headers.get('content-type'), 'application/vnd.a+json');
      assert.match(response.headers.get('vary') ?? '', /Accept-Language/);
    });

    it(`replies on ${name}: a 204 has no body and no length`, async (t) => {
      const { url } = await open(t, { 'delete.x': () => replyOf(null, { status: 204 }) });
      const response = await fetch(`${url}/x`, { method: 'DELETE' });
      assert.equal(response.status, 204);
      assert.equal(response.headers.get('content-length'), null);
      assert.equal(response.headers.get('content-type'), null);
      assert.equal(await response.text(), '');
    });

    it(`replies on ${name}: workers cannot set headers of the connection or inject headers`, async (t) => {
      const headers = {
        connection: 'upgrade',
        'Transfer-Encoding': 'chunked',
        'content-length': '1',
        'keep-alive': 'x',
        upgrade: 'h2c',
        trailer: 'x',
        'request-id': 'mine',
        'access-control-allow-origin': '*',
        'x-split': 'a\r\nx-injected: 1',
        'x-wide': '€',
        'x-nul': 'a\0',
        'bad name': 'x',
        'x-number': 5 as unknown as string,
        'x-fine': 'ä',
      };
      const { url } = await open(t, { 'get.x': () => replyOf({}, { headers }) });
      const response = await request(`${url}/x`);
      assert.equal(response.statusCode, 200);
      assert.equal(await response.body.text(), '{}');
      const sent = Object.keys(response.headers).filter(
        (header) => Object.keys(headers).includes(header) || header.startsWith('x-'),
      );
      const ours = [
        'x-content-type-options',
        'x-dns-prefetch-control',
        'x-download-options',
        'x-frame-options',
      ];
      ours.push('x-permitted-cross-domain-policies', 'x-xss-protection', 'x-theirs');
      const rest = sent.filter((header) => !ours.includes(header)).sort();
      assert.deepEqual(rest, ['connection', 'content-length', 'keep-alive', 'request-id', 'x-fine']);
      assert.notEqual(response.headers['request-id'], 'mine');
    });

    const bad: [title: string, reply: object][] = [
      ['status 99', { status: 99 }],
      ['status 200.5', { status: 200.5 }],
      ['status 600', { status: 600 }],
      ['a media type with a line break', { contentType: 'text/plain\r\nx: y' }],
      ['an invalid media type', { contentType: 'rubbish' }],
    ];
    for (const [title, options] of bad) {
      it(`replies on ${name}: ${title} becomes BAD_REPLY`, async (t) => {
        const { url } = await open(t, { 'get.x': () => replyOf({}, options) });
        assert.equal((await problemOf(await fetch(`${url}/x`))).code, 'BAD_REPLY');
      });
    }

    it(`replies on ${name}: extras that are not JSON are ignored`, async (t) => {
      for (const extras of ['{', 'null', '[]', '{"headers":5}', '{"headers":null,"timing":"x"}']) {
        const { url } = await open(t, { 'get.x': () => ({ ...replyOf({}), extras: Buffer.from(extras) }) });
        assert.equal((await fetch(`${url}/x`)).status, 200);
      }
    });

    it(`replies on ${name}: the requester gets event, timeout, idempotence, id, trace and key`, async (t) => {
      const { url, requester } = await open(t, {}, { timeout: 4321 });
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      await fetch(`${url}/sticky/eva`, { headers: { traceparent, tracestate: 'a=b', 'request-id': 'me-1' } });
      const [first] = requester.requests;
      assert.equal(first?.eventName, 'get.sticky.id');
      assert.equal(first?.timeout, 4321);
      assert.equal(first?.idempotent, true);
      assert.equal(first?.requestId, 'me-1');
      assert.deepEqual(JSON.parse(JSON.stringify(first?.extras)), {
        traceparent,
        tracestate: 'a=b',
        key: 'eva',
      });
      await fetch(`${url}/x`, {
        headers: { traceparent: '00-00000000000000000000000000000000-b7ad6b7169203331-01' },
      });
      assert.equal(requester.requests[1]?.extras, undefined);
      await fetch(`${url}/x`, { method: 'POST', body: '1', headers: { 'content-type': 'application/json' } });
      assert.equal(requester.requests[2]?.idempotent, false);
    });

    it(`replies on ${name}: a valid Request-Id is kept, another one is replaced`, async (t) => {
      const { url } = await open(t);
      const idOf = async (given?: string): Promise<string | null> => {
        const response = await fetch(`${url}/x`, {
          headers: given === undefined ? {} : { 'request-id': given },
        });
        return response.headers.get('request-id');
      };
      assert.equal(await idOf('abc-123'), 'abc-123');
      const made = await Promise.all([
        idOf(),
        idOf(),
        idOf('has space'),
        idOf('x'.repeat(129)),
        idOf('<script>'),
      ]);
      assert.equal(new Set(made).size, 5);
      for (const one of made) assert.match(one ?? '', /^[\w-]{12}-[0-9a-z]+$/);
    });

    it(`replies on ${name}: the timeout comes from the document or the request, within its bounds`, async (t) => {
      const { url, requester } = await open(t, {}, { maxTimeout: 10_000 });
      const timeout = async (path: string, header?: string): Promise<number | undefined> => {
        const response = await fetch(url + path, {
          headers: header === undefined ? {} : { 'request-timeout': header },
        });
        return response.status === 200 ? requester.requests.at(-1)?.timeout : undefined;
      };
      assert.equal(await timeout('/slow'), 1234);
      assert.equal(await timeout('/slow', '250'), 250);
      assert.equal(await timeout('/x', '99999'), 10_000);
      for (const wrong of ['0', '-5', '1.5', '5s', '1e3'])
        assert.equal(await timeout('/x', wrong), undefined);
    });

    it(`replies on ${name}: a disconnected client cancels the request down to the worker`, async (t) => {
      const { url, requester } = await open(t, { 'get.x': () => SILENCE });
      const cancelled = new Promise<void>((resolve) => {
        requester.onCancel = resolve;
      });
      const controller = new AbortController();
      const response = fetch(`${url}/x`, { signal: controller.signal });
      while (requester.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      await assert.rejects(response);
      await cancelled;
      assert.equal(requester.cancelled.length, 1);
    });

    it(`replies on ${name}: requests above the limit in flight are rejected, and the count is correct`, async (t) => {
      const waiting: (() => void)[] = [];
      const handlers = { 'get.x': () => new Promise((resolve) => waiting.push(() => resolve('done'))) };
      const { url } = await open(t, handlers, { limits: { inFlight: 2 } });
      const first = [fetch(`${url}/x`), fetch(`${url}/x`)];
      while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve));
      const refused = await fetch(`${url}/x`);
      assert.equal(refused.headers.get('retry-after'), '1');
      assert.equal((await problemOf(refused)).code, 'BUSY');
      assert.equal((await fetch(`${url}/livez`)).status, 200);
      waiting.forEach((settle) => settle());
      for (const response of await Promise.all(first)) assert.equal(await response.text(), '"done"');
      const again = fetch(`${url}/x`);
      while (waiting.length < 3) await new Promise((resolve) => setImmediate(resolve));
      waiting[2]?.();
      assert.equal((await again).status, 200);
    });

    it(`replies on ${name}: the media type is negotiated`, async (t) => {
      const { url } = await open(t);
      const status = async (path: string, accept: string): Promise<number> =>
        (await fetch(url + path, { headers: { accept } })).status;
      assert.equal(await status('/typed', 'text/html'), 406);
      assert.equal(await status('/typed', 'application/json;q=0, */*'), 406);
      assert.equal(await status('/csv', 'application/json'), 406);
      assert.equal(await status('/csv', 'text/*'), 200);
      assert.equal(await status('/ranged', 'image/png'), 200);
      for (const accept of [
        '*/*',
        'application/*',
        'text/html, application/json;q=0.1',
        'APPLICATION/JSON',
      ]) {
        assert.equal(await status('/typed', accept), 200);
      }
      assert.equal(await status('/x', 'text/html'), 200);
    });

    it(`replies on ${name}: deprecation and sunset are announced`, async (t) => {
      const { url } = await open(t);
      const { headers } = await fetch(`${url}/old`);
      assert.equal(headers.get('deprecation'), '@0');
      assert.equal(headers.get('sunset'), 'Tue, 01 Jan 2030 00:00:00 GMT');
      const older = await fetch(`${url}/older`);
      assert.equal(older.headers.get('deprecation'), '@1709251200');
    });

    it(`replies on ${name}: timings are sent on request`, async (t) => {
      const handlers = { 'get.x': () => replyOf({}, { timing: { queue: 1.234, handler: 5 } }) };
      const { url } = await open(t, handlers);
      assert.equal((await fetch(`${url}/x`)).headers.get('server-timing'), null);
      const { headers } = await fetch(`${url}/x`, { headers: { prefer: 'wait=5, server-timing' } });
      assert.match(headers.get('server-timing') ?? '', /^queue;dur=1\.23, handler;dur=5, total;dur=[\d.]+$/);
      assert.equal(headers.get('preference-applied'), 'server-timing');
      const always = await open(t, handlers, { serverTiming: 'always' });
      assert.notEqual((await fetch(`${always.url}/x`)).headers.get('server-timing'), null);
      const never = await open(t, handlers, { serverTiming: 'never' });
      assert.equal(
        (await fetch(`${never.url}/x`, { headers: { prefer: 'server-timing' } })).headers.get(
          'server-timing',
        ),
        null,
      );
    });

    it(`replies on ${name}: security headers are sent, and the software is not revealed`, async (t) => {
      const { url } = await open(t);
      for (const path of ['/x', '/nothing', '/livez', '/openapi.json', '/docs/']) {
        const { headers } = await fetch(url + path);
        assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
        assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/, path);
        assert.notEqual(headers.get('strict-transport-security'), null, path);
        if (!url.endsWith('/api')) assert.equal(headers.get('x-powered-by'), null, path);
        assert.equal(headers.get('server'), null, path);
      }
      const without = await open(t, {}, { helmet: false });
      assert.equal((await fetch(`${without.url}/x`)).headers.get('x-content-type-options'), null);
    });

    it(`replies on ${name}: larger replies are compressed as the client prefers`, async (t) => {
      const data = { text: 'lorem ipsum '.repeat(1000) };
      const { url } = await open(t, { 'get.x': () => replyOf(data, { headers: { etag: '"v1"' } }) });
      const get = async (coding: string): Promise<{ headers: Record<string, unknown>; body: Buffer }> => {
        const { headers, body } = await request(`${url}/x`, {
          headers: coding === '' ? {} : { 'accept-encoding': coding },
        });
        return { headers, body: Buffer.from(await body.arrayBuffer()) };
      };
      const plain = await get('');
      assert.equal(plain.headers['content-encoding'], undefined);
      assert.match(String(plain.headers['vary']), /Accept-Encoding/);
      assert.equal(plain.headers['etag'], '"v1"');
      const br = await get('gzip, deflate, br');
      assert.equal(br.headers['content-encoding'], 'br');
      assert.deepEqual(JSON.parse(brotliDecompressSync(br.body).toString()), data);
      assert.equal(br.headers['etag'], '"v1-br"');
      const gzip = await get('gzip, br;q=0.5');
      assert.equal(gzip.headers['content-encoding'], 'gzip');
      assert.deepEqual(JSON.parse(gunzipSync(gzip.body).toString()), data);
      assert.equal((await get('zstd')).headers['content-encoding'], undefined);
      assert.equal((await get('identity, *;q=0')).headers['content-encoding'], undefined);
      const off = await open(t, { 'get.x': () => data }, { compression: false });
      const response = await request(`${off.url}/x`, { headers: { 'accept-encoding': 'br' } });
      assert.equal(response.headers['content-encoding'], undefined);
      await response.body.dump();
    });

    it(`replies on ${name}: small and compressed replies are not compressed`, async (t) => {
      const small = await open(t);
      assert.equal((await fetch(`${small.url}/x`)).headers.get('vary'), null);
      const image = replyOf(Buffer.alloc(10_000), { contentType: 'image/png' });
      const other = await open(t, { 'get.x': () => image });
      assert.equal((await fetch(`${other.url}/x`)).headers.get('content-encoding'), null);
    });
  });
}
