import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { ZeroMQConfigError } from '../../src/core/messages/errors.ts';
import { createGateway, type GatewaySettingsInput } from '../../src/gateway/index.ts';
import { apiOf, documentOf } from '../helpers/gateway/api.ts';
import { closeServer, HOSTS, listenOnFreePort, ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';
import { tempFolder } from '../helpers/temp.ts';

const components = {
  securitySchemes: {
    header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    query: { type: 'apiKey', in: 'query', name: 'api_key' },
    cookie: { type: 'apiKey', in: 'cookie', name: 'session' },
    token: { type: 'http', scheme: 'bearer' },
  },
};
const api = apiOf(
  {
    '/open': { get: {} },
    '/header': { get: { security: [{ header: [] }] } },
    '/query': { get: { security: [{ query: [] }] } },
    '/cookie': { get: { security: [{ cookie: [] }] } },
    '/token': { get: { security: [{ token: [] }] } },
    '/write': { get: { security: [{ token: ['tasks:write'] }] } },
    '/either': { get: { security: [{ header: ['tasks:write'] }, { token: [] }] } },
    '/both': { get: { security: [{ header: [], token: ['tasks:read'] }] } },
    '/maybe': { get: { security: [{}, { header: [] }] } },
  },
  components,
);

const KEY = 'a-very-secret-key-1';
const OTHER = 'a-very-secret-key-2';
const sha256 = createHash('sha256').update(KEY).digest('hex');
const keys = [
  { id: 'eva', sha256 },
  { id: 'otto', key: OTHER, scopes: ['tasks:write'] },
];

describe('security', () => {
  let privateKey: CryptoKey;
  let strangerKey: CryptoKey;
  let jwks: { keys: JWK[] };

  before(async () => {
    const pair = await generateKeyPair('ES256');
    privateKey = pair.privateKey;
    jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' }] };
    strangerKey = (await generateKeyPair('ES256')).privateKey;
  });

  const settings = (t: TestContext): GatewaySettingsInput => {
    const jwksFile = join(tempFolder(t), 'jwks.json');
    writeFileSync(jwksFile, JSON.stringify(jwks));
    const apiKey = { type: 'apiKey', keys } as const;
    const token = {
      type: 'jwt',
      jwksFile,
      issuer: 'https://issuer.example',
      audience: 'tasks',
      claims: ['email'],
    } as const;
    return { auth: { realm: 'tests', schemes: { header: apiKey, query: apiKey, cookie: apiKey, token } } };
  };

  interface TokenOptions {
    readonly claims?: Record<string, unknown>;
    readonly expires?: string | number;
    readonly issuer?: string;
    readonly audience?: string;
    readonly key?: CryptoKey;
    readonly notBefore?: number;
  }

  const tokenOf = async (options: TokenOptions = {}): Promise<string> => {
    const {
      claims = {},
      expires = '1m',
      issuer = 'https://issuer.example',
      audience = 'tasks',
      key = privateKey,
    } = options;
    const jwt = new SignJWT({
      sub: 'eva',
      scope: 'tasks:read tasks:list',
      email: 'eva@example.org',
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime(expires);
    if (options.notBefore !== undefined) jwt.setNotBefore(options.notBefore);
    return jwt.sign(key);
  };

  for (const [name, host] of HOSTS) {
    describe(`on ${name}`, () => {
      const open = async (t: TestContext): Promise<{ url: string; requester: FakeRequester }> => {
        const requester = new FakeRequester();
        const { url } = await host(t, { requester, api, ...settings(t) });
        return { url, requester };
      };
      const caller = (requester: FakeRequester): unknown => requester.requests.at(-1)?.extras?.caller;

      it(`security on ${name}: operations without requirements are open to every caller`, async (t) => {
        const { url, requester } = await open(t);
        assert.equal((await fetch(`${url}/open`, { headers: { 'x-api-key': 'wrong' } })).status, 200);
        assert.equal(caller(requester), undefined);
      });

      it(`security on ${name}: accepts API keys in header, query and cookie, and the worker learns the caller`, async (t) => {
        const { url, requester } = await open(t);
        const calls: [path: string, headers: Record<string, string>][] = [
          ['/header', { 'x-api-key': KEY }],
          [`/query?api_key=${KEY}`, {}],
          ['/cookie', { cookie: `a=b; session=${KEY}` }],
        ];
        for (const [path, headers] of calls) {
          assert.equal((await fetch(url + path, { headers })).status, 200, path);
          assert.equal((caller(requester) as { id: string }).id, 'eva');
          assert.equal(requester.text, '{}');
        }
        await fetch(`${url}/header`, { headers: { 'x-api-key': OTHER } });
        assert.deepEqual(caller(requester), { id: 'otto', scopes: ['tasks:write'] });
      });

      it(`security on ${name}: responds 401 with a challenge`, async (t) => {
        const { url, requester } = await open(t);
        const missing = await fetch(`${url}/header`);
        assert.equal(
          missing.headers.get('www-authenticate'),
          'ApiKey realm="tests", in="header", name="X-API-Key"',
        );
        const problem = await problemOf(missing);
        assert.equal(problem.code, 'UNAUTHENTICATED');
        assert.equal(problem.detail, 'No credentials were sent.');
        for (const key of ['wrong', KEY.slice(0, -1), `${KEY}x`, 'x'.repeat(5000), '']) {
          assert.equal((await fetch(`${url}/header`, { headers: { 'x-api-key': key } })).status, 401);
        }
        const token = await fetch(`${url}/token`);
        assert.equal(token.headers.get('www-authenticate'), 'Bearer realm="tests"');
        assert.equal(requester.requests.length, 0);
      });

      it(`security on ${name}: accepts bearer tokens`, async (t) => {
        const { url, requester } = await open(t);
        const authorization = `Bearer ${await tokenOf()}`;
        assert.equal((await fetch(`${url}/token`, { headers: { authorization } })).status, 200);
        const claims = { email: 'eva@example.org' };
        assert.deepEqual(caller(requester), { id: 'eva', scopes: ['tasks:read', 'tasks:list'], claims });
      });

      it(`security on ${name}: rejects tokens for another audience, of another time or with a wrong signature`, async (t) => {
        const { url } = await open(t);
        const now = Math.floor(Date.now() / 1000);
        const wrong: [token: string, reason: RegExp][] = [
          [await tokenOf({ expires: now - 60 }), /expired/],
          [await tokenOf({ issuer: 'https://other.example' }), /iss/],
          [await tokenOf({ audience: 'other' }), /aud/],
          [await tokenOf({ key: strangerKey }), /signature/],
          [await tokenOf({ notBefore: now + 60 }), /nbf/],
          [await tokenOf({ claims: { sub: '' } }), /has no subject/],
          [`${await tokenOf()}x`, /not valid/],
          ['rubbish', /not valid/],
          [
            `${btoa('{"alg":"none"}').replace(/=+$/, '')}.${btoa('{"sub":"eva"}')}.`,
            /not valid|not accepted|a bearer token/,
          ],
        ];
        for (const [token, reason] of wrong) {
          const response = await fetch(`${url}/token`, { headers: { authorization: `Bearer ${token}` } });
          assert.equal(response.status, 401);
          assert.match(response.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
          assert.match((await problemOf(response)).detail, reason);
        }
        const basic = await fetch(`${url}/token`, { headers: { authorization: 'Basic abc' } });
        assert.match((await problemOf(basic)).detail, /not contain a bearer token/);
      });

      it(`security on ${name}: tolerates small differences between clocks`, async (t) => {
        const { url } = await open(t);
        const authorization = `Bearer ${await tokenOf({ expires: Math.floor(Date.now() / 1000) - 2 })}`;
        assert.equal((await fetch(`${url}/token`, { headers: { authorization } })).status, 200);
      });

      it(`security on ${name}: responds 403 if scopes are missing`, async (t) => {
        const { url } = await open(t);
        const read = await fetch(`${url}/write`, { headers: { authorization: `Bearer ${await tokenOf()}` } });
        const challenge = 'Bearer realm="tests", error="insufficient_scope", scope="tasks:write"';
        assert.equal(read.headers.get('www-authenticate'), challenge);
        assert.equal((await problemOf(read)).code, 'FORBIDDEN');
        for (const scope of ['tasks:write', ['x', 'tasks:write']]) {
          const authorization = `Bearer ${await tokenOf({ claims: { scope } })}`;
          assert.equal((await fetch(`${url}/write`, { headers: { authorization } })).status, 200);
        }
      });

      it(`security on ${name}: accepts one of several schemes or requires all, as the document says`, async (t) => {
        const { url, requester } = await open(t);
        const authorization = `Bearer ${await tokenOf()}`;
        const status = async (path: string, headers: Record<string, string>): Promise<number> =>
          (await fetch(url + path, { headers })).status;
        assert.equal(await status('/either', { authorization }), 200);
        assert.equal(await status('/either', { 'x-api-key': OTHER }), 200);
        assert.equal(await status('/either', { 'x-api-key': KEY }), 403);
        assert.equal(await status('/either', {}), 401);
        assert.equal(await status('/both', { authorization }), 401);
        assert.equal(await status('/both', { 'x-api-key': KEY }), 401);
        assert.equal(await status('/both', { authorization, 'x-api-key': OTHER }), 200);
        const merged = { id: 'otto', scopes: ['tasks:write', 'tasks:read', 'tasks:list'] };
        assert.deepEqual(caller(requester), merged);
        assert.equal(await status('/maybe', {}), 200);
        assert.equal(caller(requester), undefined);
        assert.equal(await status('/maybe', { 'x-api-key': KEY }), 200);
        assert.equal((caller(requester) as { id: string }).id, 'eva');
        assert.equal(await status('/maybe', { 'x-api-key': 'wrong' }), 401);
      });
    });
  }

  it('security: fetches the keys of the issuer, and reports if it cannot', async (t) => {
    let up = true;
    const issuer = createServer((_req, res) => {
      res.statusCode = up ? 200 : 500;
      res.end(JSON.stringify(jwks));
    });
    t.after(() => closeServer(issuer));
    const jwksUrl = `http://127.0.0.1:${await listenOnFreePort(issuer)}/jwks`;
    const token = { type: 'jwt', jwksUrl, issuer: 'https://issuer.example', audience: 'tasks' } as const;
    const tokenApi = apiOf({ '/token': { get: { security: [{ token: [] }] } } }, components);
    const headers = { authorization: `Bearer ${await tokenOf()}` };
    const options = { requester: new FakeRequester(), api: tokenApi, auth: { schemes: { token } } };
    const first = await ownServer(t, options);
    assert.equal((await fetch(`${first.url}/token`, { headers })).status, 200);
    up = false;
    const second = await ownServer(t, options);
    const response = await fetch(`${second.url}/token`, { headers });
    assert.equal((await problemOf(response)).code, 'AUTH_UNAVAILABLE');
    assert.equal(response.headers.get('retry-after'), '1');
  });

  it('security: reads API keys from a file', async (t) => {
    const file = join(tempFolder(t), 'keys.json');
    writeFileSync(file, JSON.stringify([{ id: 'eva', sha256 }]));
    const keyApi = apiOf({ '/header': { get: { security: [{ header: [] }] } } }, components);
    const auth = { schemes: { header: { type: 'apiKey', file } as const } };
    const { url } = await ownServer(t, { requester: new FakeRequester(), api: keyApi, auth });
    assert.equal((await fetch(`${url}/header`, { headers: { 'x-api-key': KEY } })).status, 200);
    for (const content of [
      '{',
      '{}',
      '[{"id":"x"}]',
      '[{"id":"x","sha256":"ab"}]',
      '[{"id":"x","key":"short"}]',
    ]) {
      writeFileSync(file, content);
      assert.throws(
        () => createGateway({ requester: new FakeRequester(), api: keyApi, auth }),
        ZeroMQConfigError,
      );
    }
  });

  describe('unconfigured security scheme', () => {
    const requester = new FakeRequester();
    const demanding = apiOf({ '/header': { get: { security: [{ header: [] }] } } }, components);

    it('unconfigured security scheme: the gateway does not start', () => {
      const start = (): unknown => createGateway({ requester, api: demanding });
      assert.throws(start, (error: Error) => {
        assert.ok(error instanceof ZeroMQConfigError);
        const text =
          'GET /header (test) requires the security scheme "header", which is not configured (configured: none); set auth.schemes.header, with the type trust if a proxy in front of the gateway checks it';
        assert.equal(error.message, text);
        return true;
      });
    });

    it('security scheme configured with another type: the gateway does not start', () => {
      const auth = {
        schemes: {
          header: { type: 'jwt', jwksUrl: 'http://127.0.0.1/', issuer: 'a', audience: 'b' } as const,
        },
      };
      assert.throws(
        () => createGateway({ requester, api: demanding, auth }),
        /of the type jwt cannot serve a security scheme of the type "apiKey".*; set its type to apiKey, or trust if/,
      );
    });

    it('unconfigured security scheme in a later document: the document is rejected, and everything else is served', async (t) => {
      const live = apiOf({ '/open': { get: {} } });
      const errors: string[] = [];
      const quiet = (): void => undefined;
      const logger = {
        debug: quiet,
        info: quiet,
        warn: quiet,
        error: (fields: object, message: string) =>
          errors.push(`${message} ${String((fields as { err?: Error }).err)}`),
      };
      const { url, gateway } = await ownServer(t, { requester, api: live, logger });
      live.put('late', documentOf({ '/late': { get: { security: [{ header: [] }] } } }, components));
      assert.equal((await fetch(`${url}/late`)).status, 404);
      assert.equal(gateway.openapi().paths?.['/late'], undefined);
      assert.match(errors.join(), /rejected.*GET \/late \(late\) requires the security scheme "header"/);
      live.put('fine', documentOf({ '/fine': { get: {} } }));
      assert.equal((await fetch(`${url}/fine`)).status, 200);
    });
  });
});
