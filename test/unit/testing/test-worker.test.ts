/** Workers that run in memory: calls, HTTP requests, errors, deadlines, and their end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Joi from 'joi';
import { defineContract, defineWorker, ReplyError, ZeroMQTimeoutError } from 'zeromq-gateway';
import { testWorker } from 'zeromq-gateway/testing';

const contract = defineContract({
  name: 'tasks',
  events: {
    'tasks.get': {
      method: 'GET',
      path: '/tasks/{id}',
      data: Joi.object<{ id: number }>({ id: Joi.number().integer().min(1).required() }),
      replies: { 200: Joi.object<{ id: number; title: string }>(), 404: 'No task has this id' },
    },
    'tasks.add': {
      method: 'POST',
      path: '/tasks',
      data: Joi.object<{ title: string }>({ title: Joi.string().max(20).required() }),
      timeout: 2000,
    },
    'tasks.fail': { method: 'DELETE', path: '/tasks' },
    'tasks.wait': { method: 'GET', path: '/wait' },
  },
});

/** Starts a request that never ends by itself. */
const forever = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

const definition = defineWorker({
  contract,
  handlers: {
    'tasks.get': ({ id }) => {
      if (id === 404) throw new ReplyError(404, 'TASK_NOT_FOUND', 'no task has the id 404');
      return { id, title: 'Write docs' };
    },
    'tasks.add': ({ title }, { timeLeft }) => ({ title, timeLeft: timeLeft() }),
    'tasks.fail': () => {
      throw new Error('the disk is full');
    },
    'tasks.wait': (_, { signal }) => forever(signal),
  },
});

test('testWorker: a call returns the reply, with the types of the contract', async () => {
  await using worker = await testWorker(definition);
  const { title } = await worker.call('tasks.get', { id: 7 });
  assert.equal(title satisfies string, 'Write docs');
  const reply = await worker.sendMessage('tasks.get', { id: 7 });
  assert.deepEqual([reply.status, reply.eventData], [200, { id: 7, title: 'Write docs' }]);
  // @ts-expect-error the contract has no such event
  await assert.rejects(worker.call('tasks.none'), /no event tasks.none; it has tasks.get/);
  // @ts-expect-error the id must be a number
  await assert.rejects(worker.call('tasks.get', { id: 'x' }), { code: 'INVALID_REQUEST', status: 400 });
});

test('testWorker: errors of a call are those of a client', async () => {
  await using worker = await testWorker(definition);
  await assert.rejects(worker.call('tasks.get', { id: 404 }), {
    name: 'ZeroMQClientError',
    code: 'TASK_NOT_FOUND',
    message: 'no task has the id 404',
    status: 404,
  });
  await assert.rejects(worker.call('tasks.get', { id: 0 }), (error: { code: string; details: unknown }) => {
    assert.equal(error.code, 'INVALID_REQUEST');
    assert.match(JSON.stringify(error.details), /"pointer":"\/id"/);
    return true;
  });
});

test('testWorker: HANDLER_ERROR has the error of the handler as its cause', async () => {
  await using worker = await testWorker(definition);
  await assert.rejects(worker.call('tasks.fail'), (error: Error & { code: string }) => {
    assert.equal(error.code, 'HANDLER_ERROR');
    assert.equal(error.message, 'the handler of the event failed');
    assert.equal((error.cause as Error).message, 'the disk is full');
    return true;
  });
  const response = await worker.fetch('/tasks', { method: 'DELETE' });
  assert.equal(response.status, 500);
  assert.equal(((await response.json()) as { code: string }).code, 'HANDLER_ERROR');
  assert.deepEqual(
    worker.errors.map(({ message }) => message),
    ['the disk is full', 'the disk is full'],
  );
});

test('testWorker: the timeout of the contract is the deadline of a call', async () => {
  await using worker = await testWorker(definition);
  const data = { title: 'a' };
  assert.deepEqual(await worker.call('tasks.add', data), { title: 'a', timeLeft: 2000 });
  assert.deepEqual(await worker.call('tasks.add', data, { timeout: 700 }), { title: 'a', timeLeft: 700 });
});

test('testWorker: a deadline passes when the test advances the clock', async () => {
  await using worker = await testWorker(definition);
  let settled = false;
  const call = worker.call('tasks.wait', {}, { timeout: 60_000 }).finally(() => {
    settled = true;
  });
  call.catch(() => undefined);
  await worker.clock.advance(59_999);
  assert.equal(settled, false);
  await worker.clock.advance(1);
  assert.equal(settled, true);
  await assert.rejects(call, ZeroMQTimeoutError);
  await assert.rejects(call, { code: 'TIMEOUT', status: 504, dispatched: true });
});

