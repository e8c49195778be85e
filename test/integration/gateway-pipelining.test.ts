/** Requests that arrive on a connection before the earlier ones have got their responses. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { GatewaySettingsInput } from '../../src/gateway/index.ts';
import { apiOf, jsonBody } from '../helpers/gateway/api.ts';
import { HOSTS, type Host, ownServer } from '../helpers/gateway/hosts.ts';
import { exchangeRaw } from '../helpers/gateway/raw-http.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';

const api = apiOf({ '/x': { get: {}, post: jsonBody(true) } });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const statuses = (text: string): string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => match[1] ?? '');
const eventsOf = ({ requests }: FakeRequester): string[] => requests.map(({ eventName }) => eventName);

/** A gateway whose workers reply when the test releases them. */
async function heldHost(t: TestContext, host: Host, settings: GatewaySettingsInput = {}) {
  const gate = new EventEmitter().setMaxListeners(0);
  const wait = async (): Promise<string> => (await once(gate, 'go'), 'done');
  const requester = new FakeRequester({ 'get.x': wait, 'post.x': wait });
  const { port, url, gateway } = await host(t, { requester, api, ...settings });
  const { pathname } = new URL(`${url}/x`);
  const running = async (count: number): Promise<void> => {
    while (gate.listenerCount('go') !== count) await turn();
  };
  /** Releases replies until the text of a connection is complete. */
  const finish = async (text: Promise<string>): Promise<string> => {
    let isOver = false;
    void text.finally(() => (isOver = true));
    while (!isOver) {
      gate.emit('go');
      await turn();
    }
    return text;
  };
  const get = (more = ''): string => `GET ${pathname} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
  const post = (more = '', version = '1.1'): string =>
    `POST ${pathname} HTTP/${version}\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n${more}\r\n{}`;
  return { requester, port, gateway, pathname, running, finish, get, post };
}

const CLOSE = 'Connection: close\r\n';

for (const [name, host] of HOSTS) {
  describe(`pipelining on ${name}`, () => {
    it(`pipelining on ${name}: safe requests run concurrently, others one after the other`, async (t) => {
      const { requester, port, running, finish, get, post } = await heldHost(t, host);
      const text = exchangeRaw(port, get() + get() + post() + post() + get(CLOSE));
      await running(2);
      assert.deepEqual(eventsOf(requester), ['get.x', 'get.x']);
      assert.deepEqual(statuses(await finish(text)), ['200', '200', '200', '200', '200']);
      assert.deepEqual(eventsOf(requester), ['get.x', 'get.x', 'post.x', 'post.x', 'get.x']);
    });

    it(`pipelining on ${name}: other connections get their share of the requests in flight`, async (t) => {
      const { port, running, gateway, get, finish } = await heldHost(t, host, { limits: { inFlight: 10 } });
      const many = exchangeRaw(port, get().repeat(300) + get(CLOSE));
      await running(5);
      const other = exchangeRaw(port, get(CLOSE));
      await running(6);
      assert.equal(gateway.inFlight, 6);
      assert.deepEqual(statuses(await finish(other)), ['200']);
      assert.deepEqual(statuses(await finish(many)), Array<string>(301).fill('200'));
    });
  });
}

describe('pipelining on its own server: errors', () => {
  const broken: [title: string, bytes: string, status: string][] = [
    ['headers that are too large', `GET /x HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
    ['rubbish', 'rubbish\r\n\r\n', '400'],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', '501'],
    ['a request without a host', 'GET /x HTTP/1.1\r\n\r\n', '400'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '505'],
  ];
  for (const [title, bytes, status] of broken) {
    for (const method of ['post', 'get'] as const) {
      it(`pipelining: a ${method} gets its response before ${title} that follows it`, async (t) => {
        const held = await heldHost(t, ownServer);
        const text = exchangeRaw(held.port, held[method]() + held[method]() + bytes + held.post());
        await held.running(method === 'post' ? 1 : 2);
        assert.deepEqual(statuses(await held.finish(text)), ['200', '200', status]);
        assert.deepEqual(eventsOf(held.requester), [`${method}.x`, `${method}.x`]);
      });
    }
  }

  it('pipelining: a POST gets its response before the 408 of an incomplete request, and nothing runs after that', async (t) => {
    const held = await heldHost(t, ownServer, { clientTimeouts: { headers: 1000 } });
    const errors = once(held.gateway.server, 'clientError');
    const socket = connect(held.port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const closed = once(socket, 'close');
    socket.write(`${held.post()}GET /x HTTP/1.1\r\n`);
    await errors;
    socket.write(`Host: a\r\n\r\n${held.post()}`);
    assert.equal(text, '');
    await held.finish(closed.then(() => ''));
    assert.deepEqual(statuses(text), ['200', '408']);
    assert.deepEqual(eventsOf(held.requester), ['post.x']);
  });

  it('pipelining: an invalid body gets its response in order', async (t) => {
    const held = await heldHost(t, ownServer);
    const chunked = `POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`;
    assert.deepEqual(statuses(await exchangeRaw(held.port, chunked)), ['400']);
    const text = exchangeRaw(held.port, held.post() + chunked + held.post());
    await held.running(1);
    assert.deepEqual(statuses(await held.finish(text)), ['200', '400']);
    assert.deepEqual(eventsOf(held.requester), ['post.x']);
    assert.equal(held.gateway.inFlight, 0);
  });
});

