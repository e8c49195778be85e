/** Progress of handlers in all places where they run, and callers and nodes that take none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { OutgoingRequest, ReplyMessage, Requester } from '../../src/index.ts';
import { within } from '../helpers/eventually.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter, startServer, startWorker } from './framework.ts';
import { handlers } from './progress-worker.ts';
import { makeThreads } from './threads.ts';

const module = fileURLToPath(new URL('./progress-worker.ts', import.meta.url));

type Place = (scope: Scope) => Promise<Requester>;

const PLACES: Record<string, Place> = {
  'an embedded worker': async (scope) => {
    const { router } = await startRouter(scope);
    await startWorker(scope, { connection: router, handlers });
    return router;
  },
  'a client, a router and a worker over sockets': async (scope) => {
    const { frontend, backend } = await startRouter(scope);
    await startWorker(scope, { connection: backend, handlers });
    // Its first request is the one of the test.
    return connectClient(scope, frontend);
  },
  'a worker thread': async (scope) => {
    const { router, backend } = await startRouter(scope);
    const threads = makeThreads(scope, { module, connection: backend, threads: 1 });
    await untilJoined(() => threads.start());
    return router;
  },
  'a worker process': async (scope) => {
    const { router } = await startRouter(scope);
    const threads = makeThreads(scope, {
      module,
      connection: router,
      threads: 1,
      isolation: 'process',
    } as never);
    await untilJoined(() => threads.start());
    return router;
  },
  'a server': async (scope) => {
    const { endpoint } = await startServer(scope, { handlers });
    return connectClient(scope, endpoint);
  },
};

/** Sends a request and resolves with its progress and its reply. */
async function run(
  requester: Requester,
  eventName: string,
  takesProgress = true,
): Promise<{ progress: unknown[]; reply: ReplyMessage }> {
  const progress: unknown[] = [];
  const onProgress = (json: Buffer): void => void progress.push(JSON.parse(String(json)));
  const request: OutgoingRequest = {
    eventName,
    body: Buffer.from('null'),
    timeout: PATIENCE,
    idempotent: false,
    ...(takesProgress && { onProgress }),
  };
  const reply = await within(
    new Promise<ReplyMessage>((resolve) => requester.request(request, resolve)),
    'the reply',
  );
  return { progress, reply };
}

describe('progress', () => {
  for (const [name, open] of Object.entries(PLACES)) {
    it(`progress of ${name}: each report arrives before the reply, and only where it is wanted`, async (t) => {
      const requester = await open(scopeOf(t));
      const { progress, reply } = await run(requester, 'progress.steps');
      assert.deepEqual(progress, [{ done: 1 }, { done: 2 }, { done: 3 }]);
      assert.equal(String(reply.body), '"done"');
      assert.equal(reply.more, false);
      const other = await run(requester, 'progress.steps', false);
      assert.deepEqual([other.progress, String(other.reply.body)], [[], '"done"']);
      const { reply: called } = await run(requester, 'progress.call');
      assert.deepEqual(JSON.parse(String(called.body)), [
        [{ done: 1 }, { done: 2 }, { done: 3 }],
        'done',
        'done',
      ]);
    });
  }

  it('progress: a client receives it with onProgress of sendMessage', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers });
    const client = await connectClient(scope, endpoint);
    const values: unknown[] = [];
    const onProgress = (value: unknown): void => void values.push(value);
    const { eventData } = await client.sendMessage('progress.steps', null, { onProgress });
    assert.deepEqual([values, eventData], [[{ done: 1 }, { done: 2 }, { done: 3 }], 'done']);
  });

  it('progress: many reports of one turn become the latest', async (t) => {
    const { router, backend } = await startRouter(scopeOf(t));
    await startWorker(scopeOf(t), { connection: backend, handlers });
    const { progress } = await run(router, 'progress.flood');
    assert.deepEqual(progress, [9999]);
  });

  it('progress: a value that is too large, or not JSON, throws in the handler', async (t) => {
    const { router } = await startRouter(scopeOf(t));
    await startWorker(scopeOf(t), { connection: router, handlers });
    const { reply } = await run(router, 'progress.invalid', false);
    const [large = '', cyclic = ''] = JSON.parse(String(reply.body)) as string[];
    assert.match(large, /^progress has 20002 bytes of JSON, more than 16384$/);
    assert.equal(cyclic, 'progress: a value that holds itself has no JSON form (at /self)');
  });
});
