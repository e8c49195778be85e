/**
 * Host apps whose middlewares patch responses, throw, or respond first. Only the one request fails.
 */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import express, { type RequestHandler } from 'express';
import { createGateway, type GatewayOptions } from '../../src/gateway/index.ts';
import { apiOf } from '../helpers/gateway/api.ts';
import { closeServer, listenOnFreePort, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester, replyOf, SILENCE } from '../helpers/gateway/requester.ts';

const api = apiOf(
  { '/x': { get: {} }, '/large': { get: {} }, '/private': { get: { security: [{ key: [] }] } } },
  { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } } },
);
const auth = {
  schemes: { key: { type: 'apiKey', keys: [{ id: 'eva', key: 'a-very-secret-key' }] } as const },
};
const headers = { 'x-key': 'a-very-secret-key' };
const large = { text: 'lorem ipsum '.repeat(1000) };
const PATHS = ['/x', '/large', '/private', '/openapi.json', '/livez', '/docs/', '/nothing'];

const fail = (): never => {
  throw new Error('a method of the host failed');
};

/** A host app with a middleware that runs for each request with the query `?break`. */
async function hostOf(t: TestContext, breakIt: RequestHandler, options: Partial<GatewayOptions> = {}) {
  const logged: string[] = [];
  const note = (_fields: object, message: string): void => void logged.push(message);
  const requester = new FakeRequester({ 'get.large': () => large });
  const logger = { debug: note, info: note, warn: note, error: note };
  const gateway = createGateway({ requester, api, auth, logger, ...options });
  const app = express();
  app.use((req, res, next) => ('break' in req.query ? breakIt(req, res, next) : next()));
  app.use('/api', gateway.middleware);
  const server = createServer(app);
  t.after(() => gateway.close({ deadline: 0 }));
  t.after(() => closeServer(server));
  const url = `http://127.0.0.1:${await listenOnFreePort(server)}/api`;
  return { url, gateway, logged };
}

/** Patches one method of a response before the gateway gets it. */
const patching =
  (name: 'writeHead' | 'setHeader' | 'appendHeader' | 'end' | 'getHeaderNames'): RequestHandler =>
  (_req, res, next) => {
    res.setHeader('X-Theirs', 'yes');
    Object.assign(res, { [name]: fail });
    next();
  };

describe('host app whose responses throw', () => {
  for (const name of ['writeHead', 'setHeader', 'appendHeader', 'end', 'getHeaderNames'] as const) {
    it(`host app that throws from ${name}: only that request fails`, async (t) => {
      const { url, gateway, logged } = await hostOf(t, patching(name));
      for (const path of PATHS) {
        const broken = await fetch(`${url}${path}?break`, { headers }).catch(() => undefined);
        if (path === '/x' && name === 'setHeader') {
          assert.ok(broken);
          const problem = await problemOf(broken);
          assert.deepEqual([problem.status, problem.code], [500, 'INTERNAL_ERROR']);
          assert.ok(logged.includes('cannot write a response'));
        } else if (broken !== undefined) await broken.arrayBuffer();
        const good = await fetch(url + path, { headers });
        assert.equal(good.status, path === '/nothing' ? 404 : 200, path);
        await good.arrayBuffer();
      }
      assert.equal(gateway.inFlight, 0);
    });
  }

  it('host app that throws: the connection is closed if the response cannot be completed', async (t) => {
    const frozen: RequestHandler = (_req, res, next) => {
      Object.defineProperty(res, 'setHeader', { value: fail });
      next();
    };
    const { url, logged } = await hostOf(t, frozen);
    for (const path of PATHS) await assert.rejects(fetch(`${url}${path}?break`, { headers }), path);
    assert.ok(logged.includes('cannot write the error response either'));
    assert.equal((await fetch(`${url}/x`)).status, 200);
  });

  it('host app that patches writeHead as compression middlewares do: its requests are served', async (t) => {
    // In Fastify, `headersSent` of a raw response has its own value.
    const patch: RequestHandler = (_req, res, next) => {
      const writeHead = res.writeHead.bind(res);
      const end = res.end.bind(res) as (body: string, encoding: BufferEncoding) => unknown;
      Object.defineProperty(res, 'headersSent', { value: false });
      Object.assign(res, {
        writeHead: (status: number) => (res.setHeader('X-Patched', 'yes'), writeHead(status)),
        end: (body: string, encoding: BufferEncoding) => {
          res.writeHead(res.statusCode);
          return end(body, encoding);
        },
      });
      next();
    };
    const { url } = await hostOf(t, patch);
    const response = await fetch(`${url}/x?break`);
    assert.deepEqual([response.status, response.headers.get('x-patched')], [400, 'yes']);
    assert.match(await response.text(), /break/);
  });
});

describe('host app that responds first', () => {
  it('host app that responds first: its response is sent, and the request is cancelled', async (t) => {
    const requester = new FakeRequester({ 'get.x': () => SILENCE });
    const first: RequestHandler = (_req, res, next) => {
      setImmediate(() => res.status(503).end('theirs'));
      next();
    };
    const api2 = apiOf({ '/x': { get: { 'x-unknown-query': 'ignore' } } });
    const { url } = await hostOf(t, first, { requester, api: api2 });
    const response = await fetch(`${url}/x?break`);
    assert.deepEqual([response.status, await response.text()], [503, 'theirs']);
    while (requester.cancelled.length === 0) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('plain HTTP server', () => {
  const serve = async (t: TestContext, handle: (req: IncomingMessage, res: ServerResponse) => void) => {
    const server = createServer(handle);
    t.after(() => closeServer(server));
    return `http://127.0.0.1:${await listenOnFreePort(server)}`;
  };

  it('plain HTTP server: continues after a response throws, also once a compressed reply is ready', async (t) => {
    const requester = new FakeRequester({ 'get.large': () => replyOf(large) });
    const gateway = createGateway({ requester, api, auth });
    t.after(() => gateway.close());
    let broken = true;
    const url = await serve(t, (req, res) => {
      if (broken) Object.assign(res, { writeHead: fail, setHeader: fail });
      gateway.middleware(req, res, fail);
    });
    for (const path of ['/x', '/large', '/livez', '/nothing']) {
      const response = await fetch(url + path);
      assert.deepEqual([response.status, (await problemOf(response)).code], [500, 'INTERNAL_ERROR'], path);
    }
    broken = false;
    assert.equal((await fetch(`${url}/large`)).status, 200);
  });

  it('plain HTTP server: continues after the log throws', async (t) => {
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    const gateway = createGateway({ requester: new FakeRequester(), api, auth, logger, accessLog: true });
    t.after(() => gateway.close());
    const url = await serve(t, (req, res) => gateway.middleware(req, res, fail));
    for (const path of ['/x', '/livez', '/nothing']) {
      const response = await fetch(url + path);
      assert.equal(response.status, path === '/nothing' ? 404 : 200);
      await response.arrayBuffer();
    }
  });
});