describe('pipelining on its own server: nothing runs after a response that closes', () => {
  const first: [title: string, bytes: string, status: string][] = [
    ['no host', 'GET /x HTTP/1.1\r\n\r\n', '400'],
    ['an invalid host', 'GET /x HTTP/1.1\r\nHost: a b\r\n\r\n', '400'],
    ['another HTTP version', 'GET /x HTTP/2.0\r\nHost: a\r\n\r\n', '505'],
    [
      'an invalid transfer coding',
      'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
      '501',
    ],
    ['a request to close', `GET /x HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`, '200'],
    ['HTTP/1.0', 'GET /x HTTP/1.0\r\n\r\n', '200'],
    [
      'a body that was not requested',
      'POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n',
      '413',
    ],
  ];
  for (const [title, bytes, status] of first) {
    for (const later of [false, true]) {
      it(`pipelining, nothing runs after ${title}: a POST ${later ? 'in the next segment' : 'in the same segment'}`, async (t) => {
        const held = await heldHost(t, ownServer);
        const socket = connect(held.port, '127.0.0.1');
        socket.setEncoding('latin1').on('error', () => undefined);
        let text = '';
        socket.on('data', (chunk: string) => (text += chunk));
        const closed = once(socket, 'close').then(() => text);
        socket.write(later ? bytes : bytes + held.post());
        if (later) {
          socket.setNoDelay(true);
          await turn();
          socket.write(held.post());
        }
        assert.deepEqual(statuses(await held.finish(closed)), [status]);
        assert.ok(!eventsOf(held.requester).includes('post.x'));
        assert.equal(held.gateway.inFlight, 0);
      });
    }
  }

  it('pipelining: the last responses of a gateway that closes', async (t) => {
    const held = await heldHost(t, ownServer);
    const text = exchangeRaw(held.port, held.post() + held.post());
    await held.running(1);
    const closed = held.gateway.close();
    assert.deepEqual(statuses(await held.finish(text)), ['200']);
    assert.deepEqual(eventsOf(held.requester), ['post.x']);
    await closed;
  });
});

describe('host of a request', () => {
  const ask = async (t: TestContext, target: string, host: string): Promise<string[]> => {
    const requester = new FakeRequester();
    const { port } = await ownServer(t, { requester, api });
    const text = await exchangeRaw(port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${CLOSE}\r\n`);
    return statuses(text);
  };
  for (const host of [
    'a b',
    'x/y',
    'http://x',
    'x:port',
    'a,b',
    'user@x',
    '[::1',
    '[1.2.3.4]',
    '::1',
    'a%zz',
  ]) {
    it(`host of a request: ${host} is rejected`, async (t) =>
      assert.deepEqual(await ask(t, '/x', host), ['400']));
  }
  for (const host of ['', 'a', 'a_b.example.', '127.0.0.1:80', '[::1]:8080', 'a:', 'a%2Db', 'LOCALHOST']) {
    it(`host of a request: ${JSON.stringify(host)} is accepted`, async (t) =>
      assert.deepEqual(await ask(t, '/x', host), ['200']));
  }
  const targets: [target: string, status: string][] = [
    ['http://other:80/x', '200'],
    ['HTTPS://other/x', '200'],
    ['http://other/x?a=1', '400'],
    ['http://other', '302'],
    ['http://user@other/x', '400'],
    ['http:///x', '400'],
    ['http://a,b/x', '400'],
    ['ftp://other/x', '404'],
  ];
  for (const [target, status] of targets) {
    it(`host of a request: the target ${target} gets ${status}`, async (t) =>
      assert.deepEqual(await ask(t, target, 'a'), [status]));
  }
});
