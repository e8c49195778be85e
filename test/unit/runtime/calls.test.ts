/** Calls of handlers: the slots that they lend, their deadlines, and their ends. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, it } from 'node:test';
import { type CallSource, depthOf } from '../../../src/core/messages/calls.ts';
import {
  failure,
  type InFlight,
  type RequestMessage,
  type Settle,
} from '../../../src/core/messages/message.ts';
import { ReplyError, type ZeroMQError } from '../../../src/index.ts';
import type { ExecutorOptions } from '../../../src/runtime/executor.ts';
import type { HandlerContext } from '../../../src/runtime/handler-context.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { makeReply, makeRequest } from '../wire/messages.ts';
import { makeExecutor } from './fixture.ts';

interface Sent {
  readonly message: RequestMessage;
  readonly depth: number;
  readonly settle: Settle;
  cancelled: boolean;
}

/** A connection that keeps the calls. */
class FakeSource implements CallSource {
  readonly sent: Sent[] = [];

  call(message: RequestMessage, depth: number, settle: Settle) {
    const sent: Sent = { message, depth, settle, cancelled: false };
    this.sent.push(sent);
    return {
      cancel: () => {
        sent.cancelled = true;
      },
    };
  }

  stream(message: RequestMessage, depth: number, settle: Settle): InFlight {
    return { ...this.call(message, depth, settle), grant: () => undefined, sendChunk: () => undefined };
  }
}

function scene(handlers: ExecutorOptions['handlers'], options: Partial<ExecutorOptions> = {}) {
  const source = new FakeSource();
  const made = makeExecutor(handlers, { concurrency: 1, ...options });
  const codes: string[] = [];
  const execute = (eventName: string, members: Parameters<typeof makeRequest>[0] = {}) =>
    made.executor.execute(
      makeRequest({ eventName, timeLeft: 0, ...members }),
      ({ code }) => codes.push(`${eventName}: ${code || 'ok'}`),
      source,
    );
  return { ...made, source, codes, execute };
}

const turn = (): Promise<void> => new Promise(setImmediate);
const depth = (value: number) => ({ extras: Buffer.from(JSON.stringify({ depth: value })) });

/** Calls `inner` and returns its data, or the code of the error. */
const callInner = async (_: unknown, { call }: HandlerContext): Promise<unknown> =>
  call('inner').catch((error: ZeroMQError) => error.code);

describe('slots of handlers that call', () => {
  it('executor: a handler that waits on a call lends its slot, and takes it back', async () => {
    const { execute, source, codes, executor } = scene({ outer: callInner, short: () => 1 });
    execute('outer');
    await turn();
    execute('short');
    assert.deepEqual(codes, ['short: ok']);
    source.sent[0]?.settle(makeReply());
    execute('short');
    assert.deepEqual(codes, ['short: ok'], 'the slot is in use again');
    await turn();
    assert.deepEqual(codes, ['short: ok', 'outer: ok', 'short: ok']);
    await executor.drained();
  });

  it('executor: a handler with several calls lends one slot', async () => {
    let running = 0;
    const { execute, source, codes } = scene({
      outer: (_: unknown, { call }: HandlerContext) => Promise.all([call('a'), call('b')]),
      held: () => {
        running += 1;
        return new Promise(() => undefined);
      },
    });
    execute('outer');
    await turn();
    execute('held');
    execute('held');
    assert.equal(running, 1);
    source.sent[0]?.settle(makeReply());
    source.sent[1]?.settle(makeReply());
    await turn();
    assert.deepEqual([codes, running], [['outer: ok'], 1]);
  });

  it('executor: requests that start in a lent slot do not run in the context of the handler', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const { execute } = scene({
      outer: (_: unknown, context: HandlerContext) => storage.run('outer', () => callInner(_, context)),
      other: () => seen.push(storage.getStore()),
    });
    execute('outer');
    execute('other');
    await turn();
    assert.deepEqual(seen, [undefined]);
  });

  it('executor without routers: requests of clients do not use lent slots, calls do', async () => {
    const { execute, source, codes } = scene({ outer: callInner, short: () => 1 }, { sharesSlots: true });
    execute('outer');
    await turn();
    execute('short');
    execute('short', depth(1));
    assert.deepEqual(codes, ['short: ok'], 'the call alone');
    source.sent[0]?.settle(makeReply());
    await turn();
    assert.deepEqual(codes, ['short: ok', 'outer: ok', 'short: ok']);
  });

  it('executor without routers: a queued call starts before queued requests of clients', async () => {
    const order: string[] = [];
    const gate = Promise.resolve();
    const { execute, source } = scene(
      {
        outer: async (_: unknown, { call }: HandlerContext) => {
          await gate;
          await call('inner');
        },
        client: () => order.push('client'),
        call: () => order.push('call'),
      },
      { sharesSlots: true },
    );
    execute('outer');
    execute('client');
    execute('call', depth(1));
    await turn();
    assert.deepEqual(order, ['call']);
    source.sent[0]?.settle(makeReply());
    await turn();
    assert.deepEqual(order, ['call', 'client']);
  });

  it('executor without routers: a queued call that is cancelled or closed is settled', async () => {
    const { execute, executor, codes } = scene(
      { hold: () => new Promise(() => undefined) },
      { sharesSlots: true },
    );
    execute('hold');
    execute('hold', depth(1)).cancel('cancelled');
    execute('hold', depth(1)).cancel('expired');
    execute('hold', depth(1));
    executor.close(new Error('closes'));
    await turn();
    assert.deepEqual(codes, ['hold: CANCELLED', 'hold: EXPIRED', 'hold: SHUTTING_DOWN']);
  });
});

