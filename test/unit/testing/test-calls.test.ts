/** Workers that call other events: fakes answer, the test sees the calls. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Joi from 'joi';
import { defineContract, defineWorker, ReplyError, reply, ZeroMQError } from 'zeromq-gateway';
import { testWorker } from 'zeromq-gateway/testing';

const contract = defineContract({
  name: 'orders',
  events: {
    'orders.place': {
      method: 'POST',
      path: '/orders',
      data: Joi.object<{ item: string }>({ item: Joi.string().required() }),
    },
    'orders.count': { method: 'GET', path: '/orders/count' },
  },
});

const orders = defineWorker({
  contract,
  concurrency: 1,
  handlers: {
    'orders.place': async ({ item }, { call }) => {
      try {
        const options = { timeout: 800, idempotent: true };
        const { left } = await call<{ left: number }>('stock.reserve', { item }, options);
        return { placed: item, left, count: await call('orders.count') };
      } catch (error) {
        if (error instanceof ZeroMQError && error.code === 'SOLD_OUT') throw ReplyError.from(error);
        throw error;
      }
    },
    'orders.count': () => 3,
  },
});

const body = { method: 'POST', body: '{"item":"bolt"}', headers: { 'content-type': 'application/json' } };

test('fakes: answer the calls of the worker, which the test sees', async () => {
  await using worker = await testWorker(orders, {
    fakes: { 'stock.reserve': ({ item }: { item: string }) => ({ left: item.length }) },
  });
  const placed = await worker.call('orders.place', { item: 'bolt' }, { requestId: 'one', timeout: 5000 });
  // The worker serves orders.count itself, although it runs one request at a time.
  assert.deepEqual(placed, { placed: 'bolt', left: 4, count: 3 });
  assert.deepEqual(
    worker.calls.map(({ eventName, data, timeout, idempotent, requestId }) => ({
      eventName,
      data,
      timeout,
      idempotent,
      requestId,
    })),
    [
      {
        eventName: 'stock.reserve',
        data: { item: 'bolt' },
        timeout: 800,
        idempotent: true,
        requestId: 'one',
      },
      { eventName: 'orders.count', data: null, timeout: 5000, idempotent: false, requestId: 'one' },
    ],
  );
  worker.calls.length = 0;
  assert.deepEqual(worker.calls, []);
});

test('fakes: a fake takes precedence over a handler of the worker', async () => {
  await using worker = await testWorker(orders, {
    fakes: { 'stock.reserve': () => reply(200, { left: 0 }), 'orders.count': () => 99 },
  });
  const { count } = (await worker.call('orders.place', { item: 'bolt' })) as { count: number };
  assert.equal(count, 99);
  assert.equal(await worker.call('orders.count'), 3);
});

test('fakes: their errors reach the handler, and the caller only if it passes them on', async () => {
  await using worker = await testWorker(orders, {
    fakes: {
      'stock.reserve': ({ item }: { item: string }) => {
        if (item === 'bolt') throw new ReplyError(409, 'SOLD_OUT', 'no bolt is left');
        throw new Error('the disk is full');
      },
    },
  });
  const sold = await worker.fetch('/orders', body);
  assert.deepEqual([sold.status, ((await sold.json()) as { code: string }).code], [409, 'SOLD_OUT']);
  await assert.rejects(worker.call('orders.place', { item: 'nut' }), (error: ZeroMQError) => {
    assert.equal(error.code, 'HANDLER_ERROR');
    assert.equal((error.cause as ZeroMQError).code, 'HANDLER_ERROR');
    return true;
  });
});

test('fakes: a call without a fake is named in the error of the handler', async () => {
  await using worker = await testWorker(orders);
  await assert.rejects(worker.call('orders.place', { item: 'bolt' }), (error: ZeroMQError) => {
    assert.equal(error.code, 'HANDLER_ERROR');
    assert.equal(
      (error.cause as Error).message,
      'the test has no fake for the event "stock.reserve": add it to the option fakes of testWorker',
    );
    return true;
  });
  assert.deepEqual(
    worker.calls.map(({ eventName }) => eventName),
    ['stock.reserve'],
  );
});

test('fakes: the timeout of a call passes when the test advances the clock', async () => {
  await using worker = await testWorker(orders, {
    fakes: { 'stock.reserve': () => new Promise(() => undefined) },
  });
  const call = worker.call('orders.place', { item: 'bolt' }, { timeout: 5000 });
  call.catch(() => undefined);
  await worker.clock.advance(799);
  assert.equal(worker.errors.length, 0);
  await worker.clock.advance(1);
  await assert.rejects(call, (error: ZeroMQError) => {
    assert.equal(error.code, 'HANDLER_ERROR');
    assert.equal((error.cause as ZeroMQError).code, 'TIMEOUT');
    return true;
  });
});

test('middlewares run around the handlers of a worker under test', async () => {
  const seen: string[] = [];
  const guarded = defineWorker({
    use: [
      async (_data, { eventName }, next) => {
        seen.push(`before ${eventName}`);
        const result = await next();
        seen.push(`after ${eventName}`);
        return result;
      },
    ],
    handlers: { one: () => 1 },
  });
  await using worker = await testWorker(guarded);
  assert.equal(await worker.call('one'), 1);
  assert.deepEqual(seen, ['before one', 'after one']);
});

test('hooks of the gateway run for requests of the test', async () => {
  await using worker = await testWorker(orders, {
    fakes: { 'stock.reserve': () => ({ left: 1 }) },
    gateway: {
      hooks: {
        onReply: (answer) => {
          answer.headers['x-hooked'] = 'yes';
        },
      },
    },
  });
  assert.equal((await worker.fetch('/orders', body)).headers.get('x-hooked'), 'yes');
});
