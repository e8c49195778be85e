/** The admin listener over HTTP: its responses, who may use it, and what it rejects. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { LogLevel } from '../../src/core/logging/logging.ts';
import type { Health } from '../../src/core/observability/health.ts';
import {
  type ActionOutcome,
  type AdminOptions,
  type AdminSource,
  openAdminListener,
  type RequestsAnswer,
  type RequestsCommand,
  readToken,
  type Snapshot,
} from '../../src/gateway/admin/index.ts';
import { SILENT } from '../../src/gateway/common/api-source.ts';
import { exchangeRaw, parseRaw } from '../helpers/gateway/raw-http.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

const TOKEN = 'a-token-of-some-length';

class FakeSource implements AdminSource {
  readonly wishes: [verb: string, name: string, wanted: boolean][] = [];
  readonly changes = new Set<() => void>();
  healthNow: Health = { status: 'ok', reasons: [] };
  logLevel: LogLevel | 'silent' = 'info';
  broken = false;

  metrics(): Promise<string> {
    return this.broken ? Promise.reject(new Error('secret detail')) : Promise.resolve('a_metric 1\n');
  }

  health(): Promise<Health> {
    return Promise.resolve(this.healthNow);
  }

  snapshot(): Promise<Snapshot> {
    const { healthNow: health } = this;
    return Promise.resolve({
      at: 1,
      version: '1.2.3',
      health,
      gateways: [],
      routers: [],
      unavailable: [],
      departed: [],
    });
  }

  contract(name: string): Promise<unknown> {
    return Promise.resolve(name === 'tasks' ? { openapi: '3.1.0' } : undefined);
  }

  drainWorker(id: string, drain: boolean): Promise<ActionOutcome> {
    this.wishes.push(['drain', id, drain]);
    const elsewhere = { status: 403, detail: 'NOT_PERMITTED: the key does not allow it' };
    return Promise.resolve(id === 'elsewhere' ? elsewhere : id === 'w/1' ? 'done' : 'unknown');
  }

  pauseEvent(name: string, pause: boolean): Promise<ActionOutcome> {
    this.wishes.push(['pause', name, pause]);
    return Promise.resolve(name === 'a.get' ? 'done' : 'unknown');
  }

  requests(command: RequestsCommand): Promise<RequestsAnswer> {
    return Promise.resolve({ status: 200, body: command });
  }

  onChange(listener: () => void): () => void {
    this.changes.add(listener);
    return () => this.changes.delete(listener);
  }
}

async function open(t: TestContext, options: Partial<AdminOptions> = {}) {
  const source = new FakeSource();
  const listener = await openAdminListener({
    host: '127.0.0.1',
    port: 0,
    source,
    logger: SILENT,
    ...options,
  });
  t.after(() => listener.close());
  const url = listener.url.replace('0.0.0.0', '127.0.0.1');
  return { source, url };
}

/** Sets a log level with a JSON body and additional headers. */
function setLevel(url: string, level: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/log-level`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ level }),
  });
}

/** Returns the status of a request with this Host header, which fetch does not allow to set. */
function statusFor(url: string, path: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url + path, { headers: { host } }, (res) => {
      res.resume();
      resolve(res.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('admin listener', () => {
  it('admin listener: reports health with reasons, and metrics', async (t) => {
    const { source, url } = await open(t);
    const live = await fetch(`${url}/livez`);
    assert.deepEqual([live.status, await live.json()], [200, { status: 'ok', reasons: [] }]);
    const ready = await fetch(`${url}/readyz`);
    assert.equal(ready.status, 200);
    const reasons = [{ code: 'NO_ROUTER', detail: 'No router is reachable.' }];
    source.healthNow = { status: 'unavailable', reasons };
    const unready = await fetch(`${url}/readyz`);
    assert.deepEqual([unready.status, await unready.json()], [503, { status: 'unavailable', reasons }]);
    assert.equal(
      (await fetch(`${url}/livez`)).status,
      200,
      'the process is alive although no router is reachable',
    );
    source.healthNow = { status: 'degraded', reasons };
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    const metrics = await fetch(`${url}/metrics`);
    assert.equal(await metrics.text(), 'a_metric 1\n');
    assert.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(metrics.headers.get('cache-control'), 'no-store');
    assert.match(metrics.headers.get('content-security-policy') ?? '', /^default-src 'none';/);
  });

  it('admin listener: changes the log level', async (t) => {
    const { source, url } = await open(t);
    assert.deepEqual(await (await fetch(`${url}/log-level`)).json(), { level: 'info' });
    assert.equal((await setLevel(url, 'debug')).status, 200);
    assert.equal(source.logLevel, 'debug');
    for (const level of ['loud', '', 7, null, undefined]) {
      const refused = await setLevel(url, level);
      assert.equal(refused.status, 400);
      assert.match(((await refused.json()) as { detail: string }).detail, /one of trace, debug, info/);
    }
    assert.equal(source.logLevel, 'debug');
  });

  it('admin listener: drains workers and pauses events, whatever characters their names have', async (t) => {
    const { source, url } = await open(t);
    const post = (path: string, body: unknown) =>
      fetch(`${url}/api/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    assert.deepEqual(await (await post('workers/w%2F1/drain', { drain: true })).json(), {
      worker: 'w/1',
      drain: true,
    });
    assert.equal((await post('events/a.get/pause', { pause: false })).status, 200);
    assert.equal((await post('workers/other/drain', { drain: true })).status, 404);
    const refused = await post('workers/elsewhere/drain', { drain: true });
    assert.equal(refused.status, 403);
    assert.match(((await refused.json()) as { detail: string }).detail, /^NOT_PERMITTED/);
    for (const body of [{}, { pause: 'yes' }, [], { drain: true }]) {
      assert.equal((await post('events/a.get/pause', body)).status, 400);
    }
    assert.deepEqual(source.wishes, [
      ['drain', 'w/1', true],
      ['pause', 'a.get', false],
      ['drain', 'other', true],
      ['drain', 'elsewhere', true],
    ]);
    assert.deepEqual(await (await fetch(`${url}/api/contracts/tasks`)).json(), { openapi: '3.1.0' });
    assert.equal((await fetch(`${url}/api/contracts/other`)).status, 404);
  });

  it('admin listener: streams snapshots, one of them immediately after a change', async (t) => {
    const { source, url } = await open(t);
    const gone = new AbortController();
    const response = await fetch(`${url}/api/live`, { signal: gone.signal });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const snapshots = async (count: number) => {
      while (text.split('event: snapshot').length <= count) text += (await reader?.read())?.value ?? '';
    };
    await snapshots(1);
    assert.match(
      text,
      /^retry: 1000\n\nevent: history\ndata: \[\]\n\nevent: snapshot\ndata: {"at":1,.*}\n\n/,
    );
    for (const listener of source.changes) listener();
    await snapshots(2);
    assert.equal(source.changes.size, 1);
    gone.abort();
  });

  it('admin listener: serves the dashboard to every client, without resources of other hosts', async (t) => {
    const { url } = await open(t, { host: '0.0.0.0' });
    const page = await fetch(url);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    assert.doesNotMatch(await page.text(), /https?:|style=|onclick/);
    for (const file of ['app.js', 'views.js', 'style.css'])
      assert.equal((await fetch(`${url}/${file}`)).status, 200);
    assert.equal((await fetch(`${url}/api/snapshot`)).status, 403);
  });

  it('admin listener: rejects changes from pages of other sites', async (t) => {
    const { source, url } = await open(t);
    const plain = { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: '{"level":"debug"}' };
    assert.equal((await fetch(`${url}/log-level`, plain)).status, 415);
    assert.equal((await setLevel(url, 'debug', { 'sec-fetch-site': 'cross-site' })).status, 403);
    assert.equal((await setLevel(url, 'debug', { 'sec-fetch-site': 'same-site' })).status, 403);
    const preflight = await fetch(`${url}/log-level`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'PUT' },
    });
    assert.equal(preflight.headers.get('access-control-allow-origin'), null);
    assert.equal(source.logLevel, 'info');
  });

  it('admin listener: on loopback, rejects host names that could be rebound to it', async (t) => {
    const { url } = await open(t);
    for (const host of ['evil.example', 'evil.example:80', '10.0.0.1']) {
      assert.equal(await statusFor(url, '/metrics', host), 403, host);
    }
    for (const host of ['localhost', 'LOCALHOST:9090', 'localhost.', '', '127.0.0.1', '[::1]:9090']) {
      assert.equal(await statusFor(url, '/metrics', host), 200, host);
    }
  });

  it('admin listener: accepts HTTP/1.0 requests without a host', async (t) => {
    const { url } = await open(t);
    const { port } = new URL(url);
    const { status } = parseRaw(await exchangeRaw(Number(port), 'GET /metrics HTTP/1.0\r\n\r\n'));
    assert.equal(status, 200);
  });

  it('admin listener: rejects live streams for other sites, and limits them per address', async (t) => {
    const { url } = await open(t);
    const gone = new AbortController();
    t.after(() => gone.abort());
    const live = (headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${url}/api/live`, { signal: gone.signal, headers });
    const foreign: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ];
    for (const headers of foreign) assert.equal((await live(headers)).status, 403, JSON.stringify(headers));
    assert.equal(
      (await fetch(`${url}/api/snapshot`, { headers: { 'sec-fetch-site': 'cross-site' } })).status,
      403,
    );
    const own: Record<string, string>[] = [
      { 'sec-fetch-site': 'same-origin', origin: 'http://proxied.example' },
      { origin: url },
      {},
    ];
    for (const headers of own) assert.equal((await live(headers)).status, 200, JSON.stringify(headers));
    for (let count = own.length; count < 10; count += 1) assert.equal((await live()).status, 200);
    const refused = await live();
    assert.equal(refused.status, 503);
    assert.match(await refused.text(), /127\.0\.0\.1 has 10 live views/);
    gone.abort();
    const again = new AbortController();
    t.after(() => again.abort());
    let response = await fetch(`${url}/api/live`, { signal: again.signal });
    while (response.status !== 200) response = await fetch(`${url}/api/live`, { signal: again.signal });
  });

  it('admin listener: without a token, serves only health and metrics to other hosts', async (t) => {
    const { url } = await open(t, { host: '0.0.0.0' });
    for (const path of ['/livez', '/readyz', '/metrics']) assert.equal((await fetch(url + path)).status, 200);
    const refused = await fetch(`${url}/log-level`);
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /--admin-token-file/);
    assert.equal((await setLevel(url, 'debug')).status, 403);
  });

  it('admin listener: requires its token if one is configured', async (t) => {
    const { source, url } = await open(t, { host: '0.0.0.0', token: TOKEN });
    assert.equal((await fetch(`${url}/metrics`)).status, 200);
    const without = await setLevel(url, 'debug');
    assert.equal(without.status, 401);
    assert.equal(without.headers.get('www-authenticate'), 'Bearer realm="admin"');
    assert.equal((await setLevel(url, 'debug', { authorization: `Bearer ${TOKEN}x` })).status, 401);
    assert.equal((await setLevel(url, 'debug', { authorization: `Basic ${TOKEN}` })).status, 401);
    assert.equal(source.logLevel, 'info');
    assert.equal((await setLevel(url, 'debug', { authorization: `Bearer ${TOKEN}` })).status, 200);
    assert.equal(source.logLevel, 'debug');
  });

  it('admin listener: responds to invalid requests and keeps details of internal errors to itself', async (t) => {
    const { source, url } = await open(t);
    const headers = { 'content-type': 'application/json' };
    assert.equal((await fetch(`${url}/log-level`, { method: 'PUT', headers, body: '{' })).status, 400);
    const large = JSON.stringify({ level: 'x'.repeat(20_000) });
    assert.equal((await fetch(`${url}/log-level`, { method: 'PUT', headers, body: large })).status, 413);
    assert.equal((await fetch(`${url}/nothing`)).status, 404);
    source.broken = true;
    const broken = await fetch(`${url}/metrics`);
    assert.equal(broken.status, 500);
    assert.doesNotMatch(await broken.text(), /secret/);
  });

  it('admin listener: reports why it cannot listen', async (t) => {
    const other = createServer();
    scopeOf(t).after(() => other.close());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    await assert.rejects(open(t, { port }), /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
  });
});

describe('admin token', () => {
  it('admin token: is the only line of its file', (t) => {
    const file = join(tempFolder(t), 'token');
    writeFileSync(file, `${TOKEN}\n`);
    assert.equal(readToken(file), TOKEN);
    for (const text of ['', 'short', 'two words of some length', 'two-lines-of-a\ntoken-of-length']) {
      writeFileSync(file, text);
      assert.throws(() => readToken(file), /must be one line of 16 to 512 printable/);
    }
    assert.throws(() => readToken(`${file}-not-there`), /cannot read the admin token/);
  });
});
