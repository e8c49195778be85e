import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testWorker } from 'zeromq-gateway/testing';
import tasks from '../workers/tasks.ts';

const fakes = { 'owners.get': ({ id }: { id: string }) => ({ id, name: 'Ada Lovelace' }) };

test('a task is created, with the name of its owner, and can be read', async () => {
  await using worker = await testWorker(tasks, { fakes });
  const body = JSON.stringify({ title: 'Compare', owner: 'ada' });
  const headers = { 'content-type': 'application/json' };
  const created = await worker.fetch('/tasks', { method: 'POST', headers, body });
  assert.equal(created.status, 201);
  const { id } = (await created.json()) as { id: number };
  const task = await worker.call('tasks.get', { id });
  assert.deepEqual(task, { id, title: 'Compare', owner: 'Ada Lovelace' });
});

test('a title that is too long is rejected', async () => {
  await using worker = await testWorker(tasks, { fakes });
  const data = { title: 'x'.repeat(101), owner: 'ada' };
  await assert.rejects(worker.call('tasks.create', data), { status: 400 });
});

test('an unknown task is answered with 404, and the document has all routes', async () => {
  await using worker = await testWorker(tasks, { fakes });
  assert.equal((await worker.fetch('/tasks/99')).status, 404);
  const document = (await (await worker.fetch('/openapi.json')).json()) as { paths: object };
  assert.deepEqual(
    Object.keys(document.paths)
      .filter((path) => path.startsWith('/tasks'))
      .sort(),
    ['/tasks', '/tasks/{id}'],
  );
});
