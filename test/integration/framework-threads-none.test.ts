/** Groups of worker threads without threads: what differs when handlers run in the parent. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { threadId } from 'node:worker_threads';
import { ZeroMQConfigError } from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { connectClient, startRouter } from './framework.ts';
import { Channel, makeThreads, next, startCompiler, startThreads } from './threads.ts';

failOnLeftovers(startCompiler);

/** Opens a client while it loads, which a thread must not. */
const CALLER = `
import { defineWorker, ZeroMQClient } from ENTRY;
const client = new ZeroMQClient({ connection: FRONTEND });
export default defineWorker({
  handlers: {
    pid: () => process.pid,
    ask: async () => (await client.sendMessage('pid')).eventData,
  },
  onStop: () => client.close(),
});`;

describe('group without threads', () => {
  it('group without threads: runs handlers in the thread of its sockets', async (t) => {
    const { threads, router, client } = await startThreads(scopeOf(t), 0);
    assert.deepEqual([threads.running, router.stats().workers], [1, 1]);
    assert.equal((await client.sendMessage('thread.id')).eventData, threadId);
  });

  it('group without threads: starts, completes its requests and stops its module', async (t) => {
    const scope = scopeOf(t);
    const channel = new Channel(scope);
    const { threads, client } = await startThreads(scope, 0);
    await channel.waitFor('started');
    const held = client.sendMessage('thread.hold', 'kept', { timeout: PATIENCE });
    await channel.waitFor('holding');
    const stopping = threads.stop({ deadline: PATIENCE });
    channel.send('go on');
    await stopping;
    assert.equal((await held).eventData, 'kept');
    await channel.waitFor('stopped');
    assert.deepEqual([threads.running, await threads.closed], [0, undefined]);
  });

  it('group without threads: tells the handlers that run at its deadline', async (t) => {
    const scope = scopeOf(t);
    const channel = new Channel(scope);
    const { threads, client } = await startThreads(scope, 0);
    const held = client.sendMessage('thread.hold', 'cut', { timeout: PATIENCE });
    const lost = assert.rejects(held, { dispatched: true });
    await channel.waitFor('holding');
    await threads.stop({ deadline: 50 });
    await lost;
    const [aborted] = await channel.waitFor('aborted');
    assert.equal(aborted?.data, 'cut');
    channel.send('go on');
  });

  it('group without threads: a request whose handler hangs ends, and the module serves again', async (t) => {
    const scope = scopeOf(t);
    const { threads, client } = await startThreads(scope, 0);
    const crashed = next(threads, 'crashed');
    const ready = untilJoined(() => next(threads, 'ready'));
    const hanging = client.sendMessage('thread.hang', null, { timeout: PATIENCE });
    const lost = assert.rejects(hanging, { code: 'WORKER_LOST' });
    const [, error] = await crashed;
    assert.match(String(error), /a handler of thread\.hang has held a request/);
    await lost;
    await ready;
    const reply = await client.sendMessage('thread.double', { n: 4 }, { timeout: PATIENCE });
    assert.equal(reply.eventData, 8);
  });

  it('group without threads: a module that opens sockets needs no process', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope);
    const entry = new URL('../../src/index.ts', import.meta.url).href;
    const module = join(tempFolder(scope), 'caller.ts');
    writeFileSync(
      module,
      CALLER.replace('ENTRY', JSON.stringify(entry)).replace('FRONTEND', JSON.stringify(frontend)),
    );
    const threads = makeThreads(scope, { module, connection: backend, threads: 0 });
    await untilJoined(() => threads.start(), 1);
    const client = await connectClient(scope, frontend);
    assert.equal((await client.sendMessage('ask', null, { timeout: PATIENCE })).eventData, process.pid);
  });

  it('group without threads: does not start with a module that cannot be loaded', async (t) => {
    const scope = scopeOf(t);
    const module = join(tempFolder(scope), 'nowhere.ts');
    const missing = makeThreads(scope, { module, threads: 0 });
    await assert.rejects(missing.start(), (error) => {
      assert.ok(error instanceof ZeroMQConfigError, String(error));
      assert.match(error.message, /cannot load the worker .*nowhere\.ts/);
      return true;
    });
    assert.equal(missing.running, 0);
  });

  it('group without threads: can be stopped while its module loads', async (t) => {
    const starting = makeThreads(scopeOf(t), { threads: 0 });
    const rejected = assert.rejects(starting.start());
    await starting.stop();
    await rejected;
    assert.equal(starting.running, 0);
  });
});
