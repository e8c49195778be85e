/** Workers that call other events (`context.call`), behind one router over sockets. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Joi from 'joi';
import {
  createCaller,
  defineContract,
  type HandlerContext,
  ReplyError,
  reply,
  typed,
  type ZeroMQClientError,
  type ZeroMQError,
} from '../../src/index.ts';
import { briefTimeout, PATIENCE } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { aborted, connectClient, HandlerGate, startRouter, startWorker } from './framework.ts';

type Handlers = Parameters<typeof startWorker>[1]['handlers'];

/** A router, a worker for each set of handlers, and a client. */
async function scene(scope: Scope, workers: readonly Handlers[], concurrency = 1) {
  const { router, frontend, backend } = await startRouter(scope);
  for (const handlers of workers) await startWorker(scope, { connection: backend, concurrency, handlers });
  return { router, client: await connectClient(scope, frontend) };
}

/** Counts down to 0, with a call of the other event for each step. */
const countDown =
  (other: string) =>
  async (n: number, { call }: HandlerContext): Promise<string[]> =>
    n === 0 ? [] : [other, ...(await call<string[]>(other, n - 1))];

describe('call of another event', () => {
  it('call: the handler gets the event data of the reply', async (t) => {
    const { client, router } = await scene(scopeOf(t), [
      { outer: async (n: number, { call }: HandlerContext) => ({ got: await call('inner', n) }) },
      { inner: (n: number) => n * 2 },
    ]);
    assert.deepEqual((await client.sendMessage('outer', 21)).eventData, { got: 42 });
    const { submitted, calls, ok } = router.stats();
    assert.deepEqual({ submitted, calls, ok }, { submitted: 2, calls: 1, ok: 2 });
  });

  it('sendMessage of a context: the handler gets status and headers, too', async (t) => {
    const { client } = await scene(scopeOf(t), [
      { outer: async (_: null, { sendMessage }: HandlerContext) => sendMessage('inner', 1) },
      { inner: () => reply(201, { id: 7 }, { location: '/things/7' }) },
    ]);
    assert.deepEqual((await client.sendMessage('outer')).eventData, {
      eventName: 'inner',
      eventData: { id: 7 },
      status: 201,
      headers: { location: '/things/7' },
    });
  });

  it('createCaller: gives the calls of a context the types and defaults of a contract', async (t) => {
    const contract = defineContract({
      name: 'stock',
      events: {
        'stock.count': {
          data: Joi.object<{ item: string }>({ item: Joi.string().required() }).required(),
          replies: { 200: typed<{ left: number }>(Joi.object({ left: Joi.number().required() })) },
        },
      },
    });
    const { client } = await scene(scopeOf(t), [
      {
        outer: async (_: null, context: HandlerContext) => {
          const caller = createCaller(context, contract);
          const { left } = await caller.call('stock.count', { item: 'nut' });
          // @ts-expect-error -- the contract has no such event
          await assert.rejects(caller.call('stock.sum'), { code: 'INVALID_ARGUMENT' });
          // @ts-expect-error -- the item is a text
          const wrong = caller.call('stock.count', { item: 5 });
          await wrong.catch(() => undefined);
          return left + 1;
        },
      },
      { 'stock.count': ({ item }: { item: string }) => ({ left: String(item).length }) },
    ]);
    assert.equal((await client.sendMessage('outer')).eventData, 4);
  });

  it('call: request id, caller and trace context pass on, and the deadline is the time left', async (t) => {
    const { client } = await scene(scopeOf(t), [
      { outer: (_: null, { call }: HandlerContext) => call('inner', null, { timeout: 2 * PATIENCE }) },
      {
        inner: (_: null, { requestId, caller, traceparent, timeLeft }: HandlerContext) => ({
          requestId,
          caller,
          traceparent,
          timeLeft: timeLeft(),
        }),
      },
    ]);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const caller = { id: 'ann', scopes: ['read'] };
    const options = { timeout: PATIENCE, requestId: 'r-1', extras: { traceparent, caller } };
    const { eventData } = await client.sendMessage<Record<string, unknown>>('outer', null, options);
    const { timeLeft, ...rest } = eventData;
    assert.deepEqual(rest, { requestId: 'r-1', caller, traceparent });
    assert.ok(Number(timeLeft) > 1000 && Number(timeLeft) <= PATIENCE, `time left: ${String(timeLeft)}`);
  });

  it('call with a timeout: ends earlier than the request of the handler', async (t) => {
    const gate = new HandlerGate();
    const { client } = await scene(scopeOf(t), [
      {
        outer: async (_: null, { call, timeLeft }: HandlerContext) => {
          const error = await call('inner', null, { timeout: briefTimeout(100) }).catch(
            (thrown: ZeroMQError) => thrown,
          );
          const { code, dispatched, name } = error as ZeroMQError;
          return { code, dispatched, name, early: timeLeft() > 5000 };
        },
      },
      { inner: gate.handler },
    ]);
    const { eventData } = await client.sendMessage('outer', null, { timeout: PATIENCE });
    assert.deepEqual(eventData, {
      code: 'TIMEOUT',
      dispatched: true,
      name: 'ZeroMQTimeoutError',
      early: true,
    });
    await aborted(gate.calls[0]?.signal as AbortSignal);
    gate.openAll();
  });
});

