import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { apiOf, parameter } from '../helpers/gateway/api.ts';
import { foreignApp, HOSTS, type Hosted, ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { exchangeRaw, parseRaw } from '../helpers/gateway/raw-http.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';

const id = parameter('id', 'path', { type: 'string' });
const numbers = { type: 'array', items: { type: 'number' } };
const api = apiOf({
  '/tasks': { get: {}, post: {} },
  '/tasks/{id}': { get: { parameters: [id] }, put: { parameters: [id] }, delete: { parameters: [id] } },
  '/tasks/mine': { get: {} },
  '/files/{name}.{ext}': {
    get: { parameters: [parameter('name', 'path', {}), parameter('ext', 'path', {})] },
  },
  '/jobs/{id}:cancel': { post: { parameters: [id] } },
  '/jobs/{id}': { get: { parameters: [id] } },
  '/v1/things:batch': { post: {} },
  '/café/{id}': { get: { parameters: [id] } },
  '/a*b': { get: {} },
  '/with-options': { options: {} },
  '/copyrights/{lat}.{format}': {
    get: {
      parameters: [
        parameter('lat', 'path', { type: 'number' }),
        parameter('format', 'path', { enum: ['json', 'xml'] }),
      ],
    },
  },
  '/r/{id}.jsonld': { get: { parameters: [id] } },
  '/r/{id}.schema.jsonld': { get: { parameters: [id] } },
  '/compare/{a}.{b}': {
    get: {
      parameters: [parameter('a', 'path', { type: 'integer' }), parameter('b', 'path', { type: 'integer' })],
    },
  },
  '/compare/{a}-{b}': {
    get: {
      parameters: [parameter('a', 'path', { type: 'number' }), parameter('b', 'path', { type: 'number' })],
    },
  },
  '/lists/{ids}:batch': { get: { parameters: [parameter('ids', 'path', numbers)] } },
  '/größen-{sizes}/{rest}': {
    get: {
      parameters: [
        parameter('sizes', 'path', numbers),
        parameter('rest', 'path', { type: 'array', items: { type: 'string' } }),
      ],
    },
  },
  '/label{list}.end': {
    get: { parameters: [parameter('list', 'path', numbers, { style: 'label' })] },
  },
  '/matrix{list}~{object}': {
    get: {
      parameters: [
        parameter('list', 'path', numbers, { style: 'matrix', explode: true }),
        parameter('object', 'path', { type: 'object' }, { style: 'matrix' }),
      ],
    },
  },
  '/rep/{y}-{m}-{d}.pdf': {
    get: { parameters: ['y', 'm', 'd'].map((name) => parameter(name, 'path', { type: 'integer' })) },
  },
  '/five/{a}-{b}-{c}-{d}-{e}_end': {
    get: { parameters: ['a', 'b', 'c', 'd', 'e'].map((name) => parameter(name, 'path', {})) },
  },
});

for (const [name, host] of HOSTS) {
  describe(`routing on ${name}`, () => {
    const requester = new FakeRequester();
    const open = (t: TestContext): Promise<Hosted> => host(t, { requester, api });
    const event = (): string | undefined => requester.requests.at(-1)?.eventName;

    const found: [method: string, path: string, event: string, data: object][] = [
      ['GET', '/tasks', 'get.tasks', {}],
      ['POST', '/tasks', 'post.tasks', {}],
      ['GET', '/tasks/7', 'get.tasks.id', { id: '7' }],
      ['DELETE', '/tasks/7', 'delete.tasks.id', { id: '7' }],
      ['GET', '/tasks/mine', 'get.tasks.mine', {}],
      ['GET', '/tasks/a%2Fb', 'get.tasks.id', { id: 'a/b' }],
      ['GET', '/tasks/%25', 'get.tasks.id', { id: '%' }],
      ['GET', '/tasks/a%20b+c', 'get.tasks.id', { id: 'a b+c' }],
      ['GET', '/tasks/%E2%82%AC', 'get.tasks.id', { id: '€' }],
      ['GET', '/tasks/__proto__', 'get.tasks.id', { id: '__proto__' }],
      ['GET', '/files/report.v2.pdf', 'get.files.name.ext', { name: 'report.v2', ext: 'pdf' }],
      ['GET', '/copyrights/52.5.json', 'get.copyrights.lat.format', { lat: 52.5, format: 'json' }],
      ['GET', '/copyrights/52%2E5%2ejson', 'get.copyrights.lat.format', { lat: 52.5, format: 'json' }],
      ['GET', '/r/7.schema.jsonld', 'get.r.id.schema.jsonld', { id: '7' }],
      ['GET', '/r/7.jsonld', 'get.r.id.jsonld', { id: '7' }],
      ['GET', '/compare/1.5-2', 'get.compare.a.b', { a: 1.5, b: 2 }],
      ['GET', '/compare/1.5', 'get.compare.a.b', { a: 1, b: 5 }],
      ['GET', '/lists/1,2:batch', 'get.lists.ids.batch', { ids: [1, 2] }],
      ['GET', '/lists/1,2%3Abatch', 'get.lists.ids.batch', { ids: [1, 2] }],
      [
        'GET',
        '/gr%C3%B6%c3%9fen%2D38,40/a%2Fb,c',
        'get.gr.en.sizes.rest',
        { sizes: [38, 40], rest: ['a/b', 'c'] },
      ],
      ['GET', '/label.1,2.end', 'get.label.list.end', { list: [1, 2] }],
      ['GET', '/l%61bel.1,2%2Eend', 'get.label.list.end', { list: [1, 2] }],
      [
        'GET',
        '/matrix;list=1;list=2~;object=a,b%2Cc',
        'get.matrix.list.object',
        { list: [1, 2], object: { a: 'b,c' } },
      ],
      ['GET', '/rep/2026-11-12.pdf', 'get.rep.y.m.d.pdf', { y: 2026, m: 11, d: 12 }],
      ['POST', '/jobs/5:cancel', 'post.jobs.id.cancel', { id: '5' }],
      ['GET', '/jobs/5', 'get.jobs.id', { id: '5' }],
      ['POST', '/v1/things:batch', 'post.v.things.batch', {}],
      ['GET', '/caf%C3%A9/1', 'get.caf.id', { id: '1' }],
      ['GET', '/a*b', 'get.a.b', {}],
      ['OPTIONS', '/with-options', 'options.with.options', {}],
    ];
    for (const [method, path, name, data] of found) {
      it(`${method} ${path} is ${name}`, async (t) => {
        const { url } = await open(t);
        const response = await fetch(url + path, { method });
        assert.equal(response.status, 200, await response.text());
        assert.equal(event(), name);
        assert.deepEqual(requester.data, data);
      });
    }

    for (const path of [
      '/nothing',
      '/Tasks',
      '/tasks/',
      '/tasks/7/more',
      '//tasks',
      '/files/plain',
      '/jobs/:cancel/x',
    ]) {
      it(`routing on ${name}: ${path} is unknown`, async (t) => {
        const { url } = await open(t);
        const problem = await problemOf(await fetch(url + path));
        assert.equal(problem.status, 404);
        assert.equal(problem.code, 'NOT_FOUND');
      });
    }

    it(`routing on ${name}: another method gets 405 with Allow`, async (t) => {
      const { url } = await open(t);
      const response = await fetch(`${url}/tasks/7`, { method: 'POST' });
      assert.equal(response.headers.get('allow'), 'GET, HEAD, PUT, DELETE, OPTIONS');
      assert.equal((await problemOf(response)).code, 'METHOD_NOT_ALLOWED');
      assert.equal((await fetch(`${url}/tasks/mine`, { method: 'DELETE' })).status, 405);
      assert.equal(
        (await fetch(`${url}/livez`, { method: 'POST' })).headers.get('allow'),
        'GET, HEAD, OPTIONS',
      );
    });

    it(`routing on ${name}: OPTIONS gets Allow`, async (t) => {
      const { url } = await open(t);
      const response = await fetch(`${url}/tasks`, { method: 'OPTIONS' });
      assert.equal(response.status, 204);
      assert.equal(response.headers.get('allow'), 'GET, HEAD, POST, OPTIONS');
      assert.equal(response.headers.get('content-length'), null);
    });

    it(`routing on ${name}: HEAD gets the response of GET without its body`, async (t) => {
      const { url } = await open(t);
      const response = await fetch(`${url}/tasks/7`, { method: 'HEAD' });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-length'), String('{"id":"7"}'.length));
      assert.equal(response.headers.get('content-type'), 'application/json');
      assert.equal(await response.text(), '');
      assert.equal(event(), 'get.tasks.id');
    });

    for (const path of ['/tasks/%', '/tasks/%zz', '/tasks/%ff', '/%c0%af/x', '/tasks/%E2%82']) {
      it(`routing on ${name}: the invalid encoding of ${path} is rejected`, async (t) => {
        const { url } = await open(t);
        const problem = await problemOf(await fetch(url + path));
        assert.equal(problem.code, 'INVALID_REQUEST');
        assert.deepEqual(problem.errors, [{ pointer: '/path', detail: 'has invalid percent-encoding' }]);
      });
    }
  });
}

describe('ambiguous paths', () => {
  it('routing: the time for an ambiguous path grows only with its length', async (t) => {
    const { url } = await ownServer(t, { requester: new FakeRequester(), api });
    const statuses: number[] = [];
    for (const path of [
      `/rep/${'-'.repeat(12_000)}`,
      `/rep/${'-1'.repeat(6_000)}.pdf`,
      `/five/${'-a'.repeat(6_000)}`,
    ]) {
      statuses.push((await fetch(url + path)).status);
    }
    assert.deepEqual(statuses, [404, 400, 404]);
  });
});

describe('request targets', () => {
  it('request target: the absolute form is accepted', async (t) => {
    const requester = new FakeRequester();
    const { port } = await ownServer(t, { requester, api });
    const target =
      'GET http://elsewhere.example/tasks/7?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const refused = parseRaw(await exchangeRaw(port, target));
    assert.equal(refused.status, 400);
    assert.match(refused.body, /\/query\/x/);
    const response = parseRaw(await exchangeRaw(port, target.replace('?x=1', '')));
    assert.equal(response.status, 200);
    assert.deepEqual(requester.data, { id: '7' });
  });

  it('request target: OPTIONS * gets the methods of all paths', async (t) => {
    const { port } = await ownServer(t, { requester: new FakeRequester(), api });
    const response = parseRaw(
      await exchangeRaw(port, 'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
    );
    assert.equal(response.status, 204);
    assert.equal(response.headers.get('allow'), 'GET, HEAD, POST, OPTIONS, PUT, DELETE');
  });

  it('request target: a fragment gets 400, and no worker gets the request', async (t) => {
    const requester = new FakeRequester();
    const { port } = await ownServer(t, { requester, api });
    const mounted = await foreignApp(t, { requester, api });
    for (const target of [
      '/tasks/7#frag',
      '/tasks/7?#frag',
      '/tasks/7?x=1#frag',
      '/tasks/#7',
      '/nothing#frag',
      'http://a/tasks/7#frag',
      '/docs#frag',
    ]) {
      const request = `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
      const { status, headers, body } = parseRaw(await exchangeRaw(port, request));
      const { code, detail } = JSON.parse(body) as { code: string; detail: string };
      assert.deepEqual([status, code], [400, 'MALFORMED_HTTP'], target);
      assert.equal(headers.get('content-type'), 'application/problem+json');
      assert.match(detail, /must not have a fragment; encode # as %23/);
    }
    const request = 'GET /api/tasks/7#frag HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    assert.equal(parseRaw(await exchangeRaw(mounted.port, request)).status, 400);
    assert.equal(requester.requests.length, 0);
  });

  it('request target: an encoded # is data', async (t) => {
    const requester = new FakeRequester();
    const { url } = await ownServer(t, { requester, api });
    assert.equal((await fetch(`${url}/tasks/%237`)).status, 200);
    assert.deepEqual(requester.data, { id: '#7' });
  });
});
