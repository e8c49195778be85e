/**
 * Conditional changes. The GET that evaluates the condition is made as the caller, with the
 * caller's permissions.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { GatewaySettingsInput } from '../../src/gateway/index.ts';
import { apiOf, jsonBody, parameter } from '../helpers/gateway/api.ts';
import { HOSTS, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester, SILENCE } from '../helpers/gateway/requester.ts';

const id = parameter('id', 'path', { type: 'string' });
const tenant = parameter('X-Tenant', 'header', { type: 'string' }, { required: true });
const text = { type: 'string' };
const body = jsonBody({ type: 'object' });
const api = apiOf(
  {
    '/mine/{id}': {
      get: { 'x-etag': true, parameters: [id], security: [{ key: ['read'] }], 'x-sticky-key': 'id' },
      put: { parameters: [id], security: [{ key: ['write'] }], ...body },
    },
    '/tenants/{id}': {
      get: { 'x-etag': true, parameters: [id, tenant, parameter('If-None-Match', 'header', text)] },
      put: { parameters: [id], ...body },
      delete: { parameters: [id, parameter('If-Match', 'header', text)] },
    },
    '/views': {
      get: { 'x-etag': true, parameters: [parameter('lang', 'query', text)] },
      put: { parameters: [parameter('lang', 'query', text), parameter('dry', 'query', text)], ...body },
    },
  },
  { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } } },
);
const KEYS = { eva: ['read', 'write'], tom: ['read', 'write'], writer: ['write'] };
const keyOf = (name: string): string => `a-secret-key-of-${name}`;
const keys = Object.entries(KEYS).map(([name, scopes]) => ({ id: name, key: keyOf(name), scopes }));
const auth = { schemes: { key: { type: 'apiKey', keys } as const } };

for (const [name, host] of HOSTS) {
  const open = async (t: TestContext, settings: GatewaySettingsInput = {}) => {
    const requester = new FakeRequester({
      'get.mine.id': (_data, { extras }) => ({ of: extras?.caller?.id ?? 'anonymous' }),
      'get.views': ({ lang = 'en' }: { lang?: string }) => ({ lang }),
      'get.tenants.id': (data) => data,
    });
    const { url } = await host(t, { requester, api, auth, ...settings });
    const change = (path: string, headers: Record<string, string>, method = 'PUT'): Promise<Response> =>
      fetch(url + path, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(method === 'PUT' ? { body: '{}' } : {}),
      });
    const tagOf = async (path: string, headers: Record<string, string> = {}): Promise<string> =>
      (await fetch(url + path, { headers })).headers.get('etag') ?? '';
    const changes = (): number =>
      requester.requests.filter(({ eventName }) => !eventName.startsWith('get.')).length;
    return { requester, url, change, tagOf, changes };
  };

  describe(`preconditions on ${name}`, () => {
    it(`preconditions on ${name}: are compared with the representation that the caller would get`, async (t) => {
      const { change, tagOf, requester } = await open(t);
      const tags = {
        eva: await tagOf('/mine/1', { 'x-key': keyOf('eva') }),
        tom: await tagOf('/mine/1', { 'x-key': keyOf('tom') }),
      };
      assert.notEqual(tags.eva, tags.tom);
      for (const who of ['eva', 'tom'] as const) {
        for (const whose of ['eva', 'tom'] as const) {
          const { status } = await change('/mine/1', { 'x-key': keyOf(who), 'if-match': tags[whose] });
          assert.equal(status, who === whose ? 200 : 412, `${who} with the tag of ${whose}`);
        }
      }
      const headers = {
        'x-key': keyOf('eva'),
        'if-match': '*',
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
        'request-id': 'r1',
      };
      await change('/mine/1', headers);
      const inner = requester.requests.at(-2);
      assert.deepEqual([inner?.eventName, inner?.requestId, inner?.extras?.key], ['get.mine.id', 'r1', '1']);
      assert.equal(inner?.extras?.traceparent, headers.traceparent);
      assert.deepEqual(inner.extras.caller, { id: 'eva', scopes: ['read', 'write'] });
    });

    it(`preconditions on ${name}: reveal nothing about a resource that the caller may not read`, async (t) => {
      const { change, tagOf, requester, changes } = await open(t);
      const tag = await tagOf('/mine/1', { 'x-key': keyOf('eva') });
      const before = requester.requests.length;
      const answers = new Set<string>();
      for (const given of [tag, '"other"', '*']) {
        for (const condition of ['if-match', 'if-none-match']) {
          const response = await change('/mine/1', { 'x-key': keyOf('writer'), [condition]: given });
          const { code, detail } = await problemOf(response);
          answers.add(`${response.status} ${code} ${detail}`);
        }
      }
      assert.equal(answers.size, 1);
      assert.match(
        [...answers][0] ?? '',
        /^403 FORBIDDEN This needs the scopes read\. .* GET operation of the path/,
      );
      assert.equal(requester.requests.length, before, 'no worker gets the request');
      assert.equal((await change('/mine/1', { 'x-key': keyOf('writer') })).status, 200);
      assert.equal(changes(), 1);
    });

    it(`preconditions on ${name}: are subject to the limits of the GET, which count a request once`, async (t) => {
      const { change } = await open(t, {
        rateLimits: [
          { name: 'all', limit: 5 },
          { name: 'reads', limit: 2, events: ['get.*'] },
        ],
      });
      const headers = { 'x-key': keyOf('eva'), 'if-match': '"guess"' };
      assert.equal((await change('/mine/1', headers)).status, 412);
      const second = await change('/mine/1', headers);
      assert.equal(second.status, 412);
      assert.match(second.headers.get('ratelimit') ?? '', /"all";r=3/);
      const third = await change('/mine/1', headers);
      assert.equal(third.status, 429);
      assert.notEqual(third.headers.get('retry-after'), null);
    });

    it(`preconditions on ${name}: the GET gets its headers without the conditions`, async (t) => {
      const { change, tagOf, requester } = await open(t);
      const tag = await tagOf('/tenants/1', { 'x-tenant': 'a' });
      assert.equal((await change('/tenants/1', { 'x-tenant': 'a', 'if-match': tag })).status, 200);
      assert.equal((await change('/tenants/1', { 'x-tenant': 'b', 'if-match': tag })).status, 412);
      assert.deepEqual(JSON.parse(requester.requests.at(-1)?.body.toString() ?? ''), {
        id: '1',
        'X-Tenant': 'b',
      });
      assert.equal((await change('/tenants/1', { 'x-tenant': 'a', 'if-none-match': '"other"' })).status, 200);
    });

    it(`preconditions on ${name}: fail if they cannot be evaluated, unless the worker evaluates them`, async (t) => {
      const { change, changes } = await open(t);
      const { code, detail } = await problemOf(await change('/tenants/1', { 'if-match': '"a"' }));
      assert.equal(code, 'PRECONDITION_FAILED');
      assert.match(detail, /GET operation of the path does not accept/);
      assert.equal(changes(), 0);
      assert.equal((await change('/tenants/1', { 'if-match': '"a"' }, 'DELETE')).status, 200);
    });

    it(`preconditions on ${name}: concern the resource that the query names`, async (t) => {
      const { change, tagOf } = await open(t);
      const [english, german] = [await tagOf('/views'), await tagOf('/views?lang=de')];
      assert.equal((await change('/views?lang=de', { 'if-match': german })).status, 200);
      assert.equal((await change('/views?lang=de', { 'if-match': english })).status, 412);
      assert.equal((await change('/views?dry=1', { 'if-match': english })).status, 200);
    });

    it(`preconditions on ${name}: are cancelled when the client disconnects`, async (t) => {
      const requester = new FakeRequester({ 'get.views': () => SILENCE });
      const { url } = await host(t, { requester, api, auth });
      const gone = new AbortController();
      const headers = { 'content-type': 'application/json', 'if-match': '"a"' };
      const response = fetch(`${url}/views`, { method: 'PUT', body: '{}', headers, signal: gone.signal });
      while (requester.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
      gone.abort();
      await assert.rejects(response);
      while (requester.cancelled.length === 0) await new Promise((resolve) => setImmediate(resolve));
    });
  });
}
