/** Conditional requests (RFC 9110), and replies that violate the document. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { failure } from '../../src/core/messages/message.ts';
import type { GatewaySettingsInput } from '../../src/gateway/index.ts';
import { HOSTS, type Hosted, problemOf } from '../helpers/gateway/hosts.ts';
import { type FakeHandler, FakeRequester, replyOf } from '../helpers/gateway/requester.ts';
import { api } from './reply-api.ts';

for (const [name, host] of HOSTS) {
  describe(`conditional requests and checked replies on ${name}`, () => {
    const open = (
      t: TestContext,
      handlers: Record<string, FakeHandler> = {},
      settings: GatewaySettingsInput = {},
    ): Promise<Hosted & { requester: FakeRequester }> => {
      const requester = new FakeRequester(handlers);
      return host(t, { requester, api, ...settings }).then((hosted) => ({ ...hosted, requester }));
    };

    describe(`conditional requests on ${name}`, () => {
      const modified = 'Sun, 01 Nov 2026 10:00:00 GMT';
      const earlier = 'Sun, 01 Nov 2026 09:00:00 GMT';
      const state = (headers: Record<string, string>): Record<string, FakeHandler> => ({
        'get.x': () => replyOf({ a: 1 }, { headers }),
      });
      const cases: [headers: Record<string, string>, worker: Record<string, string>, status: number][] = [
        [{ 'if-none-match': '"v1"' }, { etag: '"v1"' }, 304],
        [{ 'if-none-match': 'W/"v1"' }, { etag: '"v1"' }, 304],
        [{ 'if-none-match': '"v0", "v1"' }, { etag: 'W/"v1"' }, 304],
        [{ 'if-none-match': '"v1-gzip"' }, { etag: '"v1"' }, 304],
        [{ 'if-none-match': '*' }, { etag: '"v1"' }, 304],
        [{ 'if-none-match': '"v2"' }, { etag: '"v1"' }, 200],
        [
          { 'if-none-match': '"v2"', 'if-modified-since': modified },
          { etag: '"v1"', 'last-modified': modified },
          200,
        ],
        [{ 'if-modified-since': modified }, { 'last-modified': modified }, 304],
        [{ 'if-modified-since': earlier }, { 'last-modified': modified }, 200],
        [{ 'if-modified-since': 'yesterday' }, { 'last-modified': modified }, 200],
        [{ 'if-match': '"v1"' }, { etag: '"v1"' }, 200],
        [{ 'if-match': '"v2"' }, { etag: '"v1"' }, 412],
        [{ 'if-match': 'W/"v1"' }, { etag: 'W/"v1"' }, 412],
        [{ 'if-unmodified-since': earlier }, { 'last-modified': modified }, 412],
        [{ 'if-unmodified-since': modified }, { 'last-modified': modified }, 200],
        [{ 'if-none-match': '"v1"' }, {}, 200],
      ];
      for (const [headers, worker, status] of cases) {
        it(`conditional requests on ${name}: ${status} to ${JSON.stringify(headers)} for ${JSON.stringify(worker)}`, async (t) => {
          const { url } = await open(t, state(worker));
          const response = await fetch(`${url}/x`, { headers });
          assert.equal(response.status, status);
          if (status === 200) assert.equal(response.headers.get('etag'), worker['etag'] ?? null);
          if (status === 304) assert.equal(await response.text(), '');
        });
      }

      it(`conditional requests on ${name}: entity tags are computed if the document says so`, async (t) => {
        const { url } = await open(t);
        const first = await fetch(`${url}/tagged/7`);
        const etag = first.headers.get('etag') ?? '';
        assert.match(etag, /^"[\w-]{27}"$/);
        const second = await fetch(`${url}/tagged/7`, { headers: { 'if-none-match': etag } });
        assert.equal(second.status, 304);
        assert.equal(second.headers.get('etag'), etag);
        assert.equal((await fetch(`${url}/tagged/8`, { headers: { 'if-none-match': etag } })).status, 200);
      });

      it(`conditional requests on ${name}: a change happens only in the state that the request requires`, async (t) => {
        let exists = true;
        const gone = (): unknown => failure('NO_HANDLER', 'gone');
        const handlers: Record<string, FakeHandler> = {
          'get.tagged.id': () => (exists ? { v: 1 } : { ...(gone() as object), status: 404 }),
          'put.tagged.id': () => replyOf({ v: 2 }),
        };
        const { url, requester } = await open(t, handlers);
        const etag = (await fetch(`${url}/tagged/7`)).headers.get('etag') ?? '';
        const put = async (headers: Record<string, string>): Promise<number> => {
          const init = {
            method: 'PUT',
            body: '{}',
            headers: { 'content-type': 'application/json', ...headers },
          };
          return (await fetch(`${url}/tagged/7`, init)).status;
        };
        assert.equal(await put({ 'if-match': etag }), 200);
        assert.equal(await put({ 'if-match': '"other"' }), 412);
        assert.equal(await put({ 'if-match': '*' }), 200);
        assert.equal(await put({ 'if-none-match': '*' }), 412);
        exists = false;
        assert.equal(await put({ 'if-match': '*' }), 412);
        assert.equal(await put({ 'if-none-match': '*' }), 200);
        const puts = requester.requests.filter(({ eventName }) => eventName === 'put.tagged.id');
        assert.equal(puts.length, 3);
      });

      it(`conditional requests on ${name}: nothing changes if the state cannot be read`, async (t) => {
        const { url, requester } = await open(t, {
          'get.tagged.id': () => failure('NO_WORKER', 'no worker'),
        });
        const response = await fetch(`${url}/tagged/7`, { method: 'DELETE', headers: { 'if-match': '"a"' } });
        assert.equal((await problemOf(response)).code, 'NO_WORKER');
        assert.deepEqual(
          requester.requests.map(({ eventName }) => eventName),
          ['get.tagged.id'],
        );
      });
    });

    describe(`replies that violate the document on ${name}`, () => {
      const wrong = { 'get.typed': () => ({ id: 'seven' }) };

      it(`replies that violate the document on ${name}: are logged as errors`, async (t) => {
        const logged: [object, string][] = [];
        const log = (fields: object, message: string): unknown => logged.push([fields, message]);
        const logger = { debug: log, info: log, warn: log, error: log };
        const requester = new FakeRequester(wrong);
        const { url } = await host(t, { requester, api, logger, replies: { check: 'report' } });
        assert.equal((await fetch(`${url}/typed`)).status, 200);
        const [fields, message] = logged.find(([, text]) => text.includes('violates the contract')) ?? [];
        assert.ok(message);
        const errors = [{ pointer: '/reply/id', detail: 'must be an integer, not a string' }];
        assert.deepEqual((fields as { errors: unknown }).errors, errors);
      });

      it(`replies that violate the document on ${name}: are rejected if configured`, async (t) => {
        const { url } = await open(t, wrong, { replies: { check: 'reject' } });
        assert.equal((await problemOf(await fetch(`${url}/typed`))).code, 'BAD_REPLY');
      });

      it(`replies that violate the document on ${name}: include those with an unknown status`, async (t) => {
        const handlers = { 'get.typed': () => replyOf({ id: 7 }, { status: 202 }) };
        const { url } = await open(t, handlers, { replies: { check: 'reject' } });
        assert.equal((await problemOf(await fetch(`${url}/typed`))).code, 'BAD_REPLY');
      });

      it(`replies that violate the document on ${name}: are found in the configured share of replies`, async (t) => {
        const { url } = await open(t, wrong, { replies: { check: 'reject', sample: 0.5 } });
        // The probability of finding neither is 2^-60.
        const statuses = new Set<number>();
        for (let count = 0; count < 60 && statuses.size < 2; count += 1) {
          statuses.add((await fetch(`${url}/typed`)).status);
        }
        assert.deepEqual([...statuses].sort(), [200, 502]);
      });

      it(`replies that violate the document on ${name}: are forwarded if checks are off`, async (t) => {
        for (const settings of [{ check: 'off' }, { check: 'reject', sample: 0 }] as const) {
          const { url } = await open(t, wrong, { replies: settings });
          assert.equal((await fetch(`${url}/typed`)).status, 200);
        }
      });
    });
  });
}