describe('errors of calls', () => {
  const refusing = {
    inner: () => {
      throw new ReplyError(404, 'NO_SUCH_TASK', 'no task has the id 7', { details: { id: 7 } });
    },
  };

  it('call that fails: the handler gets the code, status, details and dispatched of the reply', async (t) => {
    const { client } = await scene(scopeOf(t), [
      {
        outer: async (_: null, { call }: HandlerContext) => {
          const error = await call('inner').catch((thrown: ZeroMQClientError) => thrown);
          const { code, status, details, dispatched, message } = error as ZeroMQClientError;
          return { code, status, details, dispatched, message };
        },
      },
      refusing,
    ]);
    assert.deepEqual((await client.sendMessage('outer')).eventData, {
      code: 'NO_SUCH_TASK',
      status: 404,
      details: { id: 7 },
      dispatched: true,
      message: 'no task has the id 7',
    });
  });

  it('call that fails: without a catch, the caller of the handler gets HANDLER_ERROR without detail', async (t) => {
    const { client } = await scene(scopeOf(t), [
      { outer: (_: null, { call }: HandlerContext) => call('inner') },
      refusing,
    ]);
    await assert.rejects(client.sendMessage('outer'), (error: ZeroMQError) => {
      const { code, status, details, message } = error;
      assert.deepEqual([code, status, details], ['HANDLER_ERROR', 500, undefined]);
      assert.doesNotMatch(message, /task/);
      return true;
    });
  });

  it('ReplyError.from: passes status, code, message and details of a call on to the caller', async (t) => {
    const { client } = await scene(scopeOf(t), [
      {
        outer: async (_: null, { call }: HandlerContext) => {
          try {
            return await call('inner');
          } catch (error) {
            throw ReplyError.from(error);
          }
        },
      },
      refusing,
    ]);
    await assert.rejects(client.sendMessage('outer'), {
      code: 'NO_SUCH_TASK',
      status: 404,
      details: { id: 7 },
      message: 'no task has the id 7',
      dispatched: true,
    });
  });

  it('ReplyError.from: a call that did not run does not make the request retryable, which did', async (t) => {
    const { client } = await scene(scopeOf(t), [
      {
        outer: async (_: null, { call }: HandlerContext) => {
          throw ReplyError.from(await call('unserved').catch((error: unknown) => error));
        },
      },
    ]);
    await assert.rejects(client.sendMessage('outer'), {
      code: 'NO_WORKER',
      status: 503,
      dispatched: true,
      retryable: false,
    });
  });

  it('call of an event without worker: NO_WORKER, not dispatched', async (t) => {
    const { client } = await scene(scopeOf(t), [
      {
        outer: async (_: null, { call }: HandlerContext) => {
          const error = await call('unserved').catch((thrown: ZeroMQError) => thrown);
          return [(error as ZeroMQError).code, (error as ZeroMQError).dispatched];
        },
      },
    ]);
    assert.deepEqual((await client.sendMessage('outer')).eventData, ['NO_WORKER', false]);
  });

  for (const [name, event, data, pattern] of [
    ['reserved event', '$router.info', null, /a handler cannot call "\$router\.info"/],
    ['data without a JSON form', 'inner', NaN, /eventData: /],
    ['event name that is too long', 'x'.repeat(2000), null, /eventName must be 1 to 1024 bytes/],
  ] as const) {
    it(`call, ${name}: rejects with INVALID_ARGUMENT`, async (t) => {
      const { client } = await scene(scopeOf(t), [
        {
          outer: async (_: null, { call }: HandlerContext) => {
            const error = await call(event, data).catch((thrown: ZeroMQError) => thrown);
            return [(error as ZeroMQError).code, (error as ZeroMQError).message];
          },
        },
      ]);
      const [code, message] = (await client.sendMessage<[string, string]>('outer')).eventData;
      assert.equal(code, 'INVALID_ARGUMENT');
      assert.match(message, pattern);
    });
  }
});

