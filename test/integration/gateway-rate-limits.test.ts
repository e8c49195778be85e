import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { GatewaySettingsInput } from '../../src/gateway/index.ts';
import { apiOf } from '../helpers/gateway/api.ts';
import { HOSTS, ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';
import { allowed } from '../helpers/patience.ts';
import { tempFolder } from '../helpers/temp.ts';

const api = apiOf(
  { '/a': { get: {} }, '/b': { get: {} }, '/private': { get: { security: [{ key: [] }] } } },
  { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-API-Key' } } },
);
const KEYS = ['a-very-secret-key-1', 'a-very-secret-key-2'];
const keys = KEYS.map((key, index) => ({ id: `caller${index}`, key }));
const auth = { schemes: { key: { type: 'apiKey', keys } as const } };

for (const [name, host] of HOSTS) {
  describe(`rate limits on ${name}`, () => {
    const open = async (t: TestContext, settings: GatewaySettingsInput): Promise<string> =>
      (await host(t, { requester: new FakeRequester(), api, auth, ...settings })).url;
    const status = async (url: string, headers: Record<string, string> = {}): Promise<number> =>
      (await fetch(url, { headers })).status;

    it(`rate limits on ${name}: are reported in headers, and further requests are rejected`, async (t) => {
      const url = await open(t, { rateLimits: [{ limit: 2, window: 30_000 }] });
      const first = await fetch(`${url}/a`);
      assert.equal(first.headers.get('ratelimit-policy'), '"default";q=2;w=30');
      assert.equal(first.headers.get('ratelimit'), '"default";r=1;t=30');
      assert.equal((await fetch(`${url}/b`)).headers.get('ratelimit'), '"default";r=0;t=30');
      const refused = await fetch(`${url}/a`);
      assert.equal(refused.status, 429);
      assert.equal(refused.headers.get('ratelimit'), '"default";r=0;t=30');
      assert.equal(refused.headers.get('retry-after'), '30');
      assert.equal((await problemOf(refused)).code, 'RATE_LIMITED');
      assert.equal(await status(`${url}/livez`), 200);
    });

    it(`rate limits on ${name}: count operations separately, or only some of them`, async (t) => {
      const rateLimits = [
        { name: 'each', limit: 1, per: ['client', 'operation'] as const },
        { name: 'family', limit: 1, events: ['get.b*'] },
      ];
      const url = await open(t, { rateLimits });
      assert.equal(await status(`${url}/a`), 200);
      const both = await fetch(`${url}/b`);
      assert.equal(both.status, 200);
      assert.equal(both.headers.get('ratelimit-policy'), '"each";q=1;w=60, "family";q=1;w=60');
      assert.equal(await status(`${url}/a`), 429);
      assert.equal(await status(`${url}/b`), 429);
    });

    it(`rate limits on ${name}: count authenticated callers separately from requests without credentials`, async (t) => {
      const url = await open(t, { rateLimits: [{ limit: 1, per: ['caller'] }] });
      const [first = '', second = ''] = KEYS;
      assert.equal(await status(`${url}/private`), 401);
      assert.equal(await status(`${url}/private`, { 'x-api-key': first }), 200);
      assert.equal(await status(`${url}/private`, { 'x-api-key': first }), 429);
      assert.equal(await status(`${url}/private`, { 'x-api-key': second }), 200);
    });

    it(`rate limits on ${name}: stop clients from guessing keys`, async (t) => {
      const url = await open(t, { rateLimits: [{ limit: 2, per: ['client'] }] });
      assert.equal(await status(`${url}/private`, { 'x-api-key': 'guess-1' }), 401);
      assert.equal(await status(`${url}/private`, { 'x-api-key': 'guess-2' }), 401);
      assert.equal(await status(`${url}/private`, { 'x-api-key': KEYS[0] ?? '' }), 429);
    });
  });
}

describe('address of a client', () => {
  const settings = { requester: new FakeRequester(), api, auth, rateLimits: [{ limit: 1 }] };
  const status = async (url: string, forwarded: string): Promise<number> =>
    (await fetch(`${url}/a`, { headers: { 'x-forwarded-for': forwarded } })).status;

  it('address of a client: is not taken from headers of untrusted peers', async (t) => {
    const { url } = await ownServer(t, settings);
    assert.equal(await status(url, '10.0.0.1'), 200);
    assert.equal(await status(url, '10.0.0.2'), 429);
  });

  it('address of a client: is taken from trusted proxies, and a network of IPv6 addresses counts as one', async (t) => {
    const { url } = await ownServer(t, { ...settings, trustProxy: ['127.0.0.1'] });
    assert.equal(await status(url, '10.0.0.1'), 200);
    assert.equal(await status(url, '10.0.0.2'), 200);
    assert.equal(await status(url, '10.0.0.1'), 429);
    assert.equal(await status(url, '2001:db8::1'), 200);
    assert.equal(await status(url, '2001:db8:0:0:ffff::2'), 429);
    assert.equal(await status(url, '2001:db8:0:1::1'), 200);
  });
});

const redis = spawnSync('redis-server', ['--version']).status === 0;

describe('rate limits in Redis', { skip: redis ? false : 'redis-server is not installed' }, () => {
  const freePort = async (): Promise<number> => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    return typeof address === 'object' && address !== null ? address.port : 0;
  };

  const startRedis = async (
    t: TestContext,
    port: number,
  ): Promise<{ stop: () => Promise<void>; signal: (name: NodeJS.Signals) => void }> => {
    const folder = tempFolder(t);
    const child = spawn('redis-server', [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      folder,
    ]);
    const stop = async (): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    };
    t.after(stop);
    for await (const line of child.stdout) if (String(line).includes('Ready to accept')) break;
    return { stop, signal: (name) => void child.kill(name) };
  };

  it('rate limits in Redis: are shared by all gateways, and continue in memory when Redis is lost', async (t) => {
    const port = await freePort();
    const { stop } = await startRedis(t, port);
    const warnings: string[] = [];
    const note = (_fields: object, message: string): unknown => warnings.push(message);
    const logger = { debug: note, info: note, warn: note, error: note };
    const rateLimits = [{ limit: 3 }];
    const options = {
      requester: new FakeRequester(),
      api,
      auth,
      rateLimits,
      redis: `redis://127.0.0.1:${port}`,
      logger,
    };
    const first = await ownServer(t, options);
    const second = await ownServer(t, options);
    const remaining = async (url: string): Promise<string | null> =>
      (await fetch(`${url}/a`)).headers.get('ratelimit');
    // The connection is established in the background. Until then, each gateway counts in memory.
    const connected = async (): Promise<boolean> => {
      const probe = await import('@redis/client').then(({ createClient }) =>
        createClient({ url: options.redis }).connect(),
      );
      const names = await probe.sendCommand<string>(['CLIENT', 'LIST']);
      probe.destroy();
      return names.trim().split('\n').length >= 3;
    };
    while (!(await connected()));
    assert.match((await remaining(first.url)) ?? '', /r=2/);
    assert.match((await remaining(second.url)) ?? '', /r=1/);
    assert.match((await remaining(first.url)) ?? '', /r=0/);
    assert.equal((await fetch(`${second.url}/a`)).status, 429);
    await stop();
    assert.equal((await fetch(`${first.url}/a`)).status, 200);
    await startRedis(t, port);
    const lost = 'no connection to Redis: rate limits are counted in memory';
    const back = 'rate limits are counted in Redis again';
    const backs = (): number => warnings.filter((line) => line === back).length;
    while (backs() < 2) await fetch(`${first.url}/a`);
    const redisLines = warnings.filter((line) => line.includes('Redis'));
    assert.deepEqual(redisLines.sort(), [lost, lost, back, back], 'one line of each gateway for each change');
  });

  it('rate limits in Redis: are counted in memory while Redis hangs, and in Redis again when it continues', async (t) => {
    const port = await freePort();
    const { signal } = await startRedis(t, port);
    const lines: string[] = [];
    const note = (_fields: object, message: string): unknown => lines.push(message);
    const logger = { debug: note, info: note, warn: note, error: note };
    const options = { api, auth, logger, redis: `redis://127.0.0.1:${port}` };
    const rateLimits = [{ limit: 1000 }];
    const { url } = await ownServer(t, { ...options, rateLimits, requester: new FakeRequester() });
    const counted = async (): Promise<number> => {
      const { createClient } = await import('@redis/client');
      const probe = await createClient({ url: options.redis }).connect();
      const [key] = await probe.keys('*');
      const count = key === undefined ? 0 : Number(await probe.get(key));
      probe.destroy();
      return count;
    };
    while ((await counted()) === 0) assert.equal((await fetch(`${url}/a`)).status, 200);

    signal('SIGSTOP');
    const started = performance.now();
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await fetch(`${url}/a`)).status),
    );
    assert.deepEqual(new Set(statuses), new Set([200]));
    const waited = performance.now() - started;
    assert.ok(waited < allowed(3000), `${waited} ms`);
    const hasty = performance.now();
    assert.match((await fetch(`${url}/a`)).headers.get('ratelimit') ?? '', /r=979/);
    assert.ok(performance.now() - hasty < allowed(200), 'no request waits for a Redis that is known to hang');
    assert.ok(lines.includes('Redis does not respond in time: rate limits are counted in memory'));

    signal('SIGCONT');
    const before = await counted();
    while ((await counted()) === before) assert.equal((await fetch(`${url}/a`)).status, 200);
    assert.ok(lines.includes('rate limits are counted in Redis again'));
  });

  it('rate limits in Redis: requests wait for a hanging Redis only until their deadline', async (t) => {
    const port = await freePort();
    const { signal } = await startRedis(t, port);
    const options = { api, auth, redis: `redis://127.0.0.1:${port}`, rateLimits: [{ limit: 100 }] };
    const { url } = await ownServer(t, { ...options, requester: new FakeRequester() });
    signal('SIGSTOP');
    const started = performance.now();
    assert.equal((await fetch(`${url}/a`, { headers: { 'request-timeout': '1' } })).status, 200);
    assert.ok(performance.now() - started < allowed(240));
    signal('SIGCONT');
  });
});
