/** HTTP Basic authentication (RFC 7617) with hashed passwords. */
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { hash } from '@node-rs/bcrypt';
import { createGateway, type GatewaySettingsInput } from '../../src/gateway/index.ts';
import { apiOf, parameter } from '../helpers/gateway/api.ts';
import { HOSTS, ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';
import { tempFolder } from '../helpers/temp.ts';

const components = {
  securitySchemes: {
    basic: { type: 'http', scheme: 'Basic' },
    key: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    token: { type: 'http', scheme: 'bearer' },
  },
};
const api = apiOf(
  {
    '/me': { get: { security: [{ basic: [] }] } },
    '/write': { get: { security: [{ basic: ['tasks:write'] }] } },
    '/either': { get: { security: [{ basic: [] }, { key: [] }] } },
    '/tokens': { get: { security: [{ token: [] }, { basic: [] }] } },
    '/maybe': { get: { security: [{}, { basic: [] }] } },
    '/header': {
      get: {
        security: [{ basic: [] }],
        parameters: [parameter('Authorization', 'header', { type: 'string' })],
      },
    },
  },
  components,
);

const KEY = 'a-very-secret-key-1';
const basic = (user: string, password: string, scheme = 'Basic'): Record<string, string> => ({
  authorization: `${scheme} ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

describe('HTTP Basic authentication', () => {
  let hashes: Record<'eva' | 'zoë' | 'otto', string>;
  before(async () => {
    hashes = {
      eva: await hash('pass:word', 4),
      zoë: (await hash('schlüssel', 4)).replace('$2b$', '$2y$'),
      otto: await hash('otto', 4),
    };
  });

  const writeUsers = (file: string, ...users: (keyof typeof hashes)[]) => {
    writeFileSync(`${file}.new`, users.map((user) => `${user}:${hashes[user]}\n`).join(''));
    renameSync(`${file}.new`, file);
  };

  const settings = (t: TestContext): { file: string; auth: NonNullable<GatewaySettingsInput['auth']> } => {
    const file = join(tempFolder(t), 'users.htpasswd');
    writeUsers(file, 'eva', 'zoë');
    return {
      file,
      auth: {
        realm: 'tests',
        schemes: {
          basic: {
            type: 'basic',
            file,
            users: [
              { id: 'eva', scopes: ['tasks:write'] },
              { id: 'otto', hash: hashes.otto },
            ],
          },
          key: { type: 'apiKey', keys: [{ id: 'robot', key: KEY }] },
          token: { type: 'jwt', jwksUrl: 'http://127.0.0.1:1/', issuer: 'i', audience: 'a' },
        },
      },
    };
  };

  for (const [name, host] of HOSTS) {
    describe(`on ${name}`, () => {
      const open = async (t: TestContext) => {
        const requester = new FakeRequester();
        const { url } = await host(t, { requester, api, auth: settings(t).auth });
        const get = (path: string, headers: Record<string, string> = {}) => fetch(url + path, { headers });
        return { requester, get, caller: () => requester.requests.at(-1)?.extras?.caller };
      };

      it(`Basic authentication on ${name}: accepts users by name and password, and the worker learns the caller`, async (t) => {
        const { get, caller, requester } = await open(t);
        assert.equal((await get('/me', basic('eva', 'pass:word'))).status, 200);
        assert.deepEqual(caller(), { id: 'eva', scopes: ['tasks:write'] });
        assert.equal((await get('/me', basic('zoë', 'schlüssel', 'bAsIc'))).status, 200);
        assert.deepEqual(caller(), { id: 'zoë', scopes: undefined });
        // The same characters in another Unicode form.
        assert.equal((await get('/me', basic('zoe\u0308', 'schlu\u0308ssel'))).status, 200);
        assert.equal((await get('/me', basic('otto', 'otto'))).status, 200);
        assert.equal((await get('/header', basic('eva', 'pass:word'))).status, 200);
        for (const request of requester.requests) {
          assert.equal(request.body.toString(), '{}');
          assert.doesNotMatch(JSON.stringify(request), /cGFzcy|pass:word/);
        }
      });

      it(`Basic authentication on ${name}: responds 401 with a challenge to everything else`, async (t) => {
        const { get, requester } = await open(t);
        const missing = await get('/me');
        assert.equal(missing.headers.get('www-authenticate'), 'Basic realm="tests", charset="UTF-8"');
        assert.equal((await problemOf(missing)).detail, 'No credentials were sent.');
        for (const wrong of [
          basic('eva', 'wrong'),
          basic('eva', ''),
          basic('EVA', 'pass:word'),
          basic('unknown', 'pass:word'),
          basic('', ''),
          basic('eva', hashes.eva),
        ]) {
          const response = await get('/me', wrong);
          assert.equal(response.status, 401);
          assert.equal(response.headers.get('www-authenticate'), 'Basic realm="tests", charset="UTF-8"');
          const { detail } = await problemOf(response);
          assert.equal(detail, 'The user name or the password is not valid.');
        }
        const encoded = (bytes: Buffer | string) => `Basic ${Buffer.from(bytes).toString('base64')}`;
        for (const authorization of [
          'Basic',
          'Basic ',
          'Basic !!!',
          'Basic ZXZhOnBhc3M6d29yZA== x',
          'Basic eva:pass:word',
          encoded('no colon'),
          encoded('eva:pass\u0000word'),
          encoded('e\nva:x'),
          encoded(Buffer.from([0x65, 0x3a, 0xff])),
          encoded(`eva:${'x'.repeat(2000)}`),
        ]) {
          const response = await get('/me', { authorization });
          assert.equal(response.status, 401, authorization);
          assert.match((await problemOf(response)).detail, /does not hold a user name and a password/);
        }
        const other = await get('/me', { authorization: 'Bearer x.y.z' });
        assert.equal(other.status, 401);
        assert.match((await problemOf(other)).detail, /not of the Basic scheme/);
        assert.equal(requester.requests.length, 0);
      });

      it(`Basic authentication on ${name}: works in alternatives and with scopes`, async (t) => {
        const { get, caller } = await open(t);
        assert.equal((await get('/write', basic('eva', 'pass:word'))).status, 200);
        const forbidden = await get('/write', basic('zoë', 'schlüssel'));
        assert.equal((await problemOf(forbidden)).code, 'FORBIDDEN');
        assert.equal(forbidden.headers.get('www-authenticate'), null);
        assert.equal((await get('/either', { 'x-api-key': KEY })).status, 200);
        assert.equal((await get('/either', { 'x-api-key': KEY, ...basic('eva', 'wrong') })).status, 200);
        assert.equal((caller() as { id: string }).id, 'robot');
        assert.equal((await get('/either', basic('eva', 'pass:word'))).status, 200);
        assert.equal(
          (await get('/either')).headers.get('www-authenticate'),
          'Basic realm="tests", charset="UTF-8", ApiKey realm="tests", in="header", name="X-API-Key"',
        );
        assert.equal((await get('/maybe')).status, 200);
        assert.equal(caller(), undefined);
        assert.equal((await get('/maybe', basic('eva', 'pass:word'))).status, 200);
        assert.equal((caller() as { id: string }).id, 'eva');
        assert.equal((await get('/maybe', basic('eva', 'wrong'))).status, 401);
      });

      it(`Basic authentication on ${name}: shares the header with bearer tokens, and reports what is wrong with the one sent`, async (t) => {
        const { get } = await open(t);
        assert.equal((await get('/tokens', basic('eva', 'pass:word'))).status, 200);
        const wrong = await get('/tokens', basic('eva', 'wrong'));
        assert.equal((await problemOf(wrong)).detail, 'The user name or the password is not valid.');
        const challenges = 'Bearer realm="tests", Basic realm="tests", charset="UTF-8"';
        assert.equal(wrong.headers.get('www-authenticate'), challenges);
        const malformed = await get('/tokens', { authorization: 'Bearer ???' });
        assert.match((await problemOf(malformed)).detail, /does not contain a bearer token/);
      });
    });
  }

  it('Basic authentication: reloads its file after new users, changed passwords and removed users', async (t) => {
    let now = performance.now();
    t.mock.method(performance, 'now', () => now);
    const { file, auth } = settings(t);
    const lines: unknown[] = [];
    const note = (fields: { err?: Error }, message: string) =>
      lines.push({ ...fields, err: fields.err?.message, message });
    const logger = { debug: note, info: note, warn: note, error: note };
    const { url } = await ownServer(t, { requester: new FakeRequester(), api, auth, logger });
    const status = async (user: string, password: string) =>
      (await fetch(`${url}/me`, { headers: basic(user, password) })).status;
    assert.equal(await status('eva', 'pass:word'), 200);
    hashes.eva = await hash('changed', 4);
    writeUsers(file, 'eva');
    now += 1001;
    assert.deepEqual([await status('eva', 'pass:word'), await status('eva', 'changed')], [401, 200]);
    assert.equal(await status('zoë', 'schlüssel'), 401);
    writeFileSync(file, 'eva:topsecret\n');
    now += 1001;
    assert.equal(await status('eva', 'changed'), 200);
    const text = JSON.stringify(lines);
    assert.match(text, /a changed key file is not valid; the old keys stay/);
    assert.match(text, /line 1: the hash of eva must be a bcrypt hash/);
    assert.doesNotMatch(text, /topsecret|changed"|pass:word/);
    hashes.eva = await hash('pass:word', 4);
  });

  it('Basic authentication: does not start with an invalid file, and names the line', (t) => {
    const file = join(tempFolder(t), 'users.htpasswd');
    const start = () =>
      createGateway({
        requester: new FakeRequester(),
        api: apiOf({ '/me': { get: { security: [{ basic: [] }] } } }, components),
        auth: { schemes: { basic: { type: 'basic', file } } },
      });
    assert.throws(start, /auth\.schemes\.basic\.file: cannot use .*users\.htpasswd: .*ENOENT/);
    writeFileSync(file, 'eva:$apr1$abc$def\n');
    assert.throws(
      start,
      /users\.htpasswd: line 1: the hash of eva must be a bcrypt hash, but is an MD5 hash; /,
    );
  });

  it('Basic authentication: a flood of wrong passwords neither stalls the gateway nor locks known users out', async (t) => {
    const costly = await hash('costly', 12);
    const auth = { schemes: { basic: { type: 'basic', users: [{ id: 'eva', hash: costly }] } as const } };
    const open = apiOf({ '/me': { get: { security: [{ basic: [] }] } }, '/open': { get: {} } }, components);
    const { url } = await ownServer(t, { requester: new FakeRequester(), api: open, auth });
    const get = (path: string, headers: Record<string, string> = {}) => fetch(url + path, { headers });
    assert.equal((await get('/me', basic('eva', 'costly'))).status, 200);
    const flood = Promise.all(
      Array.from({ length: 150 }, async (_, n) => {
        const response = await get('/me', basic(n % 2 === 0 ? 'eva' : `stranger ${n}`, `wrong ${n}`));
        return { status: response.status, retryAfter: response.headers.get('retry-after') };
      }),
    );
    const during = await Promise.all([get('/open'), get('/me', basic('eva', 'costly'))]);
    assert.deepEqual(
      during.map(({ status }) => status),
      [200, 200],
    );
    const answers = await flood;
    const busy = answers.filter(({ status }) => status === 503);
    assert.ok(busy.length >= 150 - 66, `${busy.length} requests got 503`);
    assert.ok(busy.every(({ retryAfter }) => retryAfter === '1'));
    assert.ok(answers.every(({ status }) => status === 401 || status === 503));
    assert.equal((await get('/me', basic('eva', 'costly'))).status, 200);
  });
});
