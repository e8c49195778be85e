/** Tests the worker in memory: its contract, validation and handlers, without ports. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testWorker } from 'zeromq-gateway/testing';
import definition from '../workers/hello.ts';

test('hello.get greets by name', async () => {
  await using worker = await testWorker(definition);
  const { message } = await worker.call('hello.get', { name: 'world' });
  assert.equal(message, 'Welcome, world');
});

test('hello.get rejects unknown and invalid names', async () => {
  await using worker = await testWorker(definition);
  await assert.rejects(worker.call('hello.get', { name: 'unknown' }), { code: 'NOT_FOUND', status: 404 });
  await assert.rejects(worker.call('hello.get', { name: '' }), { code: 'INVALID_REQUEST' });
});

test('GET /hello/{name} greets by name', async () => {
  await using worker = await testWorker(definition);
  const response = await worker.fetch('/hello/world');
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { message: 'Welcome, world' });
});
