/** Tests the worker behind a router in the same process, without network and ports. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ZeroMQClient, ZeroMQRouter, ZeroMQWorker } from 'zeromq-gateway';
import definition from '../workers/hello.ts';

const FRONTEND = 'inproc://hello-front';

test('hello.get greets by name', async () => {
  await using router = new ZeroMQRouter({
    frontendConnection: FRONTEND,
    backendConnection: 'inproc://hello-back',
  });
  await router.start();
  await using worker = new ZeroMQWorker({ ...definition, connection: router });
  await worker.start();
  await using client = new ZeroMQClient({ connection: FRONTEND });

  const { eventData } = await client.sendMessage('hello.get', { name: 'world' });
  assert.deepEqual(eventData, { message: 'Welcome, world' });
  await assert.rejects(client.sendMessage('hello.get', { name: 'unknown' }), {
    code: 'NOT_FOUND',
    status: 404,
  });
  await assert.rejects(client.sendMessage('hello.get', {}), { code: 'INVALID_REQUEST' });
});
