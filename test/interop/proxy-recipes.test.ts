// test:all: needs nginx and Caddy; stream-clients.test.ts represents it
/** The configurations of nginx and Caddy in docs/guides/serve-https.md, in front of a gateway. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../scripts/lib/ports.ts';
import { within } from '../helpers/eventually.ts';
import { bytesOf, type Seen, startStreams, until } from '../helpers/gateway/stream-worker.ts';
import { type Cleanup, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

const GUIDE = new URL('../../docs/guides/serve-https.md', import.meta.url);
const NGINX = '/usr/sbin/nginx';
const withoutNginx = existsSync(NGINX) ? false : 'nginx is not installed';
const withoutCaddy = spawnSync('caddy', ['version']).status === 0 ? false : "'caddy' is not installed";

/** The configuration on the page below a heading, with other values for those of the example. */
function recipe(heading: string, values: Readonly<Record<string, string>>): string {
  const [, section = ''] = readFileSync(GUIDE, 'utf8').split(`\n## ${heading}\n`);
  let text = /```text\n(.*?)```/s.exec(section)?.[1] ?? assert.fail(`the page has no ${heading}`);
  for (const [from, to] of Object.entries(values)) {
    assert.ok(text.includes(from), `the configuration has ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly cert: string;
  readonly key: string;
}

async function place(cleanup: Cleanup): Promise<Place> {
  const folder = tempFolder(cleanup);
  const [cert, key] = [path.join(folder, 'tls.pem'), path.join(folder, 'tls.key')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const made = spawnSync('openssl', ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', cert]);
  assert.equal(made.status, 0, String(made.stderr));
  return { folder, cert, key, port: await freePort() };
}

/** Starts a proxy, and waits until it passes requests on. */
async function start(t: TestContext, program: string, args: string[], { port, cert }: Place) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  scopeOf(t).after(async () => {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  });
  const ca = readFileSync(cert);
  const attempt = async (): Promise<boolean> => {
    const client = open(port, ca);
    try {
      return (await get(client, '/livez')).status === 200;
    } catch {
      return false;
    } finally {
      client.destroy();
    }
  };
  while (!(await attempt())) {
    assert.equal(child.exitCode, null, `${program} has exited: ${errors}`);
    await sleep(20);
  }
  const client = open(port, ca);
  t.after(() => client.destroy());
  return client;
}

function open(port: number, ca: Buffer) {
  const client = connect(`https://localhost:${port}`, { ca });
  client.on('error', () => undefined);
  return client;
}

type Client = ReturnType<typeof open>;

/** Sends a request over HTTP/2, and resolves with the head of its response. */
async function send(client: Client, headers: IncomingHttpHeaders, body?: Buffer) {
  const stream = client.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const failed = once(client, 'close').then(() => assert.fail('the connection was closed'));
  const [head] = (await Promise.race([once(stream, 'response'), failed])) as [IncomingHttpHeaders];
  return { stream, status: Number(head[':status']) };
}

async function get(client: Client, target: string): Promise<{ status: number; body: Buffer }> {
  const { stream, status } = await send(client, { ':path': target });
  return { status, body: await buffer(stream) };
}

async function firstChunk(stream: ClientHttp2Stream): Promise<string> {
  const [chunk] = (await within(once(stream, 'data'), 'the first event')) as [Buffer];
  return chunk.toString();
}

const SIZE = 3_000_000;

/** What both proxies pass on: replies, events one by one, downloads, and uploads of any size. */
async function check(client: Client, { aborted }: Seen): Promise<void> {
  const { stream } = await send(client, { ':path': '/events/900' });
  const first = await firstChunk(stream);
  assert.ok(first.startsWith('id: 1\n') && !first.includes('id: 900\n'), first);
  stream.close();
  await until(() => aborted.length > 0);
  const bytes = await get(client, `/bytes/${SIZE}`);
  assert.deepEqual([bytes.status, bytes.body.equals(bytesOf(SIZE))], [200, true]);
  const put = await send(client, { ':method': 'PUT', ':path': '/bytes' }, bytesOf(SIZE));
  const stored = JSON.parse(String(await buffer(put.stream))) as { length: number };
  assert.deepEqual([put.status, stored.length], [200, SIZE]);
}

describe('configurations of proxies in the guide', () => {
  it('nginx: serves HTTPS and HTTP/2, and passes streams and uploads on', {
    skip: withoutNginx,
  }, async (t) => {
    const { url, seen } = await startStreams(t, 'embedded');
    const here = await place(scopeOf(t));
    const { folder, port, cert, key } = here;
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    for (const name of temporary) mkdirSync(path.join(folder, name));
    const server = recipe('nginx', {
      '127.0.0.1:8080': new URL(url).host,
      'listen 443': `listen 127.0.0.1:${port}`,
      'api.example;': 'localhost;',
      '/etc/letsencrypt/live/api.example/fullchain.pem': cert,
      '/etc/letsencrypt/live/api.example/privkey.pem': key,
    });
    const paths = temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
    const user = process.getuid?.() === 0 ? 'user root;' : '';
    const file = path.join(folder, 'nginx.conf');
    const config = `daemon off; pid ${folder}/pid; ${user} events {}\nhttp { access_log off; ${paths}\n${server}}`;
    writeFileSync(file, config);
    const client = await start(t, NGINX, ['-p', folder, '-c', file, '-e', 'stderr'], here);
    await check(client, seen);
  });

  it('Caddy: serves HTTPS and HTTP/2, and passes streams and uploads on', {
    skip: withoutCaddy,
  }, async (t) => {
    const { url, seen } = await startStreams(t, 'embedded');
    const here = await place(scopeOf(t));
    const { folder, port, cert, key } = here;
    const site = recipe('Caddy', {
      '127.0.0.1:8080': new URL(url).host,
      'api.example {': `https://localhost:${port} {\n  bind 127.0.0.1\n  tls ${cert} ${key}`,
    });
    const file = path.join(folder, 'Caddyfile');
    writeFileSync(file, `{\n  admin off\n  auto_https off\n  storage file_system ${folder}\n}\n${site}`);
    const client = await start(t, 'caddy', ['run', '--config', file, '--adapter', 'caddyfile'], here);
    await check(client, seen);
  });
});
