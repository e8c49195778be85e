// test:all: 5 s; ../unit/client represents it
/**
 * The retry loop of the original's documentation, translated line by line. Each failed attempt ends
 * in a branch that pauses.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type ZeroMQClient,
  ZeroMQClientError,
  ZeroMQConnectionError,
  ZeroMQEvent,
  ZeroMQMalformedMessage,
  ZeroMQSocketError,
  ZeroMQTimeoutError,
} from '../../src/index.ts';
import { anyEndpoint, freeEndpoint } from '../helpers/endpoints.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { briefTimeout, PATIENCE } from '../helpers/patience.ts';
import { rawRouter } from '../helpers/raw.ts';
import { scopeOf } from '../helpers/scope.ts';
import { connectClient, makeClient, startRouter, startServer, startWorker } from './framework.ts';

failOnLeftovers();

type Branch = 'socket' | 'malformed' | 'timeout' | 'connection' | 'client' | 'unexpected';

/**
 * Tries until there is a reply. `sleep` stands for the two seconds of the original. A branch
 * without it would loop without a pause.
 */
async function retry(
  client: ZeroMQClient,
  sleep: (branch: Branch) => Promise<void>,
  fail: (branch: Branch, error: unknown) => void,
): Promise<unknown> {
  for (;;) {
    try {
      await client.connect({ timeout: 100 });
      return (await client.sendMessage(ZeroMQEvent.MESSAGE, { content: 'Hello World!' })).eventData;
    } catch (error) {
      if (error instanceof ZeroMQSocketError) {
        await sleep('socket');
        await client.connect({ timeout: 100 });
      } else if (error instanceof ZeroMQMalformedMessage) fail('malformed', error);
      else if (error instanceof ZeroMQTimeoutError) await sleep('timeout');
      else if (error instanceof ZeroMQConnectionError) {
        await sleep('connection');
        await client.connect({ timeout: 100 });
      } else if (error instanceof ZeroMQClientError) fail('client', error);
      else fail('unexpected', error);
    }
  }
}

/**
 * Retries through three failures, then `recover` makes the next attempt succeed. Returns the reply
 * and the branches taken.
 */
async function retried(client: ZeroMQClient, recover: () => Promise<unknown>) {
  const pauses: Branch[] = [];
  const reply = await retry(
    client,
    async (branch) => {
      pauses.push(branch);
      if (pauses.length === 3) await recover();
    },
    (branch, error) => {
      throw new Error(`no pause in the branch ${branch}`, { cause: error });
    },
  );
  return { reply, pauses };
}

const handlers = { [ZeroMQEvent.MESSAGE]: () => 'Hi!' };

describe('retry loop of the original', () => {
  it('retry loop: pauses while no worker serves the event', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope);
    const client = await connectClient(scope, frontend);
    const { reply, pauses } = await retried(client, () =>
      startWorker(scope, { connection: backend, handlers }),
    );
    assert.deepEqual([reply, pauses], ['Hi!', ['connection', 'connection', 'connection']]);
  });

  it('retry loop: pauses while no router or server is there', async (t) => {
    const scope = scopeOf(t);
    const connection = anyEndpoint(scope, 'ipc');
    const client = makeClient(scope, { connection, connectTimeout: 20 });
    const { reply, pauses } = await retried(client, async () => {
      await startServer(scope, { connection, handlers });
      await client.connect({ timeout: PATIENCE, throwOnFailure: true });
    });
    assert.deepEqual([reply, pauses], ['Hi!', ['connection', 'connection', 'connection']]);
  });

  it('retry loop: pauses while queues are full', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startRouter(scope, 'tcp', { limits: { queueLimit: 0 } });
    await startWorker(scope, { connection: backend, handlers });
    router.pauseEvent(ZeroMQEvent.MESSAGE);
    const client = await connectClient(scope, frontend);
    const { reply, pauses } = await retried(client, () =>
      Promise.resolve(router.pauseEvent(ZeroMQEvent.MESSAGE, false)),
    );
    assert.deepEqual([reply, pauses], ['Hi!', ['connection', 'connection', 'connection']]);
  });

  it('retry loop: pauses while replies do not arrive in time', async (t) => {
    const scope = scopeOf(t);
    let slow = true;
    const { endpoint } = await startServer(scope, {
      handlers: { [ZeroMQEvent.MESSAGE]: () => (slow ? new Promise(() => undefined) : 'Hi!') },
    });
    const client = await connectClient(scope, endpoint, { timeout: briefTimeout(500) });
    const { reply, pauses } = await retried(client, () => {
      slow = false;
      return Promise.resolve();
    });
    assert.deepEqual([reply, pauses], ['Hi!', ['timeout', 'timeout', 'timeout']]);
  });

  it('retry loop: pauses when the connection is lost during a request, and while it is down', async (t) => {
    const scope = scopeOf(t);
    const router = await rawRouter(scope, await freeEndpoint(scope, 'ipc'));
    const { endpoint } = router;
    const client = await connectClient(scope, endpoint, { connectTimeout: 100 });
    const replied = retried(client, async () => {
      await startServer(scope, { connection: endpoint, handlers });
      await client.connect({ timeout: PATIENCE, throwOnFailure: true });
    });
    await router.socket.receive();
    router.socket.close();
    const { reply, pauses } = await replied;
    assert.deepEqual([reply, pauses], ['Hi!', ['socket', 'socket', 'socket']]);
  });
});

describe('sendMessage throws the errors of the original', () => {
  it('sendMessage: throws ZeroMQSocketDisconnected for a lost connection, with the outcome as its code', async (t) => {
    const scope = scopeOf(t);
    const router = await rawRouter(scope, await freeEndpoint(scope, 'ipc'));
    const client = await connectClient(scope, router.endpoint, { connectTimeout: 100 });
    const lost = assert.rejects(client.sendMessage(ZeroMQEvent.MESSAGE), {
      name: 'ZeroMQSocketDisconnected',
      code: 'WORKER_LOST',
      dispatched: true,
      retryable: false,
    });
    await router.socket.receive();
    router.socket.close();
    await lost;
    await assert.rejects(client.sendMessage(ZeroMQEvent.MESSAGE), {
      name: 'ZeroMQSocketDisconnected',
      code: 'NO_ROUTER',
      dispatched: false,
      retryable: true,
    });
  });

  it('sendMessage: throws ZeroMQConnectionError while there was never a connection', async (t) => {
    const scope = scopeOf(t);
    const client = makeClient(scope, { connection: anyEndpoint(scope, 'ipc'), connectTimeout: 20 });
    await assert.rejects(client.sendMessage(ZeroMQEvent.MESSAGE), {
      name: 'ZeroMQConnectionError',
      code: 'NO_ROUTER',
    });
  });

  it('sendMessage: throws ZeroMQSocketClosed after close()', async (t) => {
    const scope = scopeOf(t);
    const client = makeClient(scope, { connection: anyEndpoint(scope, 'ipc') });
    await client.close();
    await assert.rejects(client.sendMessage(ZeroMQEvent.MESSAGE), {
      name: 'ZeroMQSocketClosed',
      code: 'CLOSED',
    });
  });
});
