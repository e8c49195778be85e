/** Limits of streams, and what hooks, the access log and pipelining make of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { reply } from '../../src/index.ts';
import { ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { exchangeRaw } from '../helpers/gateway/raw-http.ts';
import { StreamRequester } from '../helpers/gateway/stream-requester.ts';
import { until } from '../helpers/gateway/stream-worker.ts';
import { streamApi as api } from './stream-api.ts';

const BYTES = { contentType: 'application/octet-stream' };

function accessLog() {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  return { lines, options: { accessLog: true, logger: pino({ level: 'info' }, { write }) } };
}

describe('limits of streams', () => {
  it('limits.streamsPerCaller and limits.streams: 503, until a stream ends', async (t) => {
    for (const limits of [{ streamsPerCaller: 2 }, { streams: 2 }]) {
      const requester = new StreamRequester((stream) => {
        if (stream.request.eventName === 'get.plain') stream.end('{}', { contentType: '' });
        else stream.send('data: 1\n\n');
      });
      const { url, gateway } = await ownServer(t, { requester, api, limits });
      const abort = new AbortController();
      await fetch(`${url}/events`, { signal: abort.signal });
      await fetch(`${url}/events`, { signal: abort.signal });
      const response = await fetch(`${url}/events`);
      assert.ok(response.headers.has('retry-after'));
      assert.equal((await problemOf(response)).code, 'BUSY');
      assert.equal(gateway.streams.inFlight, 2);
      assert.equal((await fetch(`${url}/plain`)).status, 200);
      abort.abort();
      await until(() => gateway.streams.inFlight === 0);
      const last = new AbortController();
      assert.equal((await fetch(`${url}/events`, { signal: last.signal })).status, 200);
      last.abort();
    }
  });

  it('limits.inFlight: does not count streams', async (t) => {
    const requester = new StreamRequester((stream) => {
      if (stream.request.eventName === 'get.plain') stream.end('{}', { contentType: '' });
      else stream.send('data: 1\n\n');
    });
    const { url, gateway } = await ownServer(t, { requester, api, limits: { inFlight: 1 } });
    const abort = new AbortController();
    for (let n = 0; n < 3; n += 1) await fetch(`${url}/events`, { signal: abort.signal });
    assert.equal((await fetch(`${url}/plain`)).status, 200);
    assert.deepEqual([gateway.inFlight, gateway.streams.inFlight], [3, 3]);
    abort.abort();
  });
});

describe('access log of streams', () => {
  it('one line at the end, with bytes and outcome', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send('abc', BYTES);
      if (stream.request.extras?.range === undefined) stream.end('de');
      else setImmediate(() => stream.fail('WORKER_LOST'));
    });
    const { lines, options } = accessLog();
    const { url } = await ownServer(t, { requester, api, ...options });
    await (await fetch(`${url}/file`)).text();
    await assert.rejects(async () => (await fetch(`${url}/file`, { headers: { range: 'bytes=0-' } })).text());
    const shown = lines.map(({ status, code, bytes, received }) => ({ status, code, bytes, received }));
    assert.deepEqual(shown, [
      { status: 200, code: undefined, bytes: 5, received: 0 },
      { status: 200, code: 'WORKER_LOST', bytes: 3, received: 0 },
    ]);
  });

  it('a client that disconnects: 499 and the bytes so far', async (t) => {
    const requester = new StreamRequester((stream) => stream.send('abc', BYTES));
    const { lines, options } = accessLog();
    const { url } = await ownServer(t, { requester, api, ...options });
    const abort = new AbortController();
    await fetch(`${url}/file`, { signal: abort.signal });
    assert.equal(lines.length, 0);
    abort.abort();
    await until(() => lines.length > 0);
    const [{ status, code, bytes } = {}] = lines;
    assert.deepEqual({ status, code, bytes }, { status: 499, code: 'CANCELLED', bytes: 3 });
  });
});

describe('hooks and streams', () => {
  it('onReply sees and changes the head, while chunks wait', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send('abc', { ...BYTES, headers: { 'x-own': '1' } });
      stream.send('def');
      stream.end('g');
    });
    const seen: unknown[] = [];
    const { url } = await ownServer(t, {
      requester,
      api,
      hooks: {
        async onReply(head) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          seen.push(head.body.length, head.headers);
          head.headers['x-hook'] = 'yes';
        },
      },
    });
    const response = await fetch(`${url}/file`);
    assert.equal(response.headers.get('x-hook'), 'yes');
    assert.equal(await response.text(), 'abcdefg');
    assert.deepEqual(seen, [0, { 'x-own': '1', 'content-type': BYTES.contentType, 'x-hook': 'yes' }]);
  });

  it('the answer of a hook replaces a stream, and a failure that precedes it is a problem', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send('abc', BYTES);
      if (stream.request.eventName === 'get.lines') stream.fail('WORKER_LOST');
    });
    const { url } = await ownServer(t, {
      requester,
      api,
      hooks: {
        async onReply(_head, { operation }) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          return operation?.eventName === 'get.file' ? reply(201, { answer: 1 }) : undefined;
        },
      },
    });
    const response = await fetch(`${url}/file`);
    assert.deepEqual([response.status, await response.json()], [201, { answer: 1 }]);
    assert.equal(requester.streams[0]?.cancelled, true);
    assert.equal((await problemOf(await fetch(`${url}/lines`))).code, 'WORKER_LOST');
  });
});

describe('other features on routes with streams', () => {
  it('a hook that fails ends the stream of the worker', async (t) => {
    const requester = new StreamRequester((stream) => stream.send('abc', BYTES));
    const hooks = {
      onReply() {
        throw new Error('broken');
      },
    };
    const { url } = await ownServer(t, { requester, api, hooks });
    assert.equal((await problemOf(await fetch(`${url}/file`))).code, 'HOOK_ERROR');
    assert.equal(requester.streams[0]?.cancelled, true);
  });

  it('CORS headers, rate limits and Accept', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send('abc', BYTES);
      stream.end();
    });
    const { url } = await ownServer(t, {
      requester,
      api,
      cors: { origins: ['https://app.example'] },
      rateLimits: [{ limit: 2 }],
    });
    const headers = { origin: 'https://app.example' };
    const response = await fetch(`${url}/file`, { headers });
    assert.equal(response.headers.get('access-control-allow-origin'), 'https://app.example');
    assert.ok(response.headers.has('ratelimit'));
    assert.equal(await response.text(), 'abc');
    const other = await fetch(`${url}/file`, { headers: { accept: 'text/html' } });
    assert.equal((await problemOf(other)).status, 406);
    assert.equal((await problemOf(await fetch(`${url}/file`))).status, 429);
  });
});

describe('pipelined streams', () => {
  it('a stream that waits for an earlier response keeps to its window', async (t) => {
    const requester = new StreamRequester();
    const { port } = await ownServer(t, { requester, api });
    const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
    const text = exchangeRaw(port, get('/plain') + get('/file', 'Connection: close\r\n'));
    const first = await requester.next();
    await until(() => requester.streams.length === 2);
    const second = requester.streams[1];
    assert.ok(second);
    let sent = 0;
    while (second.window > 0) {
      second.send(Buffer.alloc(64 * 1024, 'x'), BYTES);
      sent += 64 * 1024;
    }
    assert.equal(sent, 256 * 1024);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(second.window <= 0);
    first.end('{}', { contentType: '' });
    await second.until(({ window }) => window > 0);
    second.end();
    const all = await text;
    assert.ok(all.endsWith('x\r\n0\r\n\r\n'));
    assert.equal(all.match(/x{65536}/g)?.length, 4);
  });
});
