/** Replies that are streams: their heads, flow control and failures over HTTP. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { HOSTS, ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { exchangeRaw, parseRaw } from '../helpers/gateway/raw-http.ts';
import { type FakeHead, StreamRequester } from '../helpers/gateway/stream-requester.ts';
import { allowed } from '../helpers/patience.ts';
import type { Cleanup } from '../helpers/scope.ts';
import { streamApi as api } from './stream-api.ts';

const BYTES: FakeHead = { contentType: 'application/octet-stream' };
const get = (path: string, lines: string[] = [], version = '1.1'): string =>
  `${[`GET ${path} HTTP/${version}`, 'Host: a', ...lines].join('\r\n')}\r\n\r\n`;

for (const [name, host] of HOSTS) {
  describe(`streamed replies (${name})`, () => {
    it('sends status and headers with the first chunk', async (t) => {
      const requester = new StreamRequester();
      const { url } = await host(t, { requester, api });
      const response = fetch(`${url}/events`);
      const stream = await requester.next();
      stream.send('data: {"n":1}\n\n', { headers: { 'x-own': 'yes' } });
      const { status, headers, body } = await response;
      assert.equal(status, 200);
      assert.equal(headers.get('content-type'), 'text/event-stream');
      assert.equal(headers.get('cache-control'), 'no-cache');
      assert.equal(headers.get('x-accel-buffering'), 'no');
      assert.equal(headers.get('x-own'), 'yes');
      assert.equal(headers.get('etag'), null);
      const reader = body?.getReader();
      const first = await reader?.read();
      assert.equal(Buffer.from(first?.value ?? []).toString(), 'data: {"n":1}\n\n');
      stream.end();
      assert.equal((await reader?.read())?.done, true);
    });

    it('sends the head at once when the first chunk is empty', async (t) => {
      const requester = new StreamRequester();
      const { url } = await host(t, { requester, api });
      const response = fetch(`${url}/file`);
      const stream = await requester.next();
      stream.send('', BYTES);
      assert.equal((await response).status, 200);
      stream.end();
      assert.equal((await (await response).arrayBuffer()).byteLength, 0);
    });

    it('sends chunks of every size unchanged: one byte, binary zeros, parts of characters', async (t) => {
      const whole = Buffer.concat([Buffer.from('añ€😀'), Buffer.alloc(5), Buffer.from([255, 254])]);
      const requester = new StreamRequester(async (stream) => {
        for (const byte of whole) await stream.write(Buffer.from([byte]), BYTES);
        stream.end(whole);
      });
      const { url } = await host(t, { requester, api });
      const received = Buffer.from(await (await fetch(`${url}/file`)).arrayBuffer());
      assert.deepEqual(received, Buffer.concat([whole, whole]));
    });
  });
}

describe('heads of streamed replies', () => {
  it('sends the content length that the worker announced', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send('abc', { ...BYTES, headers: { 'content-length': '5', 'accept-ranges': 'bytes' } });
      stream.end('de');
    });
    const { port } = await ownServer(t, { requester, api });
    const response = parseRaw(await exchangeRaw(port, get('/file', ['Connection: close'])));
    assert.equal(response.headers.get('content-length'), '5');
    assert.equal(response.headers.get('transfer-encoding'), undefined);
    assert.equal(response.headers.get('accept-ranges'), 'bytes');
    assert.equal(response.body, 'abcde');
  });

  it('passes Range on, and 206, Content-Range and Content-Disposition back', async (t) => {
    const requester = new StreamRequester((stream) => {
      const headers = {
        'content-range': 'bytes 2-4/9',
        'content-length': '3',
        'content-disposition': 'attachment; filename="a.bin"',
      };
      stream.send('cde', { ...BYTES, status: 206, headers });
      stream.end();
    });
    const { url } = await ownServer(t, { requester, api });
    const response = await fetch(`${url}/file`, { headers: { range: 'bytes=2-4' } });
    assert.equal(response.status, 206);
    assert.equal(response.headers.get('content-range'), 'bytes 2-4/9');
    assert.equal(response.headers.get('content-disposition'), 'attachment; filename="a.bin"');
    assert.equal(await response.text(), 'cde');
    assert.equal(requester.streams[0]?.request.extras?.range, 'bytes=2-4');
  });

  it('passes 416 with Content-Range on', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.end('', { ...BYTES, status: 416, headers: { 'content-range': 'bytes */9' } });
    });
    const { url } = await ownServer(t, { requester, api });
    const response = await fetch(`${url}/file`, { headers: { range: 'bytes=20-' } });
    assert.equal(response.status, 416);
    assert.equal(response.headers.get('content-range'), 'bytes */9');
  });

  it('If-Range: requests the whole file when the partial reply is of another version', async (t) => {
    const requester = new StreamRequester((stream) => {
      const isPartial = stream.request.extras?.range !== undefined;
      stream.send(isPartial ? 'b' : 'abc', {
        ...BYTES,
        status: isPartial ? 206 : 200,
        headers: { etag: '"v2"' },
      });
      stream.end();
    });
    const { url } = await ownServer(t, { requester, api });
    const range = 'bytes=1-1';
    const changed = await fetch(`${url}/file`, { headers: { range, 'if-range': '"v1"' } });
    assert.deepEqual([changed.status, await changed.text()], [200, 'abc']);
    assert.equal(requester.streams[0]?.cancelled, true);
    const same = await fetch(`${url}/file`, { headers: { range, 'if-range': '"v2"' } });
    assert.deepEqual([same.status, await same.text()], [206, 'b']);
  });

  it('HEAD: sends the head and cancels the stream', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send('', { ...BYTES, headers: { 'content-length': '7' } });
    });
    const { url } = await ownServer(t, { requester, api });
    const response = await fetch(`${url}/file`, { method: 'HEAD' });
    assert.equal(response.headers.get('content-length'), '7');
    assert.equal(requester.streams[0]?.request.extras?.method, 'HEAD');
    assert.equal(requester.streams[0]?.cancelled, true);
  });

  it('204 and 304: sends no body and cancels the stream', async (t) => {
    const requester = new StreamRequester((stream) => {
      if (stream.request.eventName === 'get.events') stream.send('x', { status: 204 });
      else stream.send('x', { ...BYTES, headers: { etag: '"v1"' } });
    });
    const { url } = await ownServer(t, { requester, api });
    const none = await fetch(`${url}/events`);
    assert.deepEqual([none.status, await none.text()], [204, '']);
    const same = await fetch(`${url}/file`, { headers: { 'if-none-match': '"v1"' } });
    assert.deepEqual([same.status, same.headers.get('etag')], [304, '"v1"']);
    assert.deepEqual(
      requester.streams.map(({ cancelled }) => cancelled),
      [true, true],
    );
  });

  it('does not compress streams', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send('data: 1\n\n'.repeat(1000));
      stream.end();
    });
    const { url } = await ownServer(t, { requester, api });
    const response = await fetch(`${url}/events`, { headers: { 'accept-encoding': 'gzip, br' } });
    assert.equal(response.headers.get('content-encoding'), null);
    assert.equal((await response.text()).length, 9000);
  });

  it('a reply that is not a stream is sent as on other routes', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.end('{"a":1}', { contentType: 'application/json' });
    });
    const { url } = await ownServer(t, { requester, api });
    const response = await fetch(`${url}/events`);
    assert.equal(response.headers.get('content-length'), '7');
    assert.deepEqual(await response.json(), { a: 1 });
  });

  it('routes without streams announce no window', async (t) => {
    const requester = new StreamRequester((stream) => stream.end('{}', { contentType: '' }));
    const { url } = await ownServer(t, { requester, api });
    await fetch(`${url}/plain`);
    await fetch(`${url}/file`);
    assert.equal(requester.streams[0]?.request.stream, undefined);
    assert.equal(requester.streams[1]?.request.stream?.window, 256 * 1024);
  });

  it('HTTP/1.0: ends the body with the connection', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send('abc', BYTES);
      stream.end('def');
    });
    const { port } = await ownServer(t, { requester, api });
    const response = parseRaw(await exchangeRaw(port, get('/file', [], '1.0')));
    assert.equal(response.headers.get('transfer-encoding'), undefined);
    assert.equal(response.body, 'abcdef');
  });

  it('Server-Timing: the time to the first chunk', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send('a', BYTES);
      stream.end();
    });
    const { url } = await ownServer(t, { requester, api, serverTiming: 'always' });
    const response = await fetch(`${url}/file`);
    assert.match(response.headers.get('server-timing') ?? '', /first-chunk;dur=\d/);
    await response.arrayBuffer();
  });
});

