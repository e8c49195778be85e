import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { GatewaySettingsInput } from '../../src/gateway/index.ts';
import { apiOf } from '../helpers/gateway/api.ts';
import { HOSTS } from '../helpers/gateway/hosts.ts';
import { FakeRequester, replyOf } from '../helpers/gateway/requester.ts';

const api = apiOf(
  {
    '/tasks': { get: {}, post: {} },
    '/private': { get: { security: [{ key: [] }] } },
    '/own-options': { options: {}, get: {} },
  },
  { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-API-Key' } } },
);
const auth = {
  schemes: { key: { type: 'apiKey', keys: [{ id: 'eva', key: 'a-very-secret-key' }] } as const },
};
const ORIGIN = 'https://app.example';
const preflight = (origin: string, method: string, headers?: string): RequestInit => ({
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': method,
    ...(headers === undefined ? {} : { 'access-control-request-headers': headers }),
  },
});

for (const [name, host] of HOSTS) {
  describe(`CORS on ${name}`, () => {
    const open = async (t: TestContext, cors: GatewaySettingsInput['cors']): Promise<string> => {
      const requester = new FakeRequester({
        'get.tasks': () => replyOf([], { headers: { vary: 'Accept-Language' } }),
      });
      return (await host(t, { requester, api, auth, cors })).url;
    };
    const one = { origins: [ORIGIN], credentials: true } as const;

    it(`CORS on ${name}: adds no headers unless it is configured`, async (t) => {
      const url = await open(t, undefined);
      const response = await fetch(`${url}/tasks`, { headers: { origin: ORIGIN } });
      assert.equal(response.headers.get('access-control-allow-origin'), null);
      const asked = await fetch(`${url}/tasks`, preflight(ORIGIN, 'POST'));
      assert.equal(asked.status, 204);
      assert.equal(asked.headers.get('access-control-allow-methods'), null);
    });

    it(`CORS on ${name}: allows a listed origin, with credentials`, async (t) => {
      const url = await open(t, one);
      const { headers, status } = await fetch(`${url}/tasks`, { headers: { origin: ORIGIN } });
      assert.equal(status, 200);
      assert.equal(headers.get('access-control-allow-origin'), ORIGIN);
      assert.equal(headers.get('access-control-allow-credentials'), 'true');
      assert.match(headers.get('access-control-expose-headers') ?? '', /Request-Id, ETag/);
      assert.match(headers.get('vary') ?? '', /Origin/);
      assert.match(headers.get('vary') ?? '', /Accept-Language/);
    });

    it(`CORS on ${name}: serves other origins without allowing their scripts to read`, async (t) => {
      const url = await open(t, one);
      const { headers, status } = await fetch(`${url}/tasks`, {
        headers: { origin: 'https://evil.example' },
      });
      assert.equal(status, 200);
      assert.equal(headers.get('access-control-allow-origin'), null);
      assert.match(headers.get('vary') ?? '', /Origin/);
    });

    it(`CORS on ${name}: replies vary by origin, also without one`, async (t) => {
      const url = await open(t, one);
      assert.match((await fetch(`${url}/tasks`)).headers.get('vary') ?? '', /Origin/);
    });

    it(`CORS on ${name}: allows every origin if configured`, async (t) => {
      const url = await open(t, { origins: '*' });
      const { headers } = await fetch(`${url}/tasks`, { headers: { origin: ORIGIN } });
      assert.equal(headers.get('access-control-allow-origin'), '*');
      assert.equal(headers.get('access-control-allow-credentials'), null);
    });

    it(`CORS on ${name}: lets scripts read errors`, async (t) => {
      const url = await open(t, one);
      for (const path of ['/tasks?x=1', '/nothing', '/private']) {
        const response = await fetch(url + path, { headers: { origin: ORIGIN } });
        assert.ok(response.status >= 400);
        assert.equal(response.headers.get('access-control-allow-origin'), ORIGIN, path);
      }
    });

    it(`CORS on ${name}: every route responds to a preflight with its own methods`, async (t) => {
      const url = await open(t, { ...one, maxAge: 120_500 });
      const methods = {
        '/tasks': 'GET, HEAD, POST, OPTIONS',
        '/private': 'GET, HEAD, OPTIONS',
        '/own-options': 'GET, HEAD, OPTIONS',
      };
      for (const [path, allowed] of Object.entries(methods)) {
        const { headers, status } = await fetch(
          url + path,
          preflight(ORIGIN, 'GET', 'content-type, x-api-key'),
        );
        assert.equal(status, 204);
        assert.equal(headers.get('access-control-allow-origin'), ORIGIN);
        assert.equal(headers.get('access-control-allow-methods'), allowed);
        assert.equal(headers.get('access-control-allow-headers'), 'content-type, x-api-key');
        assert.equal(headers.get('access-control-max-age'), '120');
        assert.equal(headers.get('access-control-allow-credentials'), 'true');
        assert.match(headers.get('vary') ?? '', /Access-Control-Request-Headers/);
      }
    });

    it(`CORS on ${name}: a preflight lists the allowed headers`, async (t) => {
      const url = await open(t, { ...one, headers: ['X-Only'] });
      const { headers } = await fetch(`${url}/tasks`, preflight(ORIGIN, 'POST', 'x-other'));
      assert.equal(headers.get('access-control-allow-headers'), 'X-Only');
    });

    it(`CORS on ${name}: a preflight allows nothing to other origins`, async (t) => {
      const url = await open(t, one);
      const { headers, status } = await fetch(`${url}/tasks`, preflight('https://evil.example', 'POST'));
      assert.equal(status, 204);
      assert.equal(headers.get('access-control-allow-origin'), null);
      assert.equal(headers.get('access-control-allow-methods'), null);
    });
  });
}
