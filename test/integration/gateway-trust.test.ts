/** Security schemes that a proxy in front of the gateway checks. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createGateway, type GatewaySettingsInput } from '../../src/gateway/index.ts';
import { apiOf } from '../helpers/gateway/api.ts';
import { HOSTS, problemOf } from '../helpers/gateway/hosts.ts';
import { exchangeRaw } from '../helpers/gateway/raw-http.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';

const url = 'https://login.example/';
const components = {
  securitySchemes: {
    digest: { type: 'http', scheme: 'digest' },
    tls: { type: 'mutualTLS' },
    login: {
      type: 'oauth2',
      flows: { clientCredentials: { tokenUrl: url, scopes: { 'tasks:write': 'Change tasks' } } },
    },
    id: { type: 'openIdConnect', openIdConnectUrl: url },
    key: { type: 'apiKey', in: 'query', name: 'api_key' },
    other: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  },
};
const api = apiOf(
  {
    '/digest': { get: { security: [{ digest: [] }] } },
    '/tls': { get: { security: [{ tls: [] }] } },
    '/login': { get: { security: [{ login: ['tasks:write'] }] } },
    '/id': { get: { security: [{ id: [] }] } },
    '/key': { get: { security: [{ key: [] }] } },
    '/maybe': { get: { security: [{}, { login: [] }] } },
    '/either': { get: { security: [{ login: [] }, { other: [] }] } },
    '/both': { get: { security: [{ tls: [], login: [] }] } },
  },
  components,
);
const KEY = 'a-very-secret-key-1';
const other = { type: 'apiKey', keys: [{ id: 'robot', key: KEY }] } as const;
const trust = { type: 'trust' } as const;
const named = { type: 'trust', header: 'X-Forwarded-User' } as const;

type Schemes = NonNullable<NonNullable<GatewaySettingsInput['auth']>['schemes']>;

for (const [name, host] of HOSTS) {
  describe(`trusted schemes on ${name}`, () => {
    const open = async (t: TestContext, schemes: Schemes, settings: GatewaySettingsInput = {}) => {
      const requester = new FakeRequester();
      const warnings: { scheme?: string; message: string }[] = [];
      const quiet = () => undefined;
      const warn = (fields: object, message: string) => warnings.push({ ...fields, message });
      const logger = { debug: quiet, info: quiet, error: quiet, warn };
      const {
        url: root,
        gateway,
        port,
      } = await host(t, {
        requester,
        api,
        logger,
        ...settings,
        auth: {
          realm: 'tests',
          schemes: { digest: trust, tls: trust, id: trust, key: trust, other, ...schemes },
        },
      });
      const get = (path: string, headers: Record<string, string> = {}) => fetch(root + path, { headers });
      const path = new URL(root).pathname.replace(/\/$/, '');
      return { get, port, path, warnings, gateway, caller: () => requester.requests.at(-1)?.extras?.caller };
    };

    it(`trusted schemes on ${name}: are of any type, and the gateway checks nothing`, async (t) => {
      const { get, caller, warnings, gateway } = await open(t, { login: trust });
      for (const path of ['/digest', '/tls', '/login', '/id', '/key', '/key?api_key=x', '/maybe', '/both']) {
        assert.equal((await get(path)).status, 200, path);
        assert.equal(caller(), undefined);
      }
      assert.deepEqual(
        warnings.map(({ scheme, message }) => [scheme, message]),
        ['digest', 'tls', 'id', 'key', 'login'].map((scheme) => [
          scheme,
          'the gateway does not check this security scheme; it trusts that a proxy does',
        ]),
      );
      const { securitySchemes } = gateway.openapi().components ?? {};
      assert.deepEqual(securitySchemes, components.securitySchemes);
    });

    it(`trusted schemes on ${name}: a header may name the caller`, async (t) => {
      const { get, caller, warnings } = await open(t, { login: named });
      assert.equal((await get('/login', { 'x-forwarded-user': 'eva' })).status, 200);
      assert.deepEqual(caller(), { id: 'eva' });
      assert.equal((await get('/both', { 'x-forwarded-user': 'eva' })).status, 200);
      assert.deepEqual(caller(), { id: 'eva' });
      for (const headers of [{}, { 'x-forwarded-user': '' }] as Record<string, string>[]) {
        const response = await get('/login', headers);
        assert.equal(response.status, 401);
        assert.equal(response.headers.get('www-authenticate'), 'Proxy realm="tests"');
        const { detail } = await problemOf(response);
        assert.equal(detail, 'The proxy in front of the gateway named no caller.');
      }
      assert.equal((await get('/login', { 'x-forwarded-user': 'x'.repeat(300) })).status, 401);
      assert.equal((await get('/maybe')).status, 200);
      assert.equal(caller(), undefined);
      assert.equal((await get('/either', { 'x-api-key': KEY })).status, 200);
      assert.deepEqual(caller(), { id: 'robot', scopes: undefined });
      const { message } = warnings.find(({ scheme }) => scheme === 'login') ?? {};
      assert.equal(
        message,
        'the gateway does not check this security scheme and trusts its header from any address',
      );
    });

    it(`trusted schemes on ${name}: a request that names two callers is rejected, for example if the client sent the header, too`, async (t) => {
      const { port, path } = await open(t, { login: named });
      const statusOf = async (...lines: string[]) => {
        const head = [`GET ${path}/login HTTP/1.1`, 'Host: x', 'Connection: close', ...lines];
        return (await exchangeRaw(port, `${head.join('\r\n')}\r\n\r\n`)).slice(0, 12);
      };
      assert.equal(await statusOf('X-Forwarded-User: admin', 'x-forwarded-user: eva'), 'HTTP/1.1 401');
      assert.equal(await statusOf('X-Forwarded-User: eva'), 'HTTP/1.1 200');
    });

    for (const [how, proxies, settings] of [
      ['proxies', ['10.0.0.0/8'], {}],
      ['trustProxy', undefined, { trustProxy: ['10.0.0.0/8'] }],
    ] as const) {
      it(`trusted schemes on ${name}: callers are accepted only from the proxies of ${how}`, async (t) => {
        const { get, caller } = await open(t, { login: { ...named, proxies } }, settings);
        const forged = await get('/login', { 'x-forwarded-user': 'eva', 'x-forwarded-for': '10.0.0.1' });
        assert.equal((await problemOf(forged)).detail, 'The request did not come through a trusted proxy.');
        assert.equal((await get('/login')).status, 401);
        assert.equal((await get('/maybe', { 'x-forwarded-user': 'eva' })).status, 401);
        assert.equal((await get('/maybe')).status, 200);
        assert.equal(caller(), undefined);
        assert.equal((await get('/either', { 'x-api-key': KEY })).status, 200);
      });
    }

    it('trusted schemes: callers are accepted from listed proxies', async (t) => {
      const proxies = ['10.0.0.0/8', 'loopback'];
      const { get, caller } = await open(t, { login: { ...named, proxies } }, { trustProxy: ['10.0.0.0/8'] });
      assert.equal((await get('/login', { 'x-forwarded-user': 'eva' })).status, 200);
      assert.deepEqual(caller(), { id: 'eva' });
    });
  });
}

it('trusted schemes: the gateway does not start if a proxy is neither an address nor a network', () => {
  const auth = { schemes: { login: { ...trust, proxies: ['proxy.example'] } } };
  assert.throws(
    () => createGateway({ requester: new FakeRequester(), api: apiOf({}), auth }),
    /auth\.schemes\.login\.proxies: invalid IP address: proxy\.example/,
  );
});
