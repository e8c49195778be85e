import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { OpenAPIV3_1 } from 'openapi-types';
import { parse } from 'yaml';
import { at, type Json, type JsonObject } from '../../src/contract/json.ts';
import { createGateway, type GatewaySettingsInput } from '../../src/gateway/index.ts';
import { apiOf, documentOf, parameter } from '../helpers/gateway/api.ts';
import { foreignApp, HOSTS, type Hosted, ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';

const paths = {
  '/tasks/{id}': {
    get: { summary: "costs $& or $'", parameters: [parameter('id', 'path', { type: 'string' })] },
  },
};

for (const [name, host] of HOSTS) {
  describe(`pages on ${name}`, () => {
    const open = async (
      t: TestContext,
      settings: GatewaySettingsInput = {},
    ): Promise<Hosted & { requester: FakeRequester }> => {
      const requester = new FakeRequester();
      return { ...(await host(t, { requester, api: apiOf(paths), ...settings })), requester };
    };

    it(`pages on ${name}: the document is served as JSON and YAML, with this server as its server`, async (t) => {
      const { url, gateway } = await open(t);
      const json = await fetch(`${url}/openapi.json`);
      assert.equal(json.headers.get('content-type'), 'application/json');
      const document = (await json.json()) as { paths: object; servers: unknown };
      assert.deepEqual(Object.keys(document.paths), ['/tasks/{id}']);
      const prefix = new URL(url).pathname;
      assert.deepEqual(document.servers, [{ url: prefix }]);
      assert.deepEqual({ ...gateway.openapi(), servers: document.servers }, document);
      const yaml = await fetch(`${url}/openapi.yaml`);
      assert.equal(yaml.headers.get('content-type'), 'application/yaml');
      assert.deepEqual(parse(await yaml.text()), document);
    });

    it(`pages on ${name}: an unchanged document gets 304`, async (t) => {
      const { url } = await open(t);
      const etag = (await fetch(`${url}/openapi.json`)).headers.get('etag') ?? '';
      const again = await fetch(`${url}/openapi.json`, { headers: { 'if-none-match': etag } });
      assert.equal(again.status, 304);
      assert.equal((await fetch(`${url}/openapi.json`, { headers: { 'if-match': '"x"' } })).status, 412);
    });

    it(`pages on ${name}: the document is served in version 3.2, too`, async (t) => {
      const schema = { type: 'object', properties: { n: { type: 'integer' } } };
      const content = { 'application/jsonl': { itemSchema: schema } };
      const lines = { get: { responses: { 200: { description: '', content } } } };
      const api = apiOf({ ...paths, '/lines': lines });
      const { url } = await host(t, { requester: new FakeRequester(), api });
      const read = async (query: string) => {
        const response = await fetch(`${url}/openapi.json${query}`);
        return { response, document: (await response.json()) as JsonObject };
      };
      const media = (document: Json): unknown => at(document, '/paths/~1lines/get/responses/200/content');
      const old = await read('');
      assert.equal(old.document['openapi'], '3.1.0');
      assert.deepEqual(media(old.document), { 'application/jsonl': { 'x-item-schema': schema } });
      assert.deepEqual((await read('?version=3.1')).document, old.document);
      const { response, document } = await read('?version=3.2');
      assert.equal(document['openapi'], '3.2.0');
      assert.deepEqual(media(document), { 'application/jsonl': { itemSchema: schema } });
      const etag = response.headers.get('etag') ?? '';
      assert.notEqual(etag, old.response.headers.get('etag'));
      const headers = { 'if-none-match': etag };
      assert.equal((await fetch(`${url}/openapi.json?version=3.2`, { headers })).status, 304);
      assert.equal((await fetch(`${url}/openapi.json`, { headers })).status, 200);
      const yaml = await fetch(`${url}/openapi.yaml?version=3.2.0`);
      assert.deepEqual(parse(await yaml.text()), document);
      for (const query of ['?version=3.3', '?version=', '?version=3.1&version=3.2']) {
        const refused = await fetch(`${url}/openapi.json${query}`);
        const { code, errors } = await problemOf(refused);
        assert.deepEqual([refused.status, code], [400, 'INVALID_REQUEST']);
        assert.deepEqual(errors, [
          { pointer: '/query/version', detail: 'must be a version of OpenAPI, given once: 3.1 or 3.2' },
        ]);
      }
    });

    it(`pages on ${name}: the document names the configured URL`, async (t) => {
      const { gateway } = await open(t, { publicUrl: 'https://api.example/v1' });
      assert.deepEqual(gateway.openapi().servers, [{ url: 'https://api.example/v1' }]);
    });

    it(`pages on ${name}: Swagger UI is served locally and loads the document by a relative URL`, async (t) => {
      const { url } = await open(t);
      const moved = await fetch(`${url}/docs`, { redirect: 'manual' });
      assert.equal(moved.status, 308);
      assert.equal(moved.headers.get('location'), `${new URL(url).pathname.replace(/\/$/, '')}/docs/`);
      const page = await fetch(`${url}/docs`);
      const html = await page.text();
      const policy = page.headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none';script-src 'self';/);
      assert.doesNotMatch(policy, /script-src[^;]*unsafe/);
      assert.doesNotMatch(html, /<script(?![^>]*src=)/);
      const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
      assert.ok(links.length >= 4);
      for (const link of links) {
        assert.match(link, /^\.\//);
        const file = await fetch(new URL(link, `${url}/docs/`));
        assert.equal(file.status, 200, link);
        assert.equal(file.headers.get('x-content-type-options'), 'nosniff');
        await file.arrayBuffer();
      }
      const init = await (await fetch(`${url}/docs/swagger-ui-init.js?url=http://evil.example`)).text();
      assert.match(init, /"swaggerUrl": "\.\.\/openapi\.json"/);
      assert.match(init, /"validatorUrl": null/);
      const document = await fetch(new URL('../openapi.json', `${url}/docs/`));
      assert.equal(document.status, 200);
    });

    it(`pages on ${name}: Swagger UI loads a small document as a whole, and a large one in parts`, async (t) => {
      const api = apiOf(paths);
      const { url } = await host(t, { requester: new FakeRequester(), api });
      const read = async (path: string) => (await fetch(url + path)).text();
      assert.equal(await read('/docs/document.json'), await read('/openapi.json'));
      const many = Array.from(
        { length: 300 },
        (_, n) => [`/many/${n}`, { get: { summary: `${n}` } }] as const,
      );
      api.put('many', documentOf(Object.fromEntries(many)));
      const whole = JSON.parse(await read('/openapi.json')) as OpenAPIV3_1.Document;
      const index = JSON.parse(await read('/docs/document.json')) as OpenAPIV3_1.Document;
      assert.deepEqual(Object.keys(index.paths ?? {}), Object.keys(whole.paths ?? {}));
      assert.deepEqual([index.servers, index.info], [whole.servers, whole.info]);
      assert.deepEqual(index.paths?.['/many/7'], { get: { summary: '7', security: [] } });
      const query = new URLSearchParams({ section: 'paths', name: '/tasks/{id}', method: 'get' });
      const operation = await fetch(`${url}/docs/operation.json?${query.toString()}`);
      const { paths: shown } = (await operation.json()) as OpenAPIV3_1.Document;
      assert.deepEqual(shown, { '/tasks/{id}': whole.paths?.['/tasks/{id}'] });
      const headers = { 'if-none-match': operation.headers.get('etag') ?? '' };
      assert.equal((await fetch(operation.url, { headers })).status, 304);
      for (const wrong of ['', '?section=paths&name=/nothing&method=get']) {
        const { status, code } = await problemOf(await fetch(`${url}/docs/operation.json${wrong}`));
        assert.deepEqual([status, code], [404, 'NOT_FOUND']);
      }
    });

    it(`pages on ${name}: only the gateway's own server redirects / to Swagger UI`, async (t) => {
      const { url } = await open(t);
      const response = await fetch(`${url}/`, { redirect: 'manual' });
      if (name !== 'own server') assert.equal(response.status, 404);
      else {
        assert.deepEqual([response.status, response.headers.get('location')], [302, 'docs/']);
        assert.equal((await fetch(`${url}/`)).url, `${url}/docs/`);
        assert.equal((await fetch(`${url}/`, { method: 'POST' })).status, 404);
      }
    });

    it(`pages on ${name}: there are no other files`, async (t) => {
      const { url } = await open(t);
      for (const path of [
        '/docs/package.json',
        '/docs/nothing.js',
        '/docs/..%2f..%2fpackage.json',
        '/docs/%2e%2e/package.json',
      ]) {
        assert.equal((await fetch(url + path)).status, 404, path);
      }
    });

    it(`pages on ${name}: liveness and readiness are reported with reasons`, async (t) => {
      const { url, requester } = await open(t);
      assert.deepEqual(await (await fetch(`${url}/livez`)).json(), { status: 'ok', reasons: [] });
      assert.deepEqual(await (await fetch(`${url}/readyz`)).json(), { status: 'ok', reasons: [] });
      requester.reachable = false;
      const response = await fetch(`${url}/readyz`);
      assert.equal(response.status, 503);
      const reasons = [{ code: 'NO_ROUTER', detail: 'No router is reachable.' }];
      assert.deepEqual(await response.json(), { status: 'unavailable', reasons });
      assert.equal((await fetch(`${url}/livez`)).status, 200);
    });

    it(`pages on ${name}: are at the configured paths, or disabled`, async (t) => {
      const { url } = await open(t, {
        paths: { openapi: '/spec/api', docs: '/spec/ui', livez: '/healthz', readyz: false },
      });
      assert.equal((await fetch(`${url}/spec/api.json`)).status, 200);
      assert.equal((await fetch(`${url}/spec/ui`)).status, 200);
      assert.match(
        await (await fetch(`${url}/spec/ui/swagger-ui-init.js`)).text(),
        /"\.\.\/\.\.\/spec\/api\.json"/,
      );
      assert.equal((await fetch(`${url}/healthz`)).status, 200);
      for (const path of ['/readyz', '/livez', '/openapi.json', '/docs']) {
        assert.equal((await fetch(url + path)).status, 404, path);
      }
    });

    it(`pages on ${name}: routes and pages follow the document together`, async (t) => {
      const api = apiOf(paths);
      const { url } = await host(t, { requester: new FakeRequester(), api });
      assert.equal((await fetch(`${url}/late`)).status, 404);
      api.put('late', documentOf({ '/late': { get: {} } }));
      assert.equal((await fetch(`${url}/late`)).status, 200);
      const etag = (await fetch(`${url}/openapi.json`)).headers.get('etag');
      assert.match(await (await fetch(`${url}/openapi.json`)).text(), /"\/late"/);
      api.setAvailable('late', false);
      assert.notEqual((await fetch(`${url}/openapi.json`)).headers.get('etag'), etag);
      api.remove('late');
      assert.equal((await fetch(`${url}/late`)).status, 404);
      assert.doesNotMatch(await (await fetch(`${url}/openapi.json`)).text(), /"\/late"/);
    });
  });
}

describe('gateway in another app', () => {
  const options = { requester: new FakeRequester(), api: apiOf(paths) };

  it('gateway in another app: leaves the other routes alone', async (t) => {
    const { url } = await foreignApp(t, options);
    const origin = new URL(url).origin;
    assert.equal(await (await fetch(`${origin}/theirs`)).text(), 'theirs');
    assert.equal((await fetch(`${url}/tasks/1`)).headers.get('x-theirs'), 'yes');
  });

  it('gateway in another app: responds to unknown paths, or passes them on if configured', async (t) => {
    const strict = await foreignApp(t, options);
    assert.equal((await problemOf(await fetch(`${strict.url}/behind`))).code, 'NOT_FOUND');
    const open = await foreignApp(t, { ...options, fallthrough: true });
    assert.equal(await (await fetch(`${open.url}/behind`)).text(), 'behind');
    assert.equal((await fetch(`${open.url}/tasks/1`, { method: 'POST' })).status, 405);
  });
});

describe("app of the gateway's own server", () => {
  it("app of the gateway's own server: serves added routes, and their errors become problem documents", async (t) => {
    const { url, gateway } = await ownServer(t, { requester: new FakeRequester(), api: apiOf(paths) });
    gateway.app.get('/own/:id', (req, res) => {
      res.json({ id: req.params.id, ip: req.ip });
    });
    gateway.app.get('/fails', () => {
      throw new Error('secret');
    });
    assert.deepEqual(await (await fetch(`${url}/own/7`)).json(), { id: '7', ip: '127.0.0.1' });
    const problem = await problemOf(await fetch(`${url}/fails`));
    assert.equal(problem.code, 'INTERNAL_ERROR');
    assert.doesNotMatch(JSON.stringify(problem), /secret/);
    assert.equal((await problemOf(await fetch(`${url}/nothing`))).code, 'NOT_FOUND');
  });
});

it('docs scalar: the gateway does not start without its package, which the error names', () => {
  const options = { requester: new FakeRequester(), api: apiOf({}), docs: 'scalar' } as const;
  assert.throws(() => createGateway(options), {
    code: 'INVALID_ARGUMENT',
    message: /^docs scalar: the optional package @scalar\/api-reference is not installed; run npm install/,
  });
  assert.throws(
    () => createGateway({ ...options, docs: 'redoc' as never }),
    /docs: must be one of \[swagger, scalar\]/,
  );
});
