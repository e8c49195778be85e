// test:all: 35 s; framework-threads.test.ts represents it
/** Threads of workers that die, and how a group of them starts and stops. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type LogMethod } from '../../src/core/logging/logging.ts';
import {
  type Logger,
  silentLogger,
  ZeroMQConfigError,
  ZeroMQWorkerThreads,
  type ZeroMQWorkerThreadsOptions,
} from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { briefTimeout, PATIENCE } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { connectClient, startRouter } from './framework.ts';
import { Channel, makeThreads, module, next, startThreads } from './threads.ts';

failOnLeftovers();

describe('worker thread that dies', () => {
  for (const [event, message] of [
    ['thread.crash', /planted/],
    ['thread.exit', /exit code 7/],
  ] as const) {
    it(`worker thread that dies (${event}): its requests are lost, and it is restarted`, async (t) => {
      const scope = scopeOf(t);
      const { router, threads, client } = await startThreads(scope, 2);
      const crashed = next(threads, 'crashed');
      const left = next(router, 'workerLeft');
      const lost = assert.rejects(client.sendMessage(event), { code: 'WORKER_LOST', dispatched: true });
      const [, error, delay] = await crashed;
      assert.match(String(error), message);
      assert.ok(Number(delay) >= 0 && Number(delay) <= 200, String(delay));
      await Promise.all([lost, left]);
      assert.equal(
        (await client.sendMessage('thread.double', { n: 1 })).eventData,
        2,
        'the other thread continues',
      );
      const [, , restarts] = await next(threads, 'ready');
      assert.deepEqual([restarts, threads.running], [1, 2]);
    });
  }

  it('worker thread that keeps dying: is restarted at growing intervals', async (t) => {
    const scope = scopeOf(t);
    const { threads, client } = await startThreads(scope, 1);
    const bounds = [100, 200, 400];
    for (const bound of bounds) {
      const crashed = next(threads, 'crashed');
      const ready = next(threads, 'ready');
      await assert.rejects(client.sendMessage('thread.exit', null, { timeout: PATIENCE }));
      const [, , delay] = await crashed;
      assert.ok(Number(delay) <= bound, `${String(delay)} ms`);
      await workerRejoined(client, ready);
    }
  });

  it('worker thread that dies: idempotent requests are redispatched', async (t) => {
    const scope = scopeOf(t);
    const channel = new Channel(scope);
    const { frontend, backend } = await startRouter(scope, 'tcp', { limits: { workerGrace: PATIENCE } });
    const threads = makeThreads(scope, { connection: backend, threads: 1 });
    await untilJoined(() => threads.start(), 1);
    const client = await connectClient(scope, frontend);
    const reply = client.sendMessage('thread.hold', 'kept', { idempotent: true, timeout: PATIENCE });
    await channel.waitFor('holding');
    await assert.rejects(client.sendMessage('thread.exit'), { code: 'WORKER_LOST' });
    const [first, second] = await channel.waitFor('holding', 2);
    assert.notEqual(first?.threadId, second?.threadId);
    channel.send('go on');
    assert.equal((await reply).eventData, 'kept');
  });
});

describe('group of worker threads', () => {
  it('group of worker threads: completes its requests before it stops', async (t) => {
    const scope = scopeOf(t);
    const channel = new Channel(scope);
    const { threads, client } = await startThreads(scope, 2);
    assert.equal((await channel.waitFor('started', 2)).length, 2);
    const held = [1, 2, 3, 4].map((n) => client.sendMessage('thread.hold', n));
    await channel.waitFor('holding', 4);
    const stopping = threads.stop({ deadline: PATIENCE });
    channel.send('go on');
    await stopping;
    assert.deepEqual(
      (await Promise.all(held)).map(({ eventData }) => eventData),
      [1, 2, 3, 4],
    );
    assert.equal((await channel.waitFor('stopped', 2)).length, 2);
    assert.deepEqual([threads.running, await threads.closed], [0, undefined]);
  });

  it('group of worker threads: ends at its deadline, also with a thread in an endless loop', async (t) => {
    const scope = scopeOf(t);
    const channel = new Channel(scope);
    const { threads, client } = await startThreads(scope, 1);
    const lost = assert.rejects(client.sendMessage('thread.spin'), { code: 'WORKER_LOST', dispatched: true });
    await channel.waitFor('spinning');
    await threads.stop({ deadline: 50 });
    await lost;
    assert.equal(threads.running, 0);
  });

  it('group of worker threads: can be stopped while it starts, and while a thread waits for its restart', async (t) => {
    const scope = scopeOf(t);
    const starting = makeThreads(scope, { threads: 2 });
    const rejected = assert.rejects(starting.start());
    await starting.stop();
    await rejected;
    assert.equal(starting.running, 0);
    const { threads, client } = await startThreads(scope, 1);
    const crashed = next(threads, 'crashed');
    client.sendMessage('thread.exit').catch(() => undefined);
    await crashed;
    await threads.stop();
    assert.equal(threads.running, 0);
  });

  it('group of worker threads: can be stopped before it starts, and twice', async () => {
    const threads = new ZeroMQWorkerThreads({
      module,
      connection: 'tcp://127.0.0.1:1',
      logger: silentLogger,
    });
    await Promise.all([threads.stop(), threads.stop()]);
    await assert.rejects(threads.start(), { code: 'CLOSED' });
  });

  for (const [what, source, message, constructor] of [
    ['does not exist', undefined, /cannot load the worker .*nowhere\.ts/, ZeroMQConfigError],
    [
      'has no worker',
      'export default 5;',
      /the default export must be the result of defineWorker/,
      ZeroMQConfigError,
    ],
    ['throws', 'throw new Error("planted");', /cannot load the worker .*planted/, ZeroMQConfigError],
    ['fails to start', 'export default START;', /no database/, Error],
  ] as const) {
    it(`group of worker threads: does not start with a module that ${what}`, async (t) => {
      const scope = scopeOf(t);
      const file = join(tempFolder(scope), 'nowhere.ts');
      const entry = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href);
      const start = `defineWorker({ handlers: { a: () => 1 }, onStart() { throw new Error('no database'); } })`;
      const head = source?.includes('START') === true ? `import { defineWorker } from ${entry};\n` : '';
      if (source !== undefined) writeFileSync(file, head + source.replace('START', start));
      const threads = makeThreads(scope, { module: file, threads: 1 });
      await assert.rejects(threads.start(), { message, constructor });
      assert.equal(threads.running, 0);
    });
  }

  it('group of worker threads: forwards the logs of its threads', async (t) => {
    const scope = scopeOf(t);
    const file = join(tempFolder(scope), 'failing.mjs');
    const entry = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href);
    writeFileSync(
      file,
      `import { defineWorker } from ${entry};
       export default defineWorker({ handlers: { fail() { throw new Error('planted'); } } });`,
    );
    const lines: object[] = [];
    const error: LogMethod = (fields: object | string): void => {
      if (typeof fields === 'object') lines.push(fields);
    };
    const nodes: unknown[] = [];
    const child = ({ node }: Record<string, unknown>): Logger => {
      if (node !== undefined) nodes.push(node);
      return logger;
    };
    const logger: Logger = { ...silentLogger, error, child };
    const { client } = await startThreads(scope, 1, { module: file, logger });
    await assert.rejects(client.sendMessage('fail'), { code: 'HANDLER_ERROR' });
    assert.match(JSON.stringify(lines), /"message":"planted".*"thread":0/);
    assert.deepEqual(nodes, ['worker-threads'], 'each line names its thread');
  });

  for (const threads of [-1, 1.5, 1025, Number.NaN]) {
    it(`group of worker threads: rejects ${threads} threads`, () =>
      refuses({ threads }, /^threads must be a whole number from 0 to 1,024/));
  }

  it('group of worker threads: rejects an invalid module, concurrency or size', () => {
    refuses({ module: '' }, /^module must be a path or a URL, got ""$/);
    refuses({ concurrency: 0 }, /^concurrency must be a whole number of at least 1, got 0$/);
    refuses({ maxMessageSize: 0.5 }, /^maxMessageSize must be a whole number/);
    refuses({ threadStallTimeout: 99 }, /^threadStallTimeout must be at least 100 ms, got 99$/);
    refuses({ threadStallTimeout: Number.NaN }, /^threadStallTimeout must be at least 100 ms, got NaN$/);
  });

  function refuses(options: Partial<ZeroMQWorkerThreadsOptions>, message: RegExp): void {
    assert.throws(() => new ZeroMQWorkerThreads({ module, connection: 'tcp://a:1', ...options }), {
      code: 'INVALID_ARGUMENT',
      message,
    });
  }
});

async function workerRejoined(
  client: Awaited<ReturnType<typeof connectClient>>,
  ready: Promise<unknown>,
): Promise<void> {
  await ready;
  for (let served = false; !served; ) {
    served = await client.sendMessage('thread.id', null, { timeout: briefTimeout(1000) }).then(
      () => true,
      () => false,
    );
  }
}
