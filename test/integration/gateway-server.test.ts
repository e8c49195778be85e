import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import express from 'express';
import { ZeroMQConfigError } from '../../src/core/messages/errors.ts';
import { createGateway } from '../../src/gateway/index.ts';
import { apiOf, jsonBody } from '../helpers/gateway/api.ts';
import { closeServer, foreignApp, listenOnFreePort, ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { exchangeRaw, parseRaw } from '../helpers/gateway/raw-http.ts';
import { FakeRequester, SILENCE } from '../helpers/gateway/requester.ts';
import { PATIENCE } from '../helpers/patience.ts';

const api = apiOf({ '/x': { get: {}, post: jsonBody(true) } });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A requester whose replies wait until the test releases them. */
function held(): { requester: FakeRequester; release: () => void; asked: () => Promise<void> } {
  const gate = new EventEmitter();
  const requester = new FakeRequester({ 'get.x': async () => (await once(gate, 'go'), 'done') });
  const asked = async (): Promise<void> => {
    while (gate.listenerCount('go') === 0) await turn();
  };
  return { requester, release: () => gate.emit('go'), asked };
}

describe('malformed HTTP requests', () => {
  const cases: [title: string, bytes: string, status: number, code: string][] = [
    ['rubbish', 'rubbish\r\n\r\n', 400, 'MALFORMED_HTTP'],
    ['an unknown method', 'FETCH /x HTTP/1.1\r\nHost: a\r\n\r\n', 501, 'NOT_IMPLEMENTED'],
    ['a proxy request', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 501, 'NOT_IMPLEMENTED'],
    [
      'an unknown transfer coding',
      'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      501,
      'NOT_IMPLEMENTED',
    ],
    ['another HTTP version', 'GET /x HTTP/3.7\r\nHost: a\r\n\r\n', 505, 'VERSION_NOT_SUPPORTED'],
    ['the beginning of TLS', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1', 400, 'MALFORMED_HTTP'],
    ['no host', 'GET /x HTTP/1.1\r\n\r\n', 400, 'MALFORMED_HTTP'],
    ['two hosts', 'GET /x HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n', 400, 'MALFORMED_HTTP'],
    ['a header without a name', 'GET /x HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n', 400, 'MALFORMED_HTTP'],
    [
      'two lengths',
      'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
      'MALFORMED_HTTP',
    ],
    [
      'a length and chunks',
      'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
      'MALFORMED_HTTP',
    ],
    [
      'headers that are too large',
      `GET /x HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    [
      'a path that is too long',
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
  ];
  for (const [title, bytes, status, code] of cases) {
    it(`malformed HTTP request: ${title} gets ${status}`, async (t) => {
      const { port, url } = await ownServer(t, { requester: new FakeRequester(), api });
      const response = parseRaw(await exchangeRaw(port, bytes));
      assert.equal(response.status, status);
      assert.equal(response.headers.get('content-type'), 'application/problem+json');
      assert.equal(response.headers.get('connection'), 'close');
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
      assert.equal((JSON.parse(response.body) as { code: string }).code, code);
      assert.equal((await fetch(`${url}/x`)).status, 200);
    });
  }

  it('HTTP/1.0 requests without a host are accepted', async (t) => {
    const { port } = await ownServer(t, { requester: new FakeRequester(), api });
    assert.equal(parseRaw(await exchangeRaw(port, 'GET /x HTTP/1.0\r\n\r\n')).status, 200);
  });

  it('incomplete HTTP request: does not run if the rest arrives after a 408', async (t) => {
    const requester = new FakeRequester({ 'get.x': () => 'done' });
    const { port } = await ownServer(t, { api, requester, clientTimeouts: { headers: 50 } });
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    socket.write('GET /x HTTP/1.1\r\nHost: a\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1.1 408 /);
    socket.write('\r\n');
    await closed;
    assert.deepEqual(requester.requests, []);
  });

  it('incomplete HTTP request: gets 408 if the headers do not arrive', async (t) => {
    const { port } = await ownServer(t, {
      requester: new FakeRequester(),
      api,
      clientTimeouts: { headers: 50 },
    });
    const response = parseRaw(await exchangeRaw(port, 'GET /x HTTP/1.1\r\nHost: a\r\n'));
    assert.equal(response.status, 408);
    assert.match(response.body, /REQUEST_TIMEOUT/);
  });

  it('malformed HTTP request: the request before it gets its response', async (t) => {
    const { requester, release, asked } = held();
    const { port } = await ownServer(t, { requester, api });
    const text = exchangeRaw(port, 'GET /x HTTP/1.1\r\nHost: a\r\n\r\nrubbish\r\n\r\n');
    await Promise.race([asked(), text]);
    release();
    assert.doesNotMatch((await text).slice(10), /^HTTP\/1\.1 200/);
  });
});

describe('requests on one connection', () => {
  it('requests on one connection: get their responses in order, in whatever order the replies arrive', async (t) => {
    let count = 0;
    const requester = new FakeRequester({
      'get.x': async () => {
        count += 1;
        if (count === 1) await turn();
        return {};
      },
    });
    const { port } = await ownServer(t, { requester, api });
    const get = 'GET /x HTTP/1.1\r\nHost: a\r\nRequest-Id: ';
    const text = await exchangeRaw(
      port,
      `${get}r1\r\n\r\n${get}r2\r\n\r\n${get}r3\r\nConnection: close\r\n\r\n`,
    );
    assert.deepEqual(
      [...text.matchAll(/Request-Id: (\w+)/g)].map((match) => match[1]),
      ['r1', 'r2', 'r3'],
    );
  });

  it('requests on one connection: are all cancelled when it closes, including pipelined ones', async (t) => {
    const requester = new FakeRequester({ 'get.x': () => SILENCE });
    const { port, gateway } = await ownServer(t, { requester, api, timeout: 100 });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n');
    while (requester.requests.length < 2) await turn();
    socket.destroy();
    while (requester.cancelled.length < 2) await turn();
    await gateway.close({ deadline: PATIENCE });
  });

  it('requests on one connection: are read to their end although the response was sent earlier', async (t) => {
    const { url } = await ownServer(t, { requester: new FakeRequester(), api, limits: { body: 10 } });
    const body = JSON.stringify('x'.repeat(300_000));
    const headers = { 'content-type': 'application/json' };
    for (let round = 0; round < 3; round += 1) {
      assert.equal((await problemOf(await fetch(`${url}/x`, { method: 'POST', body, headers }))).status, 413);
    }
    assert.equal((await fetch(`${url}/nothing`, { method: 'POST', body, headers })).status, 404);
  });
});

describe('closing gateway', () => {
  it('closing gateway: completes the requests in flight and accepts no new ones', async (t) => {
    const { requester, release, asked } = held();
    const { gateway, url } = await ownServer(t, { requester, api });
    const response = fetch(`${url}/x`);
    await asked();
    const closed = gateway.close();
    while (gateway.server.listening) await turn();
    await assert.rejects(fetch(`${url}/livez`));
    release();
    assert.equal(await (await response).text(), '"done"');
    await closed;
    await gateway.close();
    assert.equal(gateway.server.listening, false);
  });

  it('closing gateway: serves the connections in the backlog', async (t) => {
    const { gateway, port } = await ownServer(t, {
      requester: new FakeRequester({ 'get.x': () => 'done' }),
      api,
    });
    // All connect within one turn of the event loop: the kernel has the connections, the server has
    // accepted none.
    const answers = Array.from({ length: 100 }, () =>
      exchangeRaw(port, 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'),
    );
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const closed = gateway.close({ deadline: PATIENCE });
    for (const answer of await Promise.all(answers)) {
      const { status, headers } = parseRaw(answer);
      assert.equal(status, 200);
      assert.equal(headers.get('connection'), 'close');
    }
    await closed;
  });

  it('closing gateway: replies in flight close their connection, and readiness fails', async (t) => {
    const { requester, release, asked } = held();
    const { gateway, port } = await ownServer(t, { requester, api });
    const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    const text = exchangeRaw(port, get('/x') + get('/readyz'));
    await asked();
    const closed = gateway.close();
    release();
    await closed;
    assert.match(await text, /HTTP\/1\.1 200 OK/);
  });

  it('closing gateway: at the deadline, a request that was sent is reported as possibly run', async (t) => {
    const requester = new FakeRequester({ 'get.x': () => SILENCE });
    const { gateway, url } = await ownServer(t, { requester, api });
    const response = fetch(`${url}/x`);
    while (requester.requests.length === 0) await turn();
    await gateway.close({ deadline: 10 });
    const { code, status, dispatched } = await problemOf(await response);
    assert.deepEqual({ code, status, dispatched }, { code: 'WORKER_LOST', status: 502, dispatched: true });
    assert.equal(requester.cancelled.length, 1);
  });

  it('closing gateway: at the deadline, many requests are aborted in slices, so that timers run', async (t) => {
    const requester = new FakeRequester({ 'get.x': () => SILENCE });
    const { gateway, url } = await ownServer(t, { requester, api });
    const responses = Array.from({ length: 40 }, () => fetch(`${url}/x`));
    while (requester.requests.length < responses.length) await turn();
    let turns = 0;
    const seen = new Set<number>();
    requester.onCancel = () => {
      seen.add(turns);
      const end = performance.now() + 1;
      while (performance.now() < end);
    };
    const timer = setInterval(() => (turns += 1), 1);
    t.after(() => clearInterval(timer));
    await gateway.close({ deadline: 10 });
    assert.equal(requester.cancelled.length, responses.length);
    assert.ok(seen.size > 1, 'a timer ran between the first and the last request');
    for (const response of responses) assert.equal((await problemOf(await response)).code, 'WORKER_LOST');
  });

  it('closing gateway: at the deadline, a request that was not sent is reported as not run', async (t) => {
    const requester = new FakeRequester();
    const { gateway, port } = await ownServer(t, { requester, api });
    const head = 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
    const interim = 'HTTP/1.1 100 Continue\r\n\r\n';
    const awaitsBody = new EventEmitter();
    const waiting = once(awaitsBody, 'now');
    const text = exchangeRaw(port, `${head}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n`, (seen) => {
      if (seen === interim) awaitsBody.emit('now');
      return false;
    });
    await waiting;
    await gateway.close({ deadline: 10 });
    const { status, body } = parseRaw((await text).slice(interim.length));
    const { code, dispatched } = JSON.parse(body) as { code: string; dispatched: boolean };
    assert.deepEqual({ code, status, dispatched }, { code: 'SHUTTING_DOWN', status: 503, dispatched: false });
    assert.equal(requester.requests.length, 0);
  });

  it('closing gateway in another app: completes the requests in flight and rejects new ones', async (t) => {
    const { requester, release, asked } = held();
    const { gateway, url } = await foreignApp(t, { requester, api });
    const response = fetch(`${url}/x`);
    await asked();
    const closed = gateway.close();
    assert.equal((await problemOf(await fetch(`${url}/x`))).code, 'SHUTTING_DOWN');
    assert.equal((await fetch(`${url}/readyz`)).status, 503);
    release();
    assert.equal((await response).status, 200);
    await closed;
  });

  it('closing gateway: stops following the document', async () => {
    const own = apiOf({ '/x': { get: {} } });
    const gateway = createGateway({ requester: new FakeRequester(), api: own });
    assert.equal(own.listenerCount('change'), 1);
    await gateway[Symbol.asyncDispose]();
    assert.equal(own.listenerCount('change'), 0);
  });
});

describe('listening gateway', () => {
  it('listening gateway: reports its address, or why it cannot listen', async (t) => {
    const { port, url } = await ownServer(t, { requester: new FakeRequester(), api });
    assert.equal(url, `http://127.0.0.1:${port}`);
    const second = createGateway({ requester: new FakeRequester(), api, port });
    t.after(() => second.close());
    await assert.rejects(second.listen(), (error: Error) => {
      assert.ok(error instanceof ZeroMQConfigError);
      assert.match(error.message, /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
      return true;
    });
  });

  it('gateway middleware: works on every HTTP server', async (t) => {
    const gateway = createGateway({ requester: new FakeRequester(), api });
    t.after(() => gateway.close());
    const bare = createServer((req, res) => gateway.middleware(req, res, () => res.writeHead(404).end()));
    const mounted = createServer(express().use('/sub', gateway.app));
    for (const server of [bare, mounted]) t.after(() => closeServer(server));
    assert.equal((await fetch(`http://127.0.0.1:${await listenOnFreePort(bare)}/x`)).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${await listenOnFreePort(mounted)}/sub/x`)).status, 200);
  });

  it('gateway server: its requests have the prototypes of the app', async (t) => {
    const { gateway, url } = await ownServer(t, { requester: new FakeRequester(), api });
    const seen: boolean[] = [];
    gateway.server.on('request', (req, res) => {
      seen.push(
        Object.getPrototypeOf(req) === gateway.app.request,
        Object.getPrototypeOf(res) === gateway.app.response,
      );
    });
    await fetch(`${url}/x`);
    assert.deepEqual(seen, [true, true]);
  });
});
