/** Request bodies that are streams: bytes and forms over HTTP. */
import assert from 'node:assert/strict';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import express from 'express';
import { createGateway } from '../../src/gateway/index.ts';
import { type PartHead, PartSegmentReader } from '../../src/wire/part-segments.ts';
import { closeServer, HOSTS, listenOnFreePort, ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { exchangeRaw, parseRaw } from '../helpers/gateway/raw-http.ts';
import { type FakeStream, StreamRequester } from '../helpers/gateway/stream-requester.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { streamApi as api } from './stream-api.ts';

/** A worker that takes the whole body, then replies with its length. */
async function take(stream: FakeStream): Promise<void> {
  let seen = 0;
  stream.grantBody(64 * 1024);
  while (!stream.bodyEnded) {
    await stream.until(({ received, bodyEnded, cancelled }) => received > seen || bodyEnded || cancelled);
    if (stream.cancelled) return;
    // A grant may bring more bytes at once.
    const { received } = stream;
    stream.grantBody(received - seen);
    seen = received;
  }
  stream.end(JSON.stringify({ length: stream.received }), { contentType: '' });
}

const BYTES = { 'content-type': 'application/octet-stream' };
const head = (path: string, lines: string[], method = 'POST'): string =>
  `${[`${method} ${path} HTTP/1.1`, 'Host: a', ...lines].join('\r\n')}\r\n\r\n`;

/** The parts in the segments of a body. */
function partsOf({ body }: FakeStream): { head: PartHead; text: string }[] {
  const parts: { head: PartHead; text: string }[] = [];
  const reader = new PartSegmentReader();
  for (const segment of reader.read(body)) {
    const last = parts.at(-1);
    if (segment.kind === 'head') parts.push({ head: segment.head, text: '' });
    else if (segment.kind === 'data' && last !== undefined) last.text += segment.bytes.toString('latin1');
  }
  assert.ok(reader.complete);
  return parts;
}

for (const [name, host] of HOSTS) {
  describe(`uploads of bytes (${name})`, () => {
    it('sends the body in chunks within the window', async (t) => {
      const body = Buffer.alloc(900_000, 'añ\0');
      const requester = new StreamRequester(take);
      const { url } = await host(t, { requester, api });
      const response = await fetch(`${url}/upload?kind=a`, { method: 'POST', body, headers: BYTES });
      assert.deepEqual(await response.json(), { length: body.length });
      const [stream] = requester.streams;
      assert.ok(stream);
      assert.deepEqual(stream.body, body);
      assert.ok(Math.max(...stream.chunks) <= 64 * 1024);
      assert.equal(stream.request.body.toString(), '{"kind":"a"}');
      assert.equal(stream.request.extras?.contentType, 'application/octet-stream');
      assert.equal(stream.request.stream?.upload, true);
    });
  });
}

describe('uploads of bytes', () => {
  it('an empty body, and a request without a body: an empty upload', async (t) => {
    const requester = new StreamRequester(take);
    const { url, port } = await ownServer(t, { requester, api });
    const empty = await fetch(`${url}/upload`, { method: 'POST', body: '', headers: BYTES });
    assert.deepEqual(await empty.json(), { length: 0 });
    const none = parseRaw(await exchangeRaw(port, head('/upload', ['Connection: close'])));
    assert.equal(none.status, 200);
    assert.deepEqual(
      requester.streams.map(({ chunks }) => chunks),
      [[0], [0]],
    );
  });

  it('a worker that reads slowly stops the client', async (t) => {
    const requester = new StreamRequester();
    const { port, gateway } = await ownServer(t, { requester, api });
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.write(head('/upload', ['Content-Type: image/png', 'Transfer-Encoding: chunked'], 'PUT'));
    const stream = await requester.next();
    stream.grantBody(64 * 1024);
    const block = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65536), Buffer.from('\r\n')]);
    for (let written = 0; written < 400; written += 1) socket.write(block);
    await stream.until(({ received }) => received === 64 * 1024);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(stream.received, 64 * 1024);
    assert.ok(socket.writableLength > 1024 * 1024, 'the client must wait');
    assert.ok(gateway.streams.requestStalls > 0);
    for (let taken = 64 * 1024; taken < 400 * 65536; taken += 64 * 1024) {
      stream.grantBody(64 * 1024);
      await stream.until(({ received }) => received >= taken + 64 * 1024);
    }
    socket.write('0\r\n\r\n');
    await stream.until(({ bodyEnded }) => bodyEnded);
    assert.equal(stream.received, 400 * 65536);
  });

  it('decodes gzip and br, and rejects other codings and damaged bodies', async (t) => {
    const requester = new StreamRequester(take);
    const { url } = await ownServer(t, { requester, api });
    const post = (body: Buffer, coding: string): Promise<Response> =>
      fetch(`${url}/upload`, { method: 'POST', body, headers: { ...BYTES, 'content-encoding': coding } });
    const body = Buffer.alloc(300_000, 'abc');
    assert.deepEqual(await (await post(gzipSync(body), 'gzip')).json(), { length: 300_000 });
    assert.deepEqual(await (await post(brotliCompressSync(body), 'br')).json(), { length: 300_000 });
    assert.equal((await problemOf(await post(body, 'zstd'))).status, 415);
    assert.equal((await problemOf(await post(Buffer.from('no gzip'), 'gzip'))).status, 400);
    assert.equal(requester.streams.at(-1)?.cancelled, true);
    const bomb = gzipSync(Buffer.alloc(2_000_000));
    assert.equal((await problemOf(await post(bomb, 'gzip'))).status, 413);
  });

  it('limits: rejects a body that is announced or becomes too large', async (t) => {
    const requester = new StreamRequester(take);
    const { url, port } = await ownServer(t, { requester, api });
    const large = Buffer.alloc(1_000_001);
    const response = await fetch(`${url}/upload`, { method: 'POST', body: large, headers: BYTES });
    assert.equal((await problemOf(response)).code, 'PAYLOAD_TOO_LARGE');
    assert.equal(requester.streams.length, 0);
    const chunked = Buffer.concat([
      Buffer.from(head('/upload', ['Content-Type: image/png', 'Transfer-Encoding: chunked'])),
      Buffer.from('f4241\r\n'),
      large,
      Buffer.from('\r\n0\r\n\r\n'),
    ]);
    assert.equal(parseRaw(await exchangeRaw(port, chunked)).status, 413);
    assert.equal(requester.streams[0]?.cancelled, true);
  });

  it('limits.upload: applies to operations without a limit of their own; 0 removes it', async (t) => {
    for (const [upload, status] of [
      [10, 413],
      [0, 200],
    ] as const) {
      const requester = new StreamRequester(take);
      const { url } = await ownServer(t, { requester, api, limits: { upload } });
      const response = await fetch(`${url}/upload`, { method: 'PUT', body: 'x'.repeat(11), headers: BYTES });
      assert.equal(response.status, status);
    }
  });

  it('rejects other media types, invalid parameters and unacceptable replies before the body', async (t) => {
    const requester = new StreamRequester(take);
    const { url } = await ownServer(t, { requester, api });
    const post = (query: string, headers: Record<string, string>): Promise<Response> =>
      fetch(`${url}/upload${query}`, { method: 'POST', body: 'x', headers });
    assert.equal((await problemOf(await post('', { 'content-type': 'text/plain' }))).status, 415);
    const invalid = await problemOf(await post('?kind=z', BYTES));
    assert.equal(invalid.errors?.[0]?.pointer, '/query/kind');
    assert.equal(requester.streams.length, 0);
  });

  it('Expect: 100-continue: requests the body only when a worker takes it', async (t) => {
    const requester = new StreamRequester();
    const { port } = await ownServer(t, { requester, api });
    const lines = ['Content-Type: image/png', 'Content-Length: 3', 'Expect: 100-continue'];
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.write(head('/upload', lines));
    const stream = await requester.next();
    assert.equal(text, '');
    stream.grantBody(64 * 1024);
    while (!text.includes('100 Continue')) await new Promise((resolve) => socket.once('data', resolve));
    socket.write('abc');
    await stream.until(({ bodyEnded }) => bodyEnded);
    assert.equal(stream.body.toString(), 'abc');
    stream.end('1', { contentType: '' });
    while (!text.includes('200 OK')) await new Promise((resolve) => socket.once('data', resolve));
    assert.doesNotMatch(text, /connection: close/i);
    const rejected = parseRaw(await exchangeRaw(port, head('/upload?kind=z', lines)));
    assert.equal(rejected.status, 400);
  });

  it('an early reply reaches a client that is still sending, and closes the connection', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.grantBody(64 * 1024);
      void stream.until(({ received }) => received > 0).then(() => stream.end('1', { contentType: '' }));
    });
    const { port } = await ownServer(t, { requester, api });
    const upload = httpRequest({ port, path: '/upload', method: 'PUT', headers: BYTES });
    upload.on('error', () => undefined);
    const timer = setInterval(() => upload.write(Buffer.alloc(64 * 1024)), 2);
    t.after(() => clearInterval(timer));
    const response = await new Promise<IncomingMessage>((resolve) => upload.once('response', resolve));
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers.connection, 'close');
    let body = '';
    for await (const chunk of response) body += String(chunk);
    assert.equal(body, '1');
  });

  it('a client that disconnects cancels the request', async (t) => {
    const requester = new StreamRequester();
    const { port } = await ownServer(t, { requester, api });
    const socket = connect(port, '127.0.0.1');
    socket.write(`${head('/upload', ['Content-Type: image/png', 'Content-Length: 100'])}abc`);
    const stream = await requester.next();
    stream.grantBody(64 * 1024);
    await stream.until(({ received }) => received === 3);
    socket.destroy();
    await stream.until(({ cancelled }) => cancelled);
    assert.equal(stream.bodyEnded, false);
  });

  it('timeouts: 408 to a silent client, 504 to a worker that takes or replies nothing', async (t) => {
    const options = { timeout: 100, clientTimeouts: { body: 80 }, streamIdleTimeout: 60 };
    const silent = new StreamRequester((stream) => stream.grantBody(64 * 1024));
    const { port } = await ownServer(t, { requester: silent, api, ...options });
    const lines = ['Content-Type: image/png', 'Content-Length: 100'];
    const late = parseRaw(await exchangeRaw(port, `${head('/upload', lines)}abc`));
    assert.deepEqual([late.status, late.headers.get('connection')], [408, 'close']);
    assert.equal(silent.streams[0]?.cancelled, true);

    const cases: [(stream: FakeStream) => void, RegExp][] = [
      [() => undefined, /No worker took the body/],
      [(stream) => stream.grantBody(1), /took nothing of the body/],
      [(stream) => stream.grantBody(64 * 1024), /of the last byte of the body/],
    ];
    for (const [serve, detail] of cases) {
      const requester = new StreamRequester(serve);
      const { url } = await ownServer(t, { requester, api, ...options });
      const problem = await problemOf(await fetch(`${url}/upload`, { method: 'PUT', body: 'abc' }));
      assert.equal(problem.code, 'TIMEOUT');
      assert.match(problem.detail, detail);
    }
  });

  it('an upload may take longer than Node allows for a request', async (t) => {
    const requester = new StreamRequester(take);
    const { port, gateway } = await ownServer(t, { requester, api });
    gateway.server.requestTimeout = 100;
    const upload = httpRequest({ port, path: '/upload', method: 'PUT', headers: BYTES });
    const response = new Promise<IncomingMessage>((resolve) => upload.once('response', resolve));
    for (let n = 0; n < 15; n += 1) {
      upload.write('x');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    upload.end();
    assert.equal((await response).statusCode, 200);
    assert.equal(requester.streams[0]?.body.length, 15);
  });

  it('request and reply may be streams at the same time', async (t) => {
    const requester = new StreamRequester(async (stream) => {
      stream.grantBody(64 * 1024);
      stream.send('', { contentType: 'application/octet-stream' });
      let echoed = 0;
      for (;;) {
        await stream.until(({ received, bodyEnded }) => received > echoed || bodyEnded);
        const bytes = stream.body.subarray(echoed);
        echoed = stream.received;
        if (bytes.length > 0) await stream.write(bytes);
        stream.grantBody(bytes.length);
        if (stream.bodyEnded && echoed === stream.received) break;
      }
      stream.end();
    });
    const { url } = await ownServer(t, { requester, api });
    const body = Buffer.alloc(700_000, 'abcdefg');
    const response = await fetch(`${url}/echo`, { method: 'POST', body });
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), body);
  });

  it('a body that a middleware of the host has read is sent as one', async (t) => {
    const requester = new StreamRequester(take);
    const gateway = createGateway({ requester, api });
    const app = express();
    app.use(express.raw({ type: '*/*' }), gateway.middleware);
    const server = createServer(app);
    t.after(() => gateway.close());
    t.after(() => closeServer(server));
    const url = `http://127.0.0.1:${await listenOnFreePort(server)}`;
    const response = await fetch(`${url}/upload`, { method: 'POST', body: 'abc', headers: BYTES });
    assert.deepEqual(await response.json(), { length: 3 });
  });
});