describe('calls in a circle', () => {
  it('A→B→A at concurrency 1: completes', async (t) => {
    const { client } = await scene(scopeOf(t), [{ a: countDown('b') }, { b: countDown('a') }]);
    assert.deepEqual((await client.sendMessage('a', 5)).eventData, ['b', 'a', 'b', 'a', 'b']);
  });

  it('handler that calls its own event at concurrency 1: completes', async (t) => {
    const { client } = await scene(scopeOf(t), [{ a: countDown('a') }]);
    assert.deepEqual((await client.sendMessage('a', 16)).eventData, Array(16).fill('a'));
  });

  it('calls without end: LOOP at a depth of more than 16', async (t) => {
    const depths: number[] = [];
    const endless =
      (other: string) =>
      async (depth: number, { call }: HandlerContext): Promise<unknown> => {
        depths.push(depth);
        return call(other, depth + 1).catch((error: unknown) => {
          throw ReplyError.from(error);
        });
      };
    const { client } = await scene(scopeOf(t), [{ a: endless('b') }, { b: endless('a') }]);
    await assert.rejects(client.sendMessage('a', 0), { code: 'LOOP', status: 508 });
    assert.deepEqual(
      depths,
      Array.from({ length: 17 }, (_, depth) => depth),
    );
  });

  it('mutual calls under load at concurrency 1: all complete, none is lost', async (t) => {
    const { client, router } = await scene(scopeOf(t), [{ a: countDown('b') }, { b: countDown('a') }]);
    const requests = Array.from({ length: 300 }, (_, n) =>
      client.sendMessage<string[]>(n % 2 === 0 ? 'a' : 'b', n % 7, { timeout: PATIENCE }),
    );
    const replies = await Promise.all(requests);
    assert.deepEqual(
      replies.map(({ eventData }) => eventData.length),
      Array.from({ length: 300 }, (_, n) => n % 7),
    );
    const { queued, dispatched, abandoned, failures } = router.stats();
    assert.deepEqual(
      { queued, dispatched, abandoned, failures },
      { queued: 0, dispatched: 0, abandoned: 0, failures: {} },
    );
  });

  it('handlers that call many events at a time at concurrency 2: all complete within the bound', async (t) => {
    let running = 0;
    let most = 0;
    const fan =
      (other: string) =>
      async (levels: number, { call }: HandlerContext): Promise<number> => {
        running += 1;
        most = Math.max(most, running);
        try {
          if (levels === 0) return 1;
          const parts = await Promise.all([1, 2, 3].map(() => call<number>(other, levels - 1)));
          return parts.reduce((sum, part) => sum + part, 0);
        } finally {
          running -= 1;
        }
      };
    const { client } = await scene(scopeOf(t), [{ a: fan('b') }, { b: fan('a') }], 2);
    const replies = await Promise.all(
      [1, 2, 3, 4, 5].map(() => client.sendMessage('a', 4, { timeout: PATIENCE })),
    );
    assert.deepEqual(
      replies.map(({ eventData }) => eventData),
      Array(5).fill(81),
    );
    // Two workers hold at most 2 requests of each of the 5 depths.
    assert.ok(most <= 2 * 2 * 5, `${most} handlers at a time`);
  });
});
