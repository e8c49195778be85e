/** Files between HTTP and a classic worker, with the operations of published documents. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, it, type TestContext } from 'node:test';
import { ApiRegistry } from '../../src/openapi/index.ts';
import { ClassicWorker, NEEDS_CLASSIC } from '../helpers/classic.ts';
import { ownServer } from '../helpers/gateway/hosts.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter } from '../integration/framework.ts';

failOnLeftovers();

type Paths = Record<string, Record<string, Record<string, unknown>>>;

const require = createRequire(import.meta.url);
const petstore = require('@readme/oas-examples/3.0/json/petstore.json') as { paths: Paths };
const uploads = require('@readme/oas-examples/3.0/json/file-uploads.json') as { paths: Paths };

/** The upload of a release asset as in the document of GitHub's REST API, and a download. */
const assets = {
  openapi: '3.0.3',
  info: { title: 'GitHub', version: '1' },
  paths: {
    '/repos/{owner}/{repo}/releases/{release_id}/assets': {
      post: {
        operationId: 'repos/upload-release-asset',
        parameters: [
          { name: 'owner', in: 'path', required: true, schema: { type: 'string' } },
          { name: 'repo', in: 'path', required: true, schema: { type: 'string' } },
          { name: 'release_id', in: 'path', required: true, schema: { type: 'integer' } },
          { name: 'name', in: 'query', required: true, schema: { type: 'string' } },
          { name: 'label', in: 'query', schema: { type: 'string' } },
        ],
        requestBody: {
          content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
        },
        responses: { 201: { description: 'Response', content: { 'application/json': {} } } },
      },
    },
    '/pictures/{size}': {
      get: {
        operationId: 'pictures',
        parameters: [{ name: 'size', in: 'path', required: true, schema: { type: 'integer' } }],
        responses: { 200: { description: 'Picture', content: { 'image/png': {} } } },
      },
    },
  },
};

/** A copy of a document with one operation, which has an event of the classic worker. */
function withEvent(document: { paths: Paths }, path: string, method: string, event: string): object {
  const copy = structuredClone(document);
  const operation = copy.paths[path]?.[method];
  assert.ok(operation, `${method} ${path}`);
  operation['x-event-name'] = event;
  delete operation['security'];
  return { ...copy, paths: { [path]: { [method]: operation } } };
}

async function serve(t: TestContext, document: object): Promise<string> {
  const scope = scopeOf(t);
  const { frontend, backend } = await startRouter(scope, 'tcp', { limits: { startupGrace: PATIENCE } });
  await ClassicWorker.start(scope, backend);
  const client = await connectClient(scope, frontend);
  const api = new ApiRegistry();
  api.put('document', document);
  return (await ownServer(t, { requester: client, api })).url;
}

interface Digest {
  found: Record<string, { size: number; sha256: string }>;
  data: Record<string, unknown>;
}

const BYTES = Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * 7) % 256));
const found = { size: BYTES.length, sha256: createHash('sha256').update(BYTES).digest('hex') };

describe('files and a classic worker', NEEDS_CLASSIC, () => {
  it('files: the upload of petstore reaches a classic worker unchanged', async (t) => {
    const path = '/pet/{petId}/uploadImage';
    const url = await serve(t, withEvent(petstore, path, 'post', 'pets.digest'));
    const form = new FormData();
    form.append('additionalMetadata', 'häuslich');
    form.append('file', new Blob([BYTES], { type: 'image/jpeg' }), 'cat.jpg');
    const response = await fetch(`${url}/pet/5/uploadImage`, { method: 'POST', body: form });
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      found: { file: found },
      data: { petId: 5, additionalMetadata: 'häuslich' },
    });
  });

  it('files: a raw image reaches a classic worker unchanged', async (t) => {
    const path = '/anything/image-png';
    const url = await serve(t, withEvent(uploads, path, 'post', 'images.digest'));
    const init = { method: 'POST', body: BYTES, headers: { 'content-type': 'image/png' } };
    const response = await fetch(url + path, init);
    assert.equal(response.status, 200);
    assert.deepEqual(((await response.json()) as Digest).found, { body: found });
  });

  it('files: a release asset reaches a classic worker unchanged, with its parameters', async (t) => {
    const path = '/repos/{owner}/{repo}/releases/{release_id}/assets';
    const url = await serve(t, withEvent(assets, path, 'post', 'assets.digest'));
    const response = await fetch(`${url}/repos/me/it/releases/7/assets?name=a.zip`, {
      method: 'POST',
      body: BYTES,
      headers: { 'content-type': 'application/octet-stream' },
    });
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      found: { body: found },
      data: { owner: 'me', repo: 'it', release_id: 7, name: 'a.zip' },
    });
  });

  it('files: the base64 of a classic worker leaves as bytes', async (t) => {
    const url = await serve(t, withEvent(assets, '/pictures/{size}', 'get', 'pictures.picture'));
    const response = await fetch(`${url}/pictures/256`);
    assert.equal(response.headers.get('content-type'), 'image/png');
    const expected = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), expected);
  });
});