describe('uploads of forms', () => {
  const form = (fields: [string, string | Blob, string?][]): FormData => {
    const data = new FormData();
    for (const [name, value, filename] of fields) {
      if (typeof value === 'string') data.append(name, value);
      else data.append(name, value, filename);
    }
    return data;
  };
  const png = (text: string): Blob => new Blob([text], { type: 'image/png' });
  const post = async (url: string, body: FormData): Promise<Response> =>
    fetch(`${url}/form`, { method: 'POST', body });

  it('sends fields before the first file as event data, and the rest as parts', async (t) => {
    const requester = new StreamRequester(take);
    const { url } = await ownServer(t, { requester, api, timeout: PATIENCE });
    const large = 'x'.repeat(200_000);
    const body = form([
      ['title', 'Tä'],
      ['count', '5'],
      ['photo', png(large), 'ä.png'],
      ['more', png(''), 'b.png'],
    ]);
    assert.equal((await post(url, body)).status, 200);
    const [stream] = requester.streams;
    assert.ok(stream);
    assert.deepEqual(JSON.parse(stream.request.body.toString()), { title: 'Tä', count: 5 });
    assert.equal(stream.request.extras?.contentType, 'multipart/form-data');
    assert.deepEqual(partsOf(stream), [
      { head: { name: 'photo', filename: 'ä.png', contentType: 'image/png' }, text: large },
      { head: { name: 'more', filename: 'b.png', contentType: 'image/png' }, text: '' },
    ]);
  });

  it('a field after the first file comes as a part, once it is valid', async (t) => {
    const requester = new StreamRequester(take);
    const { url } = await ownServer(t, { requester, api });
    const good = form([
      ['title', 'ab'],
      ['photo', png('x'), 'a.png'],
      ['count', '5'],
    ]);
    assert.equal((await post(url, good)).status, 200);
    assert.deepEqual(partsOf(requester.streams[0] as FakeStream)[1], {
      head: { name: 'count', contentType: 'text/plain' },
      text: '5',
    });
    const bad = form([
      ['title', 'ab'],
      ['photo', png('x'), 'a.png'],
      ['count', 'five'],
    ]);
    const problem = await problemOf(await post(url, bad));
    assert.equal(problem.errors?.[0]?.pointer, '/body/count');
    assert.equal(requester.streams[1]?.cancelled, true);
  });

  it('names what is wrong with fields and files', async (t) => {
    const requester = new StreamRequester(take);
    const { url } = await ownServer(t, { requester, api });
    const cases: [FormData, string, RegExp][] = [
      [form([['photo', png('x'), 'a.png']]), '/body/title', /must precede the first file/],
      [form([['title', 'a']]), '/body/title', /at least 2 characters/],
      [form([['title', 'ab']]), '/body/photo', /is required/],
      [
        form([
          ['title', 'ab'],
          ['photo', new Blob(['x'], { type: 'text/csv' }), 'a.csv'],
        ]),
        '/body/photo',
        /media type text\/csv/,
      ],
      [
        form([
          ['title', 'ab'],
          ['other', png('x'), 'a.png'],
        ]),
        '/body/other',
        /not a known property/,
      ],
      [
        form([
          ['title', 'ab'],
          ['photo', png('x'), 'a.png'],
          ['photo', png('y'), 'b.png'],
        ]),
        '/body/photo',
        /more than once/,
      ],
    ];
    for (const [body, pointer, detail] of cases) {
      const problem = await problemOf(await post(url, body));
      assert.equal(problem.status, 400);
      assert.equal(problem.errors?.[0]?.pointer, pointer);
      assert.match(problem.errors[0].detail, detail);
    }
  });

  it('limits the number of files and fields', async (t) => {
    const requester = new StreamRequester(take);
    const { url } = await ownServer(t, { requester, api });
    const files = form([
      ['title', 'ab'],
      ['photo', png('x'), 'a.png'],
      ['more', png('x'), 'a.png'],
      ['more', png('x'), 'b.png'],
    ]);
    const many = await problemOf(await post(url, files));
    assert.match(many.detail, /more than 2 files/);
    const fields = form([1, 2, 3, 4].map((n) => ['title', `ab${n}`]));
    assert.match((await problemOf(await post(url, fields))).detail, /more than 3 fields/);
  });

  const boundary = 'b';
  const part = (name: string, more: string, content: string): string =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
  const start =
    part('title', '', 'ab') + part('photo', '; filename="a.png"\r\nContent-Type: image/png', 'xyz');

  const raw = async (t: Parameters<typeof ownServer>[0], body: string) => {
    const requester = new StreamRequester(take);
    const { port } = await ownServer(t, { requester, api });
    const lines = [
      `Content-Type: multipart/form-data; boundary=${boundary}`,
      `Content-Length: ${body.length}`,
    ];
    const response = parseRaw(await exchangeRaw(port, head('/form', [...lines, 'Connection: close']) + body));
    return { response, stream: requester.streams[0] };
  };

  it('a complete form, also with spaces and line ends after it', async (t) => {
    for (const end of ['--b--\r\n', '--b--', '--b--  \r\n\r\n'])
      assert.equal((await raw(t, start + end)).response.status, 200);
  });

  it('truncated forms and garbage after the form: 400, and the request is cancelled', async (t) => {
    for (const rest of ['', '\r\n--b', '\r\n--b--\r\nmore', `\r\n--b--${'x'.repeat(500)}`]) {
      const requester = new StreamRequester();
      const { port } = await ownServer(t, { requester, api });
      const socket = connect(port, '127.0.0.1');
      const lines = [`Content-Type: multipart/form-data; boundary=${boundary}`];
      const before = start.slice(0, -2);
      socket.write(
        head('/form', [...lines, `Content-Length: ${before.length + rest.length}`]) + before.slice(0, -1),
      );
      const stream = await requester.next();
      stream.grantBody(64 * 1024);
      await stream.until(({ received }) => received > 0);
      socket.end(before.slice(-1) + rest);
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      const response = parseRaw(text);
      assert.equal(response.status, 400, rest);
      assert.match(response.body, /"pointer":"\/body"/);
      assert.equal(stream.cancelled, true);
      assert.equal(stream.bodyEnded, false);
    }
  });

  it('rejects a form without a boundary, and parts in a transfer encoding', async (t) => {
    const requester = new StreamRequester(take);
    const { port } = await ownServer(t, { requester, api });
    const text = head('/form', [
      'Content-Type: multipart/form-data',
      'Content-Length: 1',
      'Connection: close',
    ]);
    assert.match(parseRaw(await exchangeRaw(port, `${text}x`)).body, /no boundary/);
    const encoded = part('photo', '\r\nContent-Transfer-Encoding: base64', 'eA==');
    assert.match((await raw(t, `${encoded}--b--`)).response.body, /transfer encoding/);
  });

  it('a URL-encoded form of a streamed body is event data', async (t) => {
    const requester = new StreamRequester((stream) => stream.end('{}', { contentType: '' }));
    const { url } = await ownServer(t, { requester, api });
    const response = await fetch(`${url}/upload`, {
      method: 'PUT',
      body: new URLSearchParams({ a: 'b' }),
    });
    assert.equal(response.status, 200);
    assert.equal(requester.streams[0]?.request.stream?.upload, false);
  });
});
