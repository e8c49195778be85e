// test:all: 15 s; gateway-parameters.test.ts represents it
/** Real-world documents. Each operation is found by its path, and all its schemas compile. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { SILENT } from '../../src/gateway/common/api-source.ts';
import { readSettings } from '../../src/gateway/index.ts';
import { RouteTable } from '../../src/gateway/routing/route-table.ts';
import { ApiRegistry, putDocument } from '../../src/openapi/index.ts';
import { ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';

const require = createRequire(import.meta.url);
const examples = dirname(require.resolve('@readme/oas-examples/package.json'));
const figma = dirname(require.resolve('@figma/rest-api-spec/package.json'));
const directus = join(import.meta.dirname, '../../node_modules/@directus/specs/dist/openapi.json');
const FILES = [
  directus,
  join(figma, 'openapi', 'openapi.yaml'),
  ...['3.0', '3.1'].flatMap((version) => {
    const folder = join(examples, version, 'json');
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(folder, name));
  }),
];

describe('real documents', () => {
  let operations = 0;
  for (const file of FILES) {
    const title = file.slice(file.indexOf('node_modules') + 'node_modules/'.length);
    it(`real documents: are served completely: ${title}`, (t) => {
      const text = readFileSync(file, 'utf8');
      const registry = new ApiRegistry();
      const document: unknown = file.endsWith('.yaml') ? parse(text) : JSON.parse(text);
      try {
        registry.put(basename(file), document);
      } catch (error) {
        t.skip(`the registry rejects it: ${(error as Error).message.slice(0, 100)}`);
        return;
      }
      const snapshot = registry.snapshot();
      const context = {
        settings: readSettings({}),
        logger: SILENT,
        baseHeaders: [],
        guardFor: () => undefined,
      };
      const table = new RouteTable(snapshot, new Map(), context);
      for (const { path, method } of snapshot.operations) {
        const match = table.find(path.replace(/\{[^}]*\}/g, 'x'));
        assert.ok(typeof match === 'object' && match.target.kind === 'path', path);
        const route = match.target.routes.get(method.toUpperCase());
        assert.ok(route, `${method} ${path}`);
        const source = { segments: match.segments, query: '%', headers: {} };
        assert.ok(Array.isArray(route.binder.bind(source, '', undefined)));
        for (const status of [200, 201, 404]) route.replies.rule(status, 'application/json');
        operations += 1;
      }
    });
  }

  it('real documents: there are enough of them', () => assert.ok(operations > 500, String(operations)));

  it('real documents: Directus is served, with both of its ways to send a key', async (t) => {
    const api = new ApiRegistry();
    putDocument(api, directus);
    const key = 'a-very-secret-key';
    const scheme = { type: 'apiKey', keys: [{ id: 'eva', key }] } as const;
    const requester = new FakeRequester();
    const auth = { schemes: { KeyAuth: scheme, Auth: scheme } };
    const { url } = await ownServer(t, { requester, api, auth });
    const get = (path: string, headers: Record<string, string> = {}) =>
      fetch(`${url}${path}`, { headers: { connection: 'close', ...headers } });

    const listed = await get(`/activity?limit=5&fields=*,user.email&sort=-id&access_token=${key}`);
    assert.equal(listed.status, 200, await listed.text());
    // Defaults of the document are filled in.
    const filled = { backlink: true };
    assert.deepEqual(requester.data, { limit: 5, fields: ['*', 'user.email'], sort: ['-id'], ...filled });
    const read = await get('/activity/7', { authorization: key });
    assert.equal(read.status, 200, await read.text());
    assert.deepEqual(requester.data, { id: 7 });
    const stranger = await problemOf(await get('/activity/7'));
    assert.deepEqual([stranger.status, stranger.code], [401, 'UNAUTHENTICATED']);
    const wrong = await problemOf(await get('/activity?limit=many', { authorization: key }));
    assert.deepEqual([wrong.status, wrong.errors?.[0]?.pointer], [400, '/query/limit']);
  });
});
