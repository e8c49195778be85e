/**
 * The sample workers over HTTP, as in the README: contracts announced by workers, a document for
 * the worker in Python, and every reply validated against the served document.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'libsql';
import { NEEDS_CLASSIC, PYTHON } from '../helpers/classic.ts';
import { problemOf } from '../helpers/gateway/hosts.ts';
import { startSamples } from '../helpers/gateway/samples.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { startProcess } from '../helpers/processes.ts';
import { untilJoined } from '../helpers/published.ts';
import { Scope } from '../helpers/scope.ts';

// The first database and the first fetch start threads that the process keeps.
failOnLeftovers(() => new Database(':memory:').close());

const ROOT = join(import.meta.dirname, '../..');

describe('sample workers over HTTP', () => {
  const scope = new Scope();
  let data: string;
  let backend: string;
  let url: string;

  before(async () => {
    ({ data, backend, url } = await startSamples(scope));
  });
  after(() => scope.close());

  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { ...init, headers: { connection: 'close', ...init.headers } });
  const send = (method: string, path: string, body: unknown) =>
    ask(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const json = async (response: Response, status = 200): Promise<Record<string, unknown>> => {
    const text = await response.text();
    assert.equal(response.status, status, text);
    return JSON.parse(text) as Record<string, unknown>;
  };

  it('sample workers over HTTP: echo', async () => {
    assert.deepEqual(await json(await ask('/echo/h%C3%A4llo%2Fyou')), { message: 'hällo/you' });
    const body = { message: 'x', list: [1, null, { deep: true }] };
    assert.deepEqual(await json(await send('POST', '/echo', body)), body);
    assert.equal((await problemOf(await send('POST', '/echo', { message: 7 }))).code, 'INVALID_REQUEST');
  });

  it('sample workers over HTTP: queue and handler times are sent on request', async () => {
    const { headers } = await ask('/echo/hello', { headers: { prefer: 'server-timing' } });
    assert.match(
      headers.get('server-timing') ?? '',
      /^queue;dur=[\d.]+, handler;dur=[\d.]+, total;dur=[\d.]+$/,
    );
    assert.equal((await ask('/echo/hello')).headers.get('server-timing'), null);
  });

  it('sample workers over HTTP: a task is created, changed and deleted', async () => {
    const created = await send('POST', '/tasks', { title: 'buy milk' });
    const location = created.headers.get('location') ?? '';
    const task = await json(created, 201);
    assert.equal(location, `/tasks/${String(task['id'])}`);

    const read = await ask(location);
    assert.deepEqual(await json(read), task);
    const etag = read.headers.get('etag') ?? '';
    const again = await ask(location, { headers: { 'if-none-match': etag } });
    assert.equal(again.status, 304);

    assert.equal((await json(await send('PATCH', location, { done: true })))['done'], true);
    assert.equal((await json(await send('PUT', location, { title: 'buy oat milk' })))['done'], false);
    const removed = await ask(location, { method: 'DELETE' });
    assert.deepEqual([removed.status, await removed.text()], [204, '']);
    const problem = await problemOf(await ask(location));
    assert.deepEqual([problem.status, problem.code], [404, 'TASK_NOT_FOUND']);
  });

  it('sample workers over HTTP: tasks are listed by page and filter, and invalid requests are rejected', async () => {
    for (const title of ['alpha', 'beta', 'gamma']) await json(await send('POST', '/tasks', { title }), 201);
    const page = await json(await ask('/tasks?limit=1&offset=1&done=false'));
    assert.deepEqual([(page['items'] as unknown[]).length, page['total']], [1, 3]);
    const found = await json(await ask('/tasks?q=AMM'));
    assert.deepEqual(
      (found['items'] as { title: string }[]).map(({ title }) => title),
      ['gamma'],
    );
    for (const [method, path, body] of [
      ['GET', '/tasks?limit=0', undefined],
      ['GET', '/tasks?done=perhaps', undefined],
      ['GET', '/tasks?colour=red', undefined],
      ['GET', '/tasks/zero', undefined],
      ['POST', '/tasks', {}],
      ['POST', '/tasks', { title: 'x', colour: 'red' }],
      ['PATCH', '/tasks/1', {}],
    ] as const) {
      const response = await (body ? send(method, path, body) : ask(path, { method }));
      const problem = await problemOf(response);
      assert.equal(problem.code, 'INVALID_REQUEST', path);
      assert.ok((problem.errors ?? []).length > 0, 'the problem document names the errors');
    }
  });

  it('sample workers over HTTP: inventory gets 503 until its worker runs', NEEDS_CLASSIC, async () => {
    const problem = await problemOf(await ask('/inventory/bolt-m6'));
    assert.deepEqual([problem.status, problem.code, problem.dispatched], [503, 'NO_WORKER', false]);

    const script = join(ROOT, 'workers/python/inventory_classic.py');
    const start = async () =>
      startProcess(scope, PYTHON ?? '', [script, '--router', backend], { env: { ZMQ_GATEWAY_DATA: data } });
    await untilJoined(start);
    assert.deepEqual(await json(await ask('/inventory/bolt-m6')), { sku: 'bolt-m6', quantity: 1200 });
    const low = await json(await ask('/inventory?below=100'));
    assert.deepEqual(low, { items: [{ sku: 'washer-6', quantity: 40 }] });
    const adjusted = await send('POST', '/inventory/washer-6/adjustments', { by: -40 });
    assert.deepEqual(await json(adjusted), { sku: 'washer-6', quantity: 0 });
    const refused = await problemOf(await send('POST', '/inventory/washer-6/adjustments', { by: -1 }));
    assert.deepEqual([refused.status, refused.code], [409, 'OUT_OF_STOCK']);
    assert.equal((await problemOf(await ask('/inventory/nothing'))).code, 'ITEM_NOT_FOUND');
    const invalid = await problemOf(await send('POST', '/inventory/washer-6/adjustments', { by: 'two' }));
    assert.equal(invalid.code, 'INVALID_REQUEST');
  });

  it('sample workers over HTTP: one document describes all of them', async () => {
    const { paths } = (await json(await ask('/openapi.json'))) as { paths: object };
    for (const path of ['/echo', '/echo/{message}', '/tasks', '/tasks/{id}', '/inventory/{sku}']) {
      assert.ok(path in paths, path);
    }
  });
});
