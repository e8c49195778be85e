// test:all: 10 s; sample-rest.test.ts represents it
/**
 * The sample workers do what their contracts state, on threads that share one database, and across
 * restarts.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'libsql';
import echo from '../../openapi/echo.ts';
import tasks from '../../openapi/tasks.ts';
import { type Contract, ZeroMQClient, ZeroMQRouter, ZeroMQWorkerThreads } from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

// The first database starts the threads of libsql, which the process keeps.
failOnLeftovers(() => new Database(':memory:').close());

const ANY = 'tcp://127.0.0.1:0';

/** Starts a sample worker on threads behind a router. Returns a client. */
async function serve(scope: Scope, name: string, threads: number): Promise<ZeroMQClient> {
  const router = new ZeroMQRouter({ frontendConnection: ANY, backendConnection: ANY });
  scope.after(() => router.stop({ deadline: 1000 }));
  const { frontend, backend: connection } = await router.start();
  const module = join(import.meta.dirname, `../../workers/${name}.ts`);
  const workers = new ZeroMQWorkerThreads({ module, threads, connection });
  scope.after(() => workers.stop());
  await untilJoined(() => workers.start(), threads);
  const client = new ZeroMQClient({ ...PATIENT, connection: frontend });
  scope.after(() => client.close());
  await client.connect({ throwOnFailure: true, timeout: PATIENCE });
  return client;
}

/** Validates a value with the schema of the contract's reply. Throws if it does not match. */
function assertReply(contract: Contract, eventName: string, status: number, data: unknown): void {
  const schema = contract.events[eventName]?.replies?.[status] as {
    validate(value: unknown): { error?: Error };
  };
  assert.ifError(schema.validate(data).error);
}

describe('workers/echo.ts', () => {
  const scope = new Scope();
  let client: ZeroMQClient;
  before(async () => {
    client = await serve(scope, 'echo', 1);
  });
  after(() => scope.close());

  it('echo worker: returns a message and a body', async () => {
    const message = await client.sendMessage('echo.get', { message: 'hällo ☕' });
    assert.deepEqual(message.eventData, { message: 'hällo ☕' });
    assertReply(echo, 'echo.get', 200, message.eventData);
    const body = { message: 'x', more: [1, { two: null }] };
    assert.deepEqual((await client.sendMessage('echo.post', body)).eventData, body);
  });

  it('echo worker: rejects data that does not match the contract', async () => {
    for (const data of [{}, { message: 7 }, { message: 'x', other: 1 }, null, []]) {
      await assert.rejects(client.sendMessage('echo.get', data), { code: 'INVALID_REQUEST', status: 400 });
    }
  });
});

