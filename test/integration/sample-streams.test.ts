/** The sample workers with streams, over HTTP in memory. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { testWorker } from 'zeromq-gateway/testing';
import type { FileList } from '../../openapi/files.ts';
import clock from '../../workers/clock.ts';
import files from '../../workers/files.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

async function startFiles(scope: Scope) {
  const data = tempFolder(scope);
  const before = process.env['ZMQ_GATEWAY_DATA'];
  process.env['ZMQ_GATEWAY_DATA'] = data;
  const worker = await testWorker(files);
  if (before === undefined) delete process.env['ZMQ_GATEWAY_DATA'];
  else process.env['ZMQ_GATEWAY_DATA'] = before;
  scope.after(() => worker.close());
  return { worker, folder: join(data, 'files') };
}

describe('workers/clock.ts', () => {
  it('clock worker: sends as many ticks as lines of JSON as it is asked for', async (t) => {
    const worker = await testWorker(clock);
    scopeOf(t).after(() => worker.close());
    const response = await worker.fetch('/clock/ticks?count=3&interval=10');
    const lines = (await response.text()).trimEnd().split('\n');
    assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'application/x-ndjson']);
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { n: number }).n),
      [1, 2, 3],
    );
    assert.equal((await worker.fetch('/clock/ticks?count=0')).status, 400);
  });

  it('clock worker: continues its events after the last id of the client, until the client goes away', async (t) => {
    const worker = await testWorker(clock);
    scopeOf(t).after(() => worker.close());
    const controller = new AbortController();
    const response = await worker.fetch('/clock/events?interval=10', {
      headers: { 'last-event-id': '41' },
      signal: controller.signal,
    });
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    let text = '';
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    while (!text.includes('id: 43')) text += (await reader.read()).value ?? '';
    assert.match(text, /^event: tick\nid: 42\ndata: \{"n":42,"at":".+"\}\n\n/);
    controller.abort();
    assert.deepEqual(worker.errors, []);
  });
});

describe('workers/files.ts', () => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));

  it('files worker: stores raw bodies, lists, sends ranges, and deletes', async (t) => {
    const { worker } = await startFiles(scopeOf(t));
    const put = await worker.fetch('/files/plan.bin', {
      method: 'PUT',
      body: content,
      headers: { 'content-type': 'application/octet-stream' },
    });
    assert.equal(put.status, 200, await put.clone().text());
    const { name, size } = (await put.json()) as { name: string; size: number };
    assert.deepEqual([name, size], ['plan.bin', 300_000]);
    const list = (await (await worker.fetch('/files')).json()) as FileList;
    assert.deepEqual(
      list.items.map((item) => item.name),
      ['plan.bin'],
    );

    const whole = await worker.fetch('/files/plan.bin');
    assert.ok(Buffer.from(await whole.arrayBuffer()).equals(content));
    assert.deepEqual(
      [whole.headers.get('content-length'), whole.headers.get('content-disposition')],
      ['300000', 'attachment; filename=plan.bin'],
    );
    const part = await worker.fetch('/files/plan.bin', { headers: { range: 'bytes=1000-1999' } });
    assert.deepEqual([part.status, part.headers.get('content-range')], [206, 'bytes 1000-1999/300000']);
    assert.ok(Buffer.from(await part.arrayBuffer()).equals(content.subarray(1000, 2000)));
    const beyond = await worker.fetch('/files/plan.bin', { headers: { range: 'bytes=300000-' } });
    assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, 'bytes */300000']);

    assert.equal((await worker.fetch('/files/plan.bin', { method: 'DELETE' })).status, 204);
    assert.equal((await worker.fetch('/files/plan.bin', { method: 'DELETE' })).status, 404);
    assert.equal((await worker.fetch('/files/plan.bin')).status, 404);
  });

  it('files worker: stores the files of a form', async (t) => {
    const { worker } = await startFiles(scopeOf(t));
    const body = new FormData();
    body.append('file', new Blob([content]), 'one.bin');
    body.append('file', new Blob(['two']), 'zwei ü.txt');
    const response = await worker.fetch('/files', { method: 'POST', body });
    assert.equal(response.status, 201, await response.clone().text());
    const { items } = (await response.json()) as FileList;
    assert.deepEqual(
      items.map(({ name, size }) => [name, size]),
      [
        ['one.bin', 300_000],
        ['zwei ü.txt', 3],
      ],
    );
  });

  it('files worker: no name leads out of its folder, and nothing is left of an invalid upload', async (t) => {
    const { worker, folder } = await startFiles(scopeOf(t));
    writeFileSync(join(folder, '../secret.txt'), 'secret');
    for (const name of ['..%2Fsecret.txt', '%2e%2e%2fsecret.txt', '.hidden', '%5csecret.txt']) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const headers = { 'content-type': 'application/octet-stream' };
        const response = await worker.fetch(`/files/${name}`, {
          method,
          ...(method === 'PUT' && { body: 'x', headers }),
        });
        assert.ok([400, 404].includes(response.status), `${method} ${name}: ${response.status}`);
      }
    }
    const body = new FormData();
    body.append('file', new Blob(['x']), '.hidden');
    assert.equal((await worker.fetch('/files', { method: 'POST', body })).status, 400);
    assert.deepEqual(readdirSync(folder), []);
  });
});
