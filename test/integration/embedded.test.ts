/** The embedded mode: router, requests and workers in one process, without sockets between them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Joi from 'joi';
import type { ReplyMessage } from '../../src/core/messages/message.ts';
import {
  defineContract,
  type HandlerContext,
  ReplyError,
  silentLogger,
  ZeroMQClient,
  ZeroMQRouter,
  ZeroMQWorker,
  type ZeroMQWorkerOptions,
  ZeroMQWorkerThreads,
} from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

failOnLeftovers();

async function startRouter(scope: Scope): Promise<{ router: ZeroMQRouter; frontend: string }> {
  const router = new ZeroMQRouter({
    frontendConnection: 'tcp://127.0.0.1:*',
    backendConnection: 'tcp://127.0.0.1:*',
    limits: { startupGrace: 0 },
    logger: silentLogger,
  });
  scope.after(() => router.stop());
  const { frontend } = await router.start();
  return { router, frontend };
}

async function startWorker(
  scope: Scope,
  router: ZeroMQRouter,
  options: Omit<ZeroMQWorkerOptions, 'connection'>,
): Promise<ZeroMQWorker> {
  const worker = new ZeroMQWorker({ connection: router, logger: silentLogger, ...options });
  scope.after(() => worker.stop());
  await worker.start();
  return worker;
}

function ask(
  router: ZeroMQRouter,
  eventName: string,
  data: unknown,
  idempotent = false,
): Promise<ReplyMessage> {
  const body = Buffer.from(JSON.stringify(data));
  return new Promise((resolve) => {
    router.request({ eventName, body, timeout: PATIENCE, idempotent }, resolve);
  });
}

const dataOf = (reply: ReplyMessage): unknown => JSON.parse(reply.body.toString());

test('embedded router: sends a request of its thread to a worker of its thread', async (t) => {
  const { router } = await startRouter(scopeOf(t));
  await startWorker(scopeOf(t), router, { handlers: { double: (n: number) => n * 2 } });
  const reply = await ask(router, 'double', 21);
  assert.equal(reply.status, 200);
  assert.equal(dataOf(reply), 42);
  assert.equal(router.stats().ok, 1);
});

test('embedded router: serves clients over sockets, too', async (t) => {
  const scope = scopeOf(t);
  const { router, frontend } = await startRouter(scope);
  await startWorker(scope, router, { handlers: { hello: ({ name }: { name: string }) => `hello ${name}` } });
  const client = new ZeroMQClient({ ...PATIENT, connection: frontend, logger: silentLogger });
  scope.after(() => client.close());
  assert.equal(await client.connect({ timeout: PATIENCE }), true);
  const { eventData } = await client.sendMessage('hello', { name: 'world' });
  assert.equal(eventData, 'hello world');
});

test('embedded router: failures keep their codes', async (t) => {
  const scope = scopeOf(t);
  const { router } = await startRouter(scope);
  await startWorker(scope, router, {
    handlers: {
      own: () => {
        throw new ReplyError(409, 'TAKEN', 'another caller was faster');
      },
    },
  });
  const own = await ask(router, 'own', null);
  assert.deepEqual([own.status, own.code], [409, 'TAKEN']);
  const none = await ask(router, 'unknown', null);
  assert.deepEqual([none.status, none.code, none.dispatched], [503, 'NO_WORKER', false]);
});

test('embedded router: a cancelled request aborts its handler and is not settled', async (t) => {
  const scope = scopeOf(t);
  const { router } = await startRouter(scope);
  let seen: (signal: AbortSignal) => void = () => undefined;
  const running = new Promise<AbortSignal>((resolve) => {
    seen = resolve;
  });
  await startWorker(scope, router, {
    handlers: {
      wait: async (_data: null, { signal }: HandlerContext) => {
        seen(signal);
        await once(signal, 'abort');
        return 'late';
      },
    },
  });
  let settled = false;
  const inFlight = router.request(
    { eventName: 'wait', body: Buffer.from('null'), timeout: PATIENCE, idempotent: false },
    () => {
      settled = true;
    },
  );
  const signal = await running;
  inFlight.cancel();
  assert.equal(signal.aborted, true);
  assert.equal(settled, false);
});

test('embedded router: a worker that stops completes its requests and gets no new ones', async (t) => {
  const scope = scopeOf(t);
  const { router } = await startRouter(scope);
  let release: (value: string) => void = () => undefined;
  const worker = await startWorker(scope, router, {
    handlers: {
      slow: () =>
        new Promise<string>((resolve) => {
          release = resolve;
        }),
    },
  });
  const held = ask(router, 'slow', null);
  await new Promise((resolve) => setImmediate(resolve));
  const stopped = worker.stop();
  await new Promise((resolve) => setImmediate(resolve));
  const refused = ask(router, 'slow', null);
  release('done');
  assert.equal(dataOf(await held), 'done');
  assert.equal((await refused).code, 'NO_WORKER');
  await stopped;
});

test('embedded router: rejects a conflicting contract by name, and accepts it when the other one is gone', async (t) => {
  const scope = scopeOf(t);
  const { router } = await startRouter(scope);
  const contractOf = (data: Joi.ObjectSchema) =>
    defineContract({ name: 'things', events: { 'things.get': { method: 'GET', path: '/things', data } } });
  const handlers = { 'things.get': () => [] };
  const first = await startWorker(scope, router, {
    contract: contractOf(Joi.object({ a: Joi.string() })),
    handlers,
  });
  const contract = contractOf(Joi.object({ a: Joi.number() }));
  const second = new ZeroMQWorker({ connection: router, logger: silentLogger, contract, handlers });
  scope.after(() => second.stop());
  const refused = once(second, 'rejected');
  await second.start();
  assert.match(String((await refused)[1]), /things/);
  const accepted = once(second, 'accepted');
  await first.stop();
  await accepted;
  assert.deepEqual(
    router.contracts.list().map(({ name, available }) => [name, available]),
    [['things', true]],
  );
});

test('embedded router: the requests of a thread that dies are lost immediately, and its replacement continues', async (t) => {
  const scope = scopeOf(t);
  const { router } = await startRouter(scope);
  const module = join(tempFolder(scope), 'fragile.mjs');
  const index = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href);
  writeFileSync(
    module,
    `import { defineWorker } from ${index};
    export default defineWorker({ handlers: {
      die: () => new Promise(() => setImmediate(() => { throw new Error('fragile'); })),
      live: () => 'alive',
    } });`,
  );
  const group = new ZeroMQWorkerThreads({ module, threads: 1, connection: router, logger: silentLogger });
  scope.after(() => group.stop());
  await group.start();
  assert.equal(dataOf(await ask(router, 'live', null)), 'alive');
  const restarted = new Promise((resolve) => group.on('ready', resolve));
  const lost = await ask(router, 'die', null);
  assert.deepEqual([lost.code, lost.dispatched], ['WORKER_LOST', true]);
  await restarted;
  assert.equal(dataOf(await ask(router, 'live', null)), 'alive');
});