describe('workers/tasks.ts', () => {
  const scope = new Scope();
  let client: ZeroMQClient;

  before(async () => {
    const { ZMQ_GATEWAY_DATA: old } = process.env;
    process.env['ZMQ_GATEWAY_DATA'] = tempFolder(scope);
    scope.after(() => {
      if (old === undefined) delete process.env['ZMQ_GATEWAY_DATA'];
      else process.env['ZMQ_GATEWAY_DATA'] = old;
    });
    client = await serve(scope, 'tasks', 2);
  });
  after(() => scope.close());

  interface Task {
    id: number;
    title: string;
    notes: string;
    done: boolean;
    createdAt: string;
    updatedAt: string;
  }
  const create = async (data: object) => (await client.sendMessage<Task>('tasks.create', data)).eventData;
  const list = async (data: object) => {
    const { eventData } = await client.sendMessage<{ items: Task[]; total: number }>('tasks.list', data);
    assertReply(tasks, 'tasks.list', 200, eventData);
    return eventData;
  };

  it('tasks worker: creates a task and replies 201 with its location', async () => {
    const { status, headers, eventData } = await client.sendMessage<Task>('tasks.create', {
      title: ' buy milk ',
    });
    assert.equal(status, 201);
    assert.deepEqual(headers, { location: `/tasks/${eventData.id}` });
    assert.deepEqual([eventData.title, eventData.notes, eventData.done], ['buy milk', '', false]);
    assertReply(tasks, 'tasks.create', 201, eventData);
  });

  it('tasks worker: reads, replaces, changes and deletes a task', async () => {
    const { id, createdAt } = await create({ title: 'one', notes: 'n' });
    const read = async () => (await client.sendMessage<Task>('tasks.get', { id })).eventData;
    assert.equal((await read()).title, 'one');
    await client.sendMessage('tasks.patch', { id, done: true });
    assert.deepEqual(
      [(await read()).title, (await read()).notes, (await read()).done],
      ['one', 'n', true],
      'a patch keeps the members that it does not name',
    );
    const replaced = (await client.sendMessage<Task>('tasks.replace', { id, title: 'two' })).eventData;
    assert.deepEqual(
      [replaced.title, replaced.notes, replaced.done],
      ['two', '', false],
      'a put replaces all members',
    );
    assert.equal(replaced.createdAt, createdAt);
    assertReply(tasks, 'tasks.replace', 200, replaced);
    const deleted = await client.sendMessage('tasks.delete', { id });
    assert.deepEqual([deleted.status, deleted.eventData], [204, null]);
    await assert.rejects(read(), { code: 'TASK_NOT_FOUND', status: 404, message: `there is no task ${id}` });
  });

  it('tasks worker: each event reports a missing task', async () => {
    const data = { id: 999_999 };
    for (const [eventName, more] of [
      ['tasks.get', {}],
      ['tasks.replace', { title: 'x' }],
      ['tasks.patch', { done: true }],
      ['tasks.delete', {}],
    ] as const) {
      const request = client.sendMessage(eventName, { ...data, ...more });
      await assert.rejects(request, { code: 'TASK_NOT_FOUND', status: 404, dispatched: true });
    }
  });

  it('tasks worker: lists by page and filter', async () => {
    const ids: number[] = [];
    for (let n = 0; n < 5; n += 1) ids.push((await create({ title: `Paged ${n}`, done: n % 2 === 0 })).id);
    const titles = ({ items }: { items: Task[] }) => items.map((task) => task.title);
    const page = await list({ q: 'pAGED', limit: 2, offset: 2 });
    assert.deepEqual([titles(page), page.total], [['Paged 2', 'Paged 3'], 5]);
    const open = await list({ q: 'Paged', done: false });
    assert.deepEqual([titles(open), open.total], [['Paged 1', 'Paged 3'], 2]);
    assert.deepEqual(await list({ q: 'nothing like it' }), { items: [], total: 0, limit: 20, offset: 0 });
    assert.deepEqual(titles(await list({ q: "%' OR 1=1 --" })), [], 'the filter is data');
    assert.deepEqual(
      [...ids].sort((a, b) => a - b),
      ids,
      'oldest first',
    );
  });

  it('tasks worker: rejects data that does not match the contract', async () => {
    for (const [eventName, data] of [
      ['tasks.create', {}],
      ['tasks.create', { title: '' }],
      ['tasks.create', { title: 'x'.repeat(201) }],
      ['tasks.create', { title: 'x', colour: 'red' }],
      ['tasks.get', { id: 0 }],
      ['tasks.patch', { id: 1 }],
      ['tasks.list', { limit: 101 }],
    ] as const) {
      await assert.rejects(client.sendMessage(eventName, data), { code: 'INVALID_REQUEST', status: 400 });
    }
  });

  it('tasks worker: loses no write of two concurrent threads', async () => {
    const before = (await list({ q: 'at once' })).total;
    await Promise.all(Array.from({ length: 100 }, (_, n) => create({ title: `at once ${n}` })));
    assert.equal((await list({ q: 'at once' })).total, before + 100);
  });

  it('tasks worker: keeps its tasks across a restart', async (t) => {
    const { id } = await create({ title: 'still here' });
    const again = await serve(scopeOf(t), 'tasks', 1);
    assert.equal((await again.sendMessage<Task>('tasks.get', { id })).eventData.title, 'still here');
  });
});