test('testWorker: the signal of a handler aborts at the deadline, and timeLeft follows the clock', async () => {
  const seen: unknown[] = [];
  const slow = defineWorker({
    handlers: {
      slow: async (_: unknown, { signal, timeLeft }) => {
        seen.push(timeLeft());
        await forever(signal).catch((reason: Error) => seen.push(timeLeft(), reason.name));
      },
    },
  });
  await using worker = await testWorker(slow);
  const call = worker.call('slow', undefined, { timeout: 1000 });
  call.catch(() => undefined);
  await worker.clock.advance(999);
  assert.deepEqual(seen, [1000]);
  await worker.clock.advance(1);
  assert.deepEqual(seen, [1000, 0, 'TimeoutError']);
  await assert.rejects(call, { code: 'TIMEOUT' });
});

test('testWorker: a request that was still queued at its deadline has not run', async () => {
  let started = 0;
  const busy = defineWorker({
    concurrency: 1,
    handlers: {
      busy: (_: unknown, { signal }) => {
        started += 1;
        return forever(signal);
      },
    },
  });
  await using worker = await testWorker(busy);
  const calls = [1000, 500].map((timeout) => worker.call('busy', undefined, { timeout }));
  for (const call of calls) call.catch(() => undefined);
  await worker.clock.advance(1000);
  const codes = await Promise.all(calls.map((call) => call.catch((error: { code: string }) => error.code)));
  assert.deepEqual(codes, ['TIMEOUT', 'EXPIRED']);
  assert.equal(started, 1);
});

test('testWorker: aborting a call cancels its handler', async () => {
  await using worker = await testWorker(definition);
  const controller = new AbortController();
  const call = worker.call('tasks.wait', {}, { signal: controller.signal });
  await worker.clock.advance(0);
  controller.abort();
  await assert.rejects(call, { code: 'CANCELLED' });
});

test('testWorker: without a contract, events are called by name', async () => {
  await using worker = await testWorker(
    defineWorker({ handlers: { add: ({ a, b }: { a: number; b: number }) => a + b } }),
  );
  assert.equal(await worker.call('add', { a: 1, b: 2 }), 3);
  await assert.rejects(worker.call('subtract', {}), {
    code: 'NO_WORKER',
    message: 'the worker under test does not serve the event subtract',
  });
});

test('testWorker: handleMessage takes all events', async () => {
  await using worker = await testWorker(defineWorker({ handleMessage: ({ eventName }) => eventName }));
  assert.equal(await worker.call('anything'), 'anything');
});

test('testWorker: largeIntegers of the definition applies', async () => {
  const handlers = { type: ({ n }: { n: bigint }) => typeof n };
  await using worker = await testWorker(defineWorker({ largeIntegers: 'bigint', handlers }));
  assert.equal(await worker.call('type', { n: 2n ** 60n }), 'bigint');
});

test('testWorker: onStart runs before the first request, onStop after the last', async () => {
  const steps: string[] = [];
  const worker = await testWorker(
    defineWorker({
      handlers: { one: () => void steps.push('request') },
      onStart: async () => {
        await Promise.resolve();
        steps.push('start');
      },
      onStop: () => void steps.push('stop'),
    }),
  );
  await worker.call('one');
  await Promise.all([worker.close(), worker.close()]);
  assert.deepEqual(steps, ['start', 'request', 'stop']);
});

test('testWorker: an error of onStart rejects', async () => {
  const broken = defineWorker({
    handlers: { one: () => 1 },
    onStart: () => Promise.reject(new Error('no database')),
  });
  await assert.rejects(testWorker(broken), /no database/);
});

test('testWorker: a handler that never ends does not keep the worker from closing', async () => {
  const worker = await testWorker(definition);
  let reason: unknown;
  const call = worker.call('tasks.wait', {}).catch((error: { code: string }) => {
    reason = error.code;
  });
  await worker.clock.advance(0);
  await worker.close();
  await call;
  assert.equal(reason, 'WORKER_LOST');
  await assert.rejects(worker.call('tasks.get', { id: 1 }), { code: 'NO_WORKER' });
});

test('testWorker: opens no port and no socket', async () => {
  await using worker = await testWorker(definition);
  await worker.call('tasks.get', { id: 7 });
  assert.equal((await worker.fetch('/tasks/7')).status, 200);
  const open = process.getActiveResourcesInfo().filter((name) => /TCP|UDP|Poll/.test(name));
  assert.deepEqual(open, []);
});

test('testWorker: calls of handlers reach the fakes, and the test sees them', async (t) => {
  const orders = defineWorker({
    concurrency: 1,
    handlers: {
      'orders.place': async ({ item }: { item: string }, { call }) => ({
        left: await call('stock.reserve', { item }, { timeout: 500 }),
        again: await call('orders.count'),
      }),
      'orders.count': () => 2,
    },
  });
  const worker = await testWorker(orders, { fakes: { 'stock.reserve': ({ item }) => `${item}: 1` } });
  t.after(() => worker.close());
  assert.deepEqual(await worker.call('orders.place', { item: 'nut' }), { left: 'nut: 1', again: 2 });
  assert.deepEqual(
    worker.calls.map(({ eventName, data }) => [eventName, data]),
    [
      ['stock.reserve', { item: 'nut' }],
      ['orders.count', null],
    ],
  );
});