describe('flow control of streamed replies', () => {
  it('a client that does not read stops the worker, and one that reads on lets it continue', async (t) => {
    const requester = new StreamRequester();
    const { port, gateway } = await ownServer(t, { requester, api });
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.write(get('/file'));
    socket.pause();
    const stream = await requester.next();
    const chunk = Buffer.alloc(64 * 1024);
    let sent = 0;
    // The kernel takes some megabytes, then nothing.
    for (;;) {
      const isOpen = stream.until(({ window }) => window > 0).then(() => true);
      const isStopped = gateway.streams.replyStalls > 0 && stream.window <= 0;
      if (isStopped && !(await Promise.race([isOpen, timeOut(200)]))) break;
      await isOpen;
      stream.send(chunk, BYTES);
      sent += chunk.length;
    }
    assert.ok(sent < 64 * 1024 * 1024, `the worker sent ${sent} bytes`);
    let received = 0;
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
    socket.resume();
    await stream.until(({ window }) => window >= 256 * 1024 - 64 * 1024);
    stream.end();
    while (received < sent) await once(socket, 'data');
    assert.equal(gateway.streams.replyBytes, sent);
  });

  it('100,000 tiny events pass within the window', async (t) => {
    const requester = new StreamRequester(async (stream) => {
      for (let n = 0; n < 100_000; n += 1) {
        if (stream.window > 0) stream.send(`data: ${n}\n\n`);
        else await stream.write(`data: ${n}\n\n`);
      }
      stream.end();
    });
    const { url } = await ownServer(t, { requester, api, replies: { check: 'off' } });
    const text = await (await fetch(`${url}/events`)).text();
    assert.equal(text.split('\n\n').length, 100_001);
    assert.ok(text.endsWith('data: 99999\n\n'));
  });

  it('a client that disconnects cancels the request within 100 ms', async (t) => {
    const requester = new StreamRequester();
    const { url } = await ownServer(t, { requester, api });
    const abort = new AbortController();
    const response = fetch(`${url}/events`, { signal: abort.signal });
    const stream = await requester.next();
    stream.send('data: {"n":1}\n\n');
    await response;
    const started = performance.now();
    abort.abort();
    await stream.until(({ cancelled }) => cancelled);
    assert.ok(performance.now() - started < allowed(100));
  });
});

