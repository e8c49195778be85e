/** Request bodies and their connections: Expect, timeouts, limits, and bodies read by other middlewares. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import express from 'express';
import { createGateway } from '../../src/gateway/index.ts';
import { closeServer, listenOnFreePort, ownServer } from '../helpers/gateway/hosts.ts';
import { exchangeRaw, parseRaw } from '../helpers/gateway/raw-http.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';
import { api, FORM_TYPE, JSON_TYPE } from './body-api.ts';

describe('bodies and connections', () => {
  const head = (lines: string[]): string =>
    `${['POST /any HTTP/1.1', 'Host: a', 'Content-Type: application/json', ...lines].join('\r\n')}\r\n\r\n`;

  it('Expect: 100-continue: requests the body of a client that waits for it', async (t) => {
    const requester = new FakeRequester();
    const { port } = await ownServer(t, { requester, api });
    const text = await exchangeRaw(
      port,
      `${head(['Expect: 100-continue', 'Content-Length: 2', 'Connection: close'])}{}`,
    );
    assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  });

  it('Expect: 100-continue: does not request a body that is too large', async (t) => {
    const { port } = await ownServer(t, { requester: new FakeRequester(), api, limits: { body: 10 } });
    const response = parseRaw(await exchangeRaw(port, head(['Expect: 100-continue', 'Content-Length: 11'])));
    assert.equal(response.status, 413);
    assert.equal(response.headers.get('connection'), 'close');
  });

  it('Expect: 100-continue: closes the connection of a client whose body was not requested', async (t) => {
    const { port } = await ownServer(t, { requester: new FakeRequester(), api });
    const text = head(['Expect: 100-continue', 'Content-Length: 2']).replace('/any', '/nothing');
    const response = parseRaw(await exchangeRaw(port, text));
    assert.equal(response.status, 404);
    assert.equal(response.headers.get('connection'), 'close');
  });

  it('Expect: other expectations are rejected', async (t) => {
    const { port } = await ownServer(t, { requester: new FakeRequester(), api });
    const text = await exchangeRaw(
      port,
      head(['Expect: the-best', 'Content-Length: 0', 'Connection: close']),
    );
    assert.equal(parseRaw(text).status, 417);
  });

  it('bodies: responds 408 to a body that does not arrive', async (t) => {
    const { port } = await ownServer(t, {
      requester: new FakeRequester(),
      api,
      clientTimeouts: { body: 50 },
    });
    const response = parseRaw(await exchangeRaw(port, `${head(['Content-Length: 10'])}{`));
    assert.equal(response.status, 408);
    assert.match(response.body, /REQUEST_TIMEOUT/);
  });

  it('bodies: limits the total size of all bodies', async (t) => {
    const { port, url } = await ownServer(t, {
      requester: new FakeRequester(),
      api,
      limits: { buffered: 100 },
    });
    const waiting = exchangeRaw(
      port,
      `${head(['Content-Length: 200'])}{"a":"${'x'.repeat(80)}`,
      (text) => text !== '',
    );
    const response = parseRaw(
      await exchangeRaw(port, `${head(['Content-Length: 100', 'Connection: close'])}${' '.repeat(98)}{}`),
    );
    assert.equal(response.status, 503);
    assert.match(response.body, /BUSY/);
    assert.equal((await fetch(`${url}/any`, { method: 'POST', body: '{}', headers: JSON_TYPE })).status, 200);
    void waiting.catch(() => undefined);
  });

  it('bodies: accepts a body that an earlier middleware has read', async (t) => {
    const requester = new FakeRequester();
    const gateway = createGateway({ requester, api });
    const app = express();
    app.use(
      express.json(),
      express.urlencoded(),
      express.raw({ type: 'application/vnd.x+json' }),
      gateway.middleware,
    );
    const server = createServer(app);
    t.after(() => gateway.close());
    t.after(() => closeServer(server));
    const url = `http://127.0.0.1:${await listenOnFreePort(server)}`;
    const post = async (path: string, body: string, headers: Record<string, string>): Promise<unknown> => {
      const response = await fetch(url + path, { method: 'POST', body, headers });
      assert.equal(response.status, 200, await response.text());
      return requester.data;
    };
    assert.deepEqual(await post('/any', '{"a":1}', JSON_TYPE), { a: 1 });
    assert.deepEqual(await post('/form', 'n=5&tags=a&tags=b', FORM_TYPE), { n: 5, tags: ['a', 'b'] });
    assert.deepEqual(await post('/vendor', '{"a":1}', { 'content-type': 'application/vnd.x+json' }), {
      a: 1,
    });
  });
});