describe('deadlines and ends of calls', () => {
  it('call: ends with TIMEOUT a little after its deadline if no reply arrives', async () => {
    const clock = new FakeClock();
    const { execute, source, replies } = makeSceneWithClock(clock, { timeout: 200 });
    execute();
    await turn();
    assert.equal(source.sent[0]?.message.timeLeft, 200);
    clock.advance(299);
    await turn();
    assert.deepEqual(replies, []);
    clock.advance(1);
    await turn();
    assert.deepEqual(replies, ['TIMEOUT true']);
    assert.equal(source.sent[0]?.cancelled, true);
  });

  for (const [timeout, timeLeft, expected] of [
    [undefined, 0, 30_000],
    [50_000, 0, 50_000],
    [undefined, 700, 700],
    [300, 700, 300],
    [900, 700, 700],
  ] as const) {
    it(`call with the timeout ${timeout} and ${timeLeft || 'no'} ms left: may take ${expected} ms`, async () => {
      const { execute, source } = makeSceneWithClock(new FakeClock(), { timeout });
      execute({ timeLeft });
      await turn();
      assert.equal(source.sent[0]?.message.timeLeft, expected);
    });
  }

  it('call without time left: EXPIRED, and it is not sent', async () => {
    const clock = new FakeClock();
    let codeOf: unknown;
    const { execute, source } = scene(
      {
        outer: async (_: unknown, { call }: HandlerContext) => {
          clock.advance(1000);
          codeOf = await call('inner').catch((error: ZeroMQError) => [error.code, error.dispatched]);
        },
      },
      { clock },
    );
    execute('outer', { timeLeft: 1000 });
    await turn();
    assert.deepEqual([codeOf, source.sent.length], [['EXPIRED', false], 0]);
  });

  it('call without a connection that takes calls: NO_ROUTER', async () => {
    const { executor, replies } = makeExecutor({ outer: callInner });
    executor.execute(makeRequest({ eventName: 'outer' }), (reply) => replies.push(reply));
    await turn();
    assert.equal(String(replies[0]?.body), '"NO_ROUTER"');
  });

  it('call: depth, request id and metadata of the request pass on, and cannot be overridden', async () => {
    const { execute, source } = scene({
      outer: (_: unknown, { call }: HandlerContext) =>
        call('inner', null, { extras: { key: 'k', depth: 1, caller: { id: 'mallory' } } }),
    });
    const extras = {
      depth: 4,
      caller: { id: 'ann' },
      traceparent: 'tp',
      tracestate: 'ts',
      contentType: 'a/b',
    };
    execute('outer', { extras: Buffer.from(JSON.stringify(extras)), requestId: 'r' });
    await turn();
    const sent = source.sent[0] ?? assert.fail();
    assert.deepEqual([sent.depth, sent.message.requestId], [5, 'r']);
    assert.deepEqual(JSON.parse(String(sent.message.extras)), {
      key: 'k',
      depth: 5,
      caller: { id: 'ann' },
      traceparent: 'tp',
      tracestate: 'ts',
    });
    assert.equal(depthOf(sent.message.extras), 5);
  });

  it('call that fails while the handler does other things: causes no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const listener = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', listener);
    const { execute, source, codes } = scene({
      outer: async (_: unknown, { call }: HandlerContext) => {
        const first = call('inner');
        await turn();
        await turn();
        return first.catch((error: ZeroMQError) => error.code);
      },
    });
    execute('outer');
    source.sent[0]?.settle(failure('NO_WORKER', 'no worker'));
    await turn();
    await turn();
    await turn();
    process.off('unhandledRejection', listener);
    assert.deepEqual([unhandled, codes], [[], ['outer: ok']]);
  });
});

describe('ReplyError.from', () => {
  it('ReplyError.from: leaves errors that are not the outcome of a call unchanged', () => {
    const error = new Error('the password is 1234');
    assert.equal(ReplyError.from(error), error);
    const own = new ReplyError(418, 'TEAPOT', 'short and stout', { dispatched: false });
    assert.equal(ReplyError.from(own), own);
    assert.equal(ReplyError.from('text').message, 'text');
  });
});

function makeSceneWithClock(clock: FakeClock, options: { timeout?: number | undefined }) {
  const replies: string[] = [];
  const timeout = options.timeout === undefined ? {} : { timeout: options.timeout };
  const { execute, source } = scene(
    {
      outer: async (_: unknown, { call }: HandlerContext) => {
        await call('inner', null, timeout).catch(({ code, dispatched }: ZeroMQError) =>
          replies.push(`${code} ${dispatched}`),
        );
      },
    },
    { clock },
  );
  return { execute: (members = {}) => execute('outer', members), source, replies };
}
