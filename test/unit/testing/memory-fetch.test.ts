/** HTTP requests to a worker in memory, through the gateway. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Joi from 'joi';
import { defineContract, defineWorker, reply } from 'zeromq-gateway';
import { type TestWorker, type TestWorkerOptions, testWorker } from 'zeromq-gateway/testing';

const contract = defineContract({
  name: 'notes',
  events: {
    'notes.get': {
      method: 'GET',
      path: '/notes/{id}',
      data: Joi.object<{ id: number }>({ id: Joi.number().integer().required() }),
      etag: true,
    },
    'notes.add': {
      method: 'POST',
      path: '/notes',
      data: Joi.object<{ text: string }>({ text: Joi.string().required() }),
      replies: { 201: { headers: { Location: 'Path of the note' } } },
    },
    'notes.drop': { method: 'DELETE', path: '/notes' },
    'notes.bytes': { method: 'GET', path: '/bytes', replies: { 200: { contentType: 'text/plain' } } },
    'notes.wait': { method: 'GET', path: '/wait', timeout: 3000 },
  },
});

let aborted = 0;
const notes = defineWorker({
  contract,
  handlers: {
    'notes.get': ({ id }, { requestId, caller }) => ({ id, requestId, caller: caller?.id }),
    'notes.add': ({ text }) => reply(201, { text }, { location: '/notes/1', 'set-cookie': 'a=1' }),
    'notes.drop': () => reply(204),
    'notes.bytes': () => reply(200, 'x'.repeat(300_000), { 'content-type': 'text/plain' }),
    'notes.wait': (_, { signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          aborted += 1;
          reject(signal.reason as Error);
        }),
      ),
  },
});

const open = (options?: TestWorkerOptions): Promise<TestWorker<typeof contract.events>> =>
  testWorker(notes, options);

test('fetch: returns the response of the gateway', async () => {
  await using worker = await open();
  const response = await worker.fetch('/notes/7', { headers: { 'request-id': 'test-1' } });
  assert.ok(response instanceof Response);
  assert.deepEqual([response.status, response.statusText, response.ok], [200, 'OK', true]);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('request-id'), 'test-1');
  assert.deepEqual(await response.json(), { id: 7, requestId: 'test-1' });
});

test('fetch: takes a path, a URL or a request', async () => {
  await using worker = await open();
  const url = new URL('http://api.example.com:81/notes/1');
  for (const input of ['/notes/1', String(url), url, new Request(url)]) {
    assert.equal((await worker.fetch(input)).status, 200);
  }
});

test('fetch: sends bodies and returns headers', async () => {
  await using worker = await open();
  const response = await worker.fetch('/notes', {
    method: 'POST',
    body: JSON.stringify({ text: 'ü'.repeat(50_000) }),
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get('location'), '/notes/1');
  assert.deepEqual(response.headers.getSetCookie(), ['a=1']);
  assert.equal(((await response.json()) as { text: string }).text.length, 50_000);
});

test('fetch: invalid requests receive the problem document of the gateway', async () => {
  await using worker = await open();
  const response = await worker.fetch('/notes', {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const { code, errors } = (await response.json()) as { code: string; errors: { pointer: string }[] };
  assert.deepEqual([response.status, code, errors[0]?.pointer], [400, 'INVALID_REQUEST', '/body/text']);
  assert.equal((await worker.fetch('/nowhere')).status, 404);
  assert.equal((await worker.fetch('/notes/1', { method: 'PUT' })).status, 405);
});

test('fetch: responses without a body', async () => {
  await using worker = await open();
  const dropped = await worker.fetch('/notes', { method: 'DELETE' });
  assert.deepEqual([dropped.status, dropped.body], [204, null]);
  const etag = (await worker.fetch('/notes/1')).headers.get('etag') ?? '';
  const cached = await worker.fetch('/notes/1', { headers: { 'if-none-match': etag } });
  assert.ok([200, 304].includes(cached.status));
  const head = await worker.fetch('/notes/1', { method: 'HEAD' });
  assert.equal(await head.text(), '');
});

test('fetch: reads a large body', async () => {
  await using worker = await open();
  assert.equal((await (await worker.fetch('/bytes')).text()).length, 300_000);
});

test('fetch: a deadline passes when the test advances the clock', async () => {
  await using worker = await open();
  const response = worker.fetch('/wait');
  // The gateway is created by the first request.
  await worker.fetch('/notes/1');
  await worker.clock.advance(3000);
  const { status } = await response;
  assert.equal(status, 504);
});

test('fetch: aborting the request cancels the handler', async () => {
  await using worker = await open();
  await worker.fetch('/notes/1');
  const before = aborted;
  const controller = new AbortController();
  const response = worker.fetch('/wait', { signal: controller.signal });
  await worker.clock.advance(0);
  controller.abort();
  await assert.rejects(response, { name: 'AbortError' });
  await worker.clock.advance(0);
  await worker.clock.advance(0);
  assert.equal(aborted, before + 1);
});

test('fetch: the gateway has the settings of the test', async () => {
  const secured = defineContract({
    name: 'secured',
    securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'x-key' } },
    security: ['key'],
    events: { whoami: { method: 'GET', path: '/whoami' } },
  });
  const auth = {
    schemes: { key: { type: 'apiKey', keys: [{ id: 'ann', key: 'a-key-of-the-test-0123456789' }] } },
  } as const;
  const worker = defineWorker({ contract: secured, handlers: { whoami: (_, { caller }) => caller?.id } });
  await using running = await testWorker(worker, { gateway: { auth } });
  assert.equal((await running.fetch('/whoami')).status, 401);
  const headers = { 'x-key': 'a-key-of-the-test-0123456789' };
  assert.equal(await (await running.fetch('/whoami', { headers })).json(), 'ann');
});

test('fetch: serves documents for events without a contract', async () => {
  const plain = defineWorker({ handlers: { 'sums.add': ({ a }: { a: number }) => ({ sum: a + 1 }) } });
  const parameter = { name: 'a', in: 'query', required: true, schema: { type: 'integer' } };
  const get = {
    'x-event-name': 'sums.add',
    parameters: [parameter],
    responses: { 200: { description: 'The sum' } },
  };
  const openapi = { openapi: '3.0.3', info: { title: 'Sums', version: '1' }, paths: { '/sums': { get } } };
  await using worker = await testWorker(plain, { openapi });
  assert.deepEqual(await (await worker.fetch('/sums?a=2')).json(), { sum: 3 });
  assert.deepEqual(Object.keys((await worker.openapi()).paths ?? {}), ['/sums']);
  await using bare = await testWorker(plain);
  await assert.rejects(bare.fetch('/sums'), /fetch needs HTTP routes: give the worker a contract/);
});

test('fetch: Swagger UI and the document are served', async () => {
  await using worker = await open();
  const document = (await (await worker.fetch('/openapi.json')).json()) as { paths: object };
  assert.ok('/notes/{id}' in document.paths);
  assert.deepEqual(
    Object.keys((await worker.openapi()).paths ?? {}).sort(),
    Object.keys(document.paths).sort(),
  );
});