describe('failures of streamed replies', () => {
  it('before the first chunk: an ordinary problem', async (t) => {
    const requester = new StreamRequester((stream) => stream.fail('WORKER_LOST'));
    const { url } = await ownServer(t, { requester, api });
    const problem = await problemOf(await fetch(`${url}/events`));
    assert.deepEqual([problem.status, problem.code], [502, 'WORKER_LOST']);
  });

  const cutOff = async (t: Cleanup, path: string, head: FakeHead): Promise<string> => {
    const requester = new StreamRequester((stream) => {
      stream.send('abc', head);
      setImmediate(() => stream.fail('WORKER_LOST'));
    });
    const { port } = await ownServer(t, { requester, api });
    return exchangeRaw(port, get(path));
  };

  it('bytes and lines: the connection closes without the last chunk', async (t) => {
    for (const [path, contentType] of [
      ['/file', 'application/octet-stream'],
      ['/lines', 'application/x-ndjson'],
    ] as const) {
      const text = await cutOff(t, path, { contentType });
      assert.match(text, /\r\n3\r\nabc\r\n$/);
    }
  });

  it('a known length: the connection closes before the last byte', async (t) => {
    const text = await cutOff(t, '/file', { ...BYTES, headers: { 'content-length': '4' } });
    assert.match(text, /\r\n\r\nabc$/);
  });

  it('a failure after all announced bytes does not look complete', async (t) => {
    const text = await cutOff(t, '/file', { ...BYTES, headers: { 'content-length': '3' } });
    assert.match(text, /\r\n\r\n$/);
  });

  it('HTTP/1.0: resets the connection, because its end would look like the end of the body', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send('abc', BYTES);
      setTimeout(() => stream.fail('WORKER_LOST'), 20);
    });
    const { port } = await ownServer(t, { requester, api });
    const socket = connect(port, '127.0.0.1');
    socket.write(get('/file', [], '1.0'));
    socket.resume();
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
  });

  it('fewer or more bytes than announced: the connection closes, and the log has the reason', async (t) => {
    for (const [sent, message] of [
      ['ab', /sent 2\./],
      ['abcd', /sent 4 or more/],
    ] as const) {
      const reasons: unknown[] = [];
      const logger = pino(
        { level: 'error' },
        { write: (line: string) => reasons.push(JSON.parse(line).reason) },
      );
      const requester = new StreamRequester((stream) => {
        stream.send('', { ...BYTES, headers: { 'content-length': '3' } });
        stream.send(sent);
        stream.end();
      });
      const { port, gateway } = await ownServer(t, { requester, api, logger });
      const text = await exchangeRaw(port, get('/file'));
      assert.ok(!text.endsWith('abc'), text);
      assert.equal(gateway.streams.ended.get('BAD_REPLY'), 1);
      assert.match(String(reasons[0]), message);
    }
  });

  it('silence: cuts bytes off after streamIdleTimeout', async (t) => {
    const requester = new StreamRequester((stream) => stream.send('abc', BYTES));
    const { port, gateway } = await ownServer(t, { requester, api, streamIdleTimeout: 50 });
    assert.match(await exchangeRaw(port, get('/file')), /\r\nabc\r\n$/);
    assert.equal(requester.streams[0]?.cancelled, true);
    assert.equal(gateway.streams.ended.get('TIMEOUT'), 1);
  });

  it('total duration: cuts a stream off after streamTimeout', async (t) => {
    const requester = new StreamRequester((stream) => {
      const timer = setInterval(() => stream.send('a', BYTES), 5);
      t.after(() => clearInterval(timer));
    });
    const { port, gateway } = await ownServer(t, {
      requester,
      api,
      streamTimeout: 100,
      keepAliveComment: 40,
    });
    assert.doesNotMatch(await exchangeRaw(port, get('/file')), /\r\n0\r\n\r\n$/);
    assert.equal(gateway.streams.ended.get('TIMEOUT'), 1);
  });
});

function timeOut(ms: number): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), ms);
  });
}
