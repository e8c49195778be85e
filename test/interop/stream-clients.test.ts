/** Streams of the gateway with clients of others: curl, python3-requests, undici, eventsource, openapi-fetch, nginx. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { EventSource } from 'eventsource';
import createClient from 'openapi-fetch';
import { request, stream } from 'undici';

import { freePort } from '../../scripts/lib/ports.ts';
import { bytesOf, startStreams, TEXT, until } from '../helpers/gateway/stream-worker.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

const withoutCurl = spawnSync('curl', ['--version']).status === 0 ? false : 'curl is not installed';
const NGINX = '/usr/sbin/nginx';
const withoutNginx = existsSync(NGINX) ? false : 'nginx is not installed';
const withoutRequests =
  spawnSync('/usr/bin/python3', ['-c', 'import requests']).status === 0
    ? false
    : 'python3-requests is not installed';

const SIZE = 3_000_000;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

interface Result {
  readonly code: number;
  readonly out: Buffer;
}

function run(program: string, args: readonly string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(
      program,
      [...args],
      { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024, timeout: PATIENCE },
      (error, out) => resolve({ code: error === null ? 0 : Number(error.code), out }),
    );
  });
}

const curl = (...args: string[]): Promise<Result> => run('curl', ['-s', '-S', '--max-time', '50', ...args]);

describe('curl', { skip: withoutCurl }, () => {
  it('-N: prints events; downloads arrive unchanged, and their ranges', async (t) => {
    const { url } = await startStreams(t, 'separate');
    const events = await curl('-N', `${url}/events/2`);
    assert.equal(events.out.toString(), 'id: 1\ndata: {"n":1}\n\nid: 2\ndata: {"n":2}\n\n');
    const bytes = await curl(`${url}/bytes/${SIZE}`);
    assert.deepEqual([bytes.code, sha256(bytes.out)], [0, sha256(bytesOf(SIZE))]);
    const part = await curl('-r', '10-19', `${url}/bytes/${SIZE}`);
    assert.deepEqual(part.out, bytesOf(SIZE).subarray(10, 20));
    const slow = await curl('--limit-rate', '4M', `${url}/bytes/${SIZE}`);
    assert.deepEqual([slow.code, slow.out.length], [0, SIZE]);
  });

  it('exits with 18 when a download is cut off', async (t) => {
    const { url } = await startStreams(t, 'separate');
    const { code, out } = await curl(`${url}/broken`);
    assert.deepEqual([code, out.toString()], [18, 'abc']);
    const events = await curl(`${url}/broken-events`);
    assert.equal(events.code, 0);
    assert.match(events.out.toString(), /\n\nevent: error\ndata: \{.*"HANDLER_ERROR".*\}\n\n$/);
  });

  it('-T and -F: uploads files and forms', async (t) => {
    const { url } = await startStreams(t, 'separate');
    const file = path.join(tempFolder(scopeOf(t)), 'a.bin');
    writeFileSync(file, bytesOf(SIZE));
    const expected = { length: SIZE, sha256: sha256(bytesOf(SIZE)) };
    for (const args of [
      ['-T', file],
      ['-T', file, '--limit-rate', '4M'],
      ['-T', file, '-H', 'Transfer-Encoding: chunked'],
    ]) {
      const { out } = await curl(...args, `${url}/bytes`);
      const { contentType, ...reply } = JSON.parse(out.toString()) as Record<string, unknown>;
      assert.deepEqual(reply, expected);
      assert.equal(contentType, 'application/octet-stream');
    }
    const form = await curl('-F', `title=${TEXT}`, '-F', `photo=@${file};type=image/png`, `${url}/form`);
    assert.deepEqual(JSON.parse(form.out.toString()), {
      title: TEXT,
      files: [{ name: 'photo', filename: 'a.bin', contentType: 'image/png', length: SIZE }],
    });
    const late = await curl('-F', `photo=@${file}`, '-F', 'title=late', `${url}/form`);
    assert.match(late.out.toString(), /must precede the first file/);
  });

  it('a curl that ends aborts the signal of the handler', async (t) => {
    const { url, seen } = await startStreams(t, 'separate');
    const child = spawn('curl', ['-sN', `${url}/events/900`], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    child.kill();
    await until(() => seen.aborted.length > 0);
  });
});

describe('python3-requests', { skip: withoutRequests }, () => {
  it('streams a download, and uploads a stream and a form', async (t) => {
    const { url } = await startStreams(t, 'separate');
    const program = `
import hashlib, json, requests, sys
url = sys.argv[1]
digest = hashlib.sha256()
with requests.get(url + '/bytes/${SIZE}', stream=True) as response:
    for chunk in response.iter_content(7919):
        digest.update(chunk)
lines = [json.loads(line)['n'] for line in requests.get(url + '/lines/3', stream=True).iter_lines()]
def body():
    for _ in range(10):
        yield b'x' * 100000
put = requests.put(url + '/bytes', data=body()).json()
files = {'photo': ('${TEXT}.png', b'y' * 200000, 'image/png')}
form = requests.post(url + '/form', data={'title': '${TEXT}'}, files=files).json()
try:
    cut = len(requests.get(url + '/broken').content)
except requests.exceptions.ChunkedEncodingError:
    cut = 'ChunkedEncodingError'
print(json.dumps([digest.hexdigest(), lines, put['length'], form, cut]))
`;
    const { out } = await run('/usr/bin/python3', ['-c', program, url]);
    assert.deepEqual(JSON.parse(out.toString()), [
      sha256(bytesOf(SIZE)),
      [1, 2, 3],
      1_000_000,
      {
        title: TEXT,
        files: [{ name: 'photo', filename: `${TEXT}.png`, contentType: 'image/png', length: 200_000 }],
      },
      'ChunkedEncodingError',
    ]);
  });
});

describe('clients of Node.js', () => {
  it('undici: streams a download and an upload, and notices a cut', async (t) => {
    const { url } = await startStreams(t, 'embedded');
    const hash = createHash('sha256');
    await stream(`${url}/bytes/${SIZE}`, { method: 'GET' }, () => hash);
    assert.equal(hash.digest('hex'), sha256(bytesOf(SIZE)));
    async function* body(): AsyncGenerator<Buffer> {
      for (let n = 0; n < 20; n += 1) yield Buffer.alloc(50_000);
      await Promise.resolve();
    }
    const put = await request(`${url}/bytes`, { method: 'PUT', body: Readable.from(body()) });
    assert.equal(((await put.body.json()) as { length: number }).length, 1_000_000);
    const broken = await request(`${url}/broken`);
    await assert.rejects(broken.body.text(), /terminated|closed/i);
  });

  it('openapi-fetch: parseAs stream', async (t) => {
    const { url } = await startStreams(t, 'embedded');
    interface Paths {
      '/lines/{count}': {
        get: {
          parameters: { path: { count: number } };
          responses: { 200: { content: { 'application/x-ndjson': unknown } } };
        };
      };
    }
    const client = createClient<Paths>({ baseUrl: url });
    const params = { path: { count: 3 } };
    const { data } = await client.GET('/lines/{count}', { params, parseAs: 'stream' });
    let text = '';
    for await (const chunk of data as unknown as AsyncIterable<Uint8Array>)
      text += Buffer.from(chunk).toString();
    assert.equal(text, '{"n":1}\n{"n":2}\n{"n":3}\n');
  });

  it('eventsource: receives events, connects again after the last one, and sees the error event', async (t) => {
    const { url } = await startStreams(t, 'embedded');
    const source = new EventSource(`${url}/events/5`);
    t.after(() => source.close());
    const ids: string[] = [];
    source.addEventListener('message', ({ lastEventId }) => ids.push(lastEventId));
    await until(() => ids.length === 5);
    // The stream has ended: the client connects again after its last event, and gets no event twice.
    await until(() => source.readyState === EventSource.CONNECTING);
    source.close();
    assert.deepEqual(ids, ['1', '2', '3', '4', '5']);
    const broken = new EventSource(`${url}/broken-events`);
    t.after(() => broken.close());
    const problem = await new Promise<{ code: string }>((resolve) => {
      broken.addEventListener('error', (event) => {
        const { data } = event as unknown as { data?: string };
        if (data !== undefined) resolve(JSON.parse(data) as { code: string });
      });
    });
    broken.close();
    assert.equal(problem.code, 'HANDLER_ERROR');
  });
});

describe('nginx', { skip: withoutNginx }, () => {
  const startNginx = async (t: TestContext, upstream: string, buffering: 'on' | 'off'): Promise<string> => {
    const scope = scopeOf(t);
    const folder = tempFolder(scope);
    const port = await freePort();
    for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(path.join(folder, name));
    const temp = ['proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
    const config = `
      daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
      ${process.getuid?.() === 0 ? 'user root;' : ''}
      events {}
      http {
        access_log off; client_body_temp_path ${folder}/body; ${temp.join(' ')}
        server {
          listen 127.0.0.1:${port}; client_max_body_size 0; proxy_request_buffering ${buffering};
          location / {
            proxy_pass ${upstream}; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_buffering ${buffering};
          }
        }
      }`;
    writeFileSync(path.join(folder, 'nginx.conf'), config);
    const args = ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', path.join(folder, 'error.log')];
    const child: ChildProcess = spawn(NGINX, args, { stdio: 'ignore' });
    scope.after(async () => {
      child.kill();
      await once(child, 'exit');
    });
    const url = `http://127.0.0.1:${port}`;
    for (;;) {
      const answer = await fetch(`${url}/livez`).catch(() => undefined);
      if (answer?.ok === true) return url;
      assert.equal(child.exitCode, null, 'nginx has exited');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  for (const buffering of ['on', 'off'] as const) {
    it(`with buffering ${buffering}: events arrive one by one, and bytes both ways unchanged`, async (t) => {
      const { url: upstream, seen } = await startStreams(t, 'embedded');
      const url = await startNginx(t, upstream, buffering);
      const abort = new AbortController();
      const events = await fetch(`${url}/events/900`, { signal: abort.signal });
      const first = await events.body?.getReader().read();
      const text = Buffer.from(first?.value ?? []).toString();
      assert.ok(text.startsWith('id: 1\n') && !text.includes('id: 900\n'), text);
      abort.abort();
      await until(() => seen.aborted.length > 0);
      const bytes = Buffer.from(await (await fetch(`${url}/bytes/${SIZE}`)).arrayBuffer());
      assert.equal(sha256(bytes), sha256(bytesOf(SIZE)));
      const put = await fetch(`${url}/bytes`, { method: 'PUT', body: bytesOf(SIZE) });
      assert.equal(((await put.json()) as { sha256: string }).sha256, sha256(bytesOf(SIZE)));
      await assert.rejects(async () => (await fetch(`${url}/broken`)).arrayBuffer());
    });
  }
});
