import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { withResolvers } from '../../../src/core/collections/deferred.ts';
import { ReplyError, toError } from '../../../src/core/messages/errors.ts';
import type { ReplyMessage } from '../../../src/core/messages/message.ts';
import type { ExecutorOptions } from '../../../src/runtime/executor.ts';
import type { HandlerContext } from '../../../src/runtime/handler-context.ts';
import { reply } from '../../../src/runtime/reply.ts';
import { within } from '../../helpers/eventually.ts';
import { makeRequest } from '../wire/messages.ts';
import { codeOf, data, makeExecutor as make } from './fixture.ts';

/** A handler that ends when the test resolves it. */
function gate() {
  const calls: {
    resolve: (value: unknown) => void;
    reject: (error: unknown) => void;
    context: HandlerContext;
  }[] = [];
  const handler = (_data: unknown, context: HandlerContext): Promise<unknown> => {
    const { promise, resolve, reject } = withResolvers<unknown>();
    calls.push({ resolve, reject, context });
    return promise;
  };
  return { calls, handler };
}

describe('handlers', () => {
  it('handler: receives the data, and its result becomes the reply', async () => {
    const { replies, execute } = make({
      now: (value: unknown) => ({ value }),
      later: async (value: unknown) => [value],
      nothing: () => undefined,
    });
    execute('now', 1);
    execute('nothing');
    execute('later', 2);
    await turn();
    assert.deepEqual(replies.map(data), [{ value: 1 }, null, [2]]);
    assert.ok(replies.every(({ status, code, dispatched }) => status === 200 && code === '' && dispatched));
  });

  it('handler: can set status, headers and content type', () => {
    const { replies, execute } = make({
      created: () => reply(201, { id: 1 }, { Location: '/x/1' }),
      text: () => reply(200, 'plain "text"', { 'Content-Type': 'text/plain' }),
      bytes: () => reply(200, Buffer.from([1, 2]), { 'content-type': 'image/png' }),
      json: () => reply(200, 'a string', { 'content-type': 'application/json' }),
    });
    for (const name of ['created', 'text', 'bytes', 'json']) execute(name);
    const [created, text, bytes, json] = replies;
    assert.deepEqual([created?.status, String(created?.extras)], [201, '{"headers":{"location":"/x/1"}}']);
    assert.deepEqual([text?.contentType, String(text?.body)], ['text/plain', 'plain "text"']);
    assert.deepEqual([bytes?.contentType, bytes?.body], ['image/png', Buffer.from([1, 2])]);
    assert.equal(String(json?.body), '"a string"');
  });

  it('handler: answers with its own error by throwing a ReplyError', async () => {
    const failing = (): never => {
      throw new ReplyError(404, 'NOT_FOUND', 'no such thing', {
        details: { id: 1 },
        headers: { 'X-A': '1' },
      });
    };
    const { replies, execute, logged } = make({ now: failing, later: async () => failing() });
    execute('now');
    execute('later');
    await turn();
    for (const got of replies) {
      assert.deepEqual(
        [got.status, got.code, String(got.extras)],
        [404, 'NOT_FOUND', '{"headers":{"x-a":"1"}}'],
      );
      assert.deepEqual(data(got), {
        error: { code: 'NOT_FOUND', message: 'no such thing', dispatched: true, details: { id: 1 } },
      });
    }
    assert.deepEqual([replies.length, logged], [2, []]);
  });

  it('handler: other errors reveal no detail to the caller and are logged in full', async () => {
    const noError = 'a string' as unknown as Error;
    const { replies, execute, logged } = make({
      now: () => {
        throw new Error('password 123');
      },
      later: () => Promise.reject(new TypeError('password 123')),
      odd: () => Promise.reject(noError),
    });
    for (const name of ['now', 'later', 'odd']) execute(name);
    await turn();
    assert.deepEqual(replies.map(codeOf), ['HANDLER_ERROR', 'HANDLER_ERROR', 'HANDLER_ERROR']);
    assert.ok(!replies.some(({ body }) => String(body).includes('password')));
    assert.equal(logged.length, 3);
  });

  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  for (const [what, handler] of [
    ['a function', () => () => 1],
    ['a Map', () => ({ deep: new Map() })],
    ['a NaN', () => reply(200, [Number.NaN])],
    ['a Buffer without a type', () => reply(200, Buffer.from('x'))],
    ['an invalid status set after reply()', () => Object.assign(reply(200), { status: 99 })],
    ['a circular value', () => circular],
    ['data over the limit', () => 'x'.repeat(1000)],
    ['an invalid content type', () => reply(200, 'x', { 'content-type': 'text/plain\r\nx: y' })],
    ['headers over the limit', () => reply(200, 1, { 'x-a': 'x'.repeat(70_000) })],
    [
      'a ReplyError over the limit',
      () => {
        throw new ReplyError(400, 'X', 'x'.repeat(1000));
      },
    ],
    [
      'a ReplyError with details that JSON cannot represent',
      () => {
        throw new ReplyError(400, 'X', 'x', { details: new Set([1]) });
      },
    ],
  ] as const) {
    it(`handler: a reply with ${what} becomes BAD_REPLY`, async () => {
      const { execute, codes, logged, executor } = make({ event: handler });
      execute('event');
      await turn();
      assert.deepEqual([codes(), logged.length, executor.load], [['BAD_REPLY'], 1, 0]);
    });
  }

  it('handler: settles its request once, whatever object it returns', async () => {
    const { execute, codes, executor } = make({
      twice: () => ({
        // biome-ignore lint/suspicious/noThenProperty: the thenable is the point
        then: (resolve: (value: number) => void, reject: (error: Error) => void) => {
          resolve(1);
          resolve(2);
          reject(new Error('late'));
        },
      }),
      trap: () => ({
        get then(): never {
          throw new Error('planted');
        },
      }),
    });
    execute('twice');
    execute('trap');
    await turn();
    assert.deepEqual([codes().sort(), executor.load], [['HANDLER_ERROR', 'ok'], 0]);
  });
});

describe('requests of an executor', () => {
  it('executor: rejects a request without a handler', () => {
    const { replies, execute } = make({ event: () => 1 });
    execute('other');
    execute('constructor');
    for (const got of replies) assert.deepEqual([got.code, got.dispatched], ['NO_HANDLER', false]);
    assert.equal(replies.length, 2);
  });

  it('executor: passes events without a handler to handleMessage', () => {
    const handleMessage = ({ eventName, eventData }: { eventName: string; eventData: unknown }): unknown => [
      eventName,
      eventData,
    ];
    const { replies, execute } = make({ mine: () => 'mine' }, { handleMessage });
    execute('mine', 1);
    execute('other', 2);
    assert.deepEqual(replies.map(data), ['mine', ['other', 2]]);
  });

  for (const body of ['', '{"a"', 'NaN', Buffer.from([0x22, 0xff, 0x22])]) {
    it(`executor: rejects the data ${JSON.stringify(String(body))} as malformed`, () => {
      const { replies, execute } = make({ event: () => 1 });
      execute('event', Buffer.from(body));
      assert.deepEqual([codeOf(replies[0]), replies[0]?.dispatched], ['MALFORMED_MESSAGE', false]);
    });
  }

  it('executor: validates data by the contract before the handler runs', () => {
    const validate: NonNullable<ExecutorOptions['validator']>['validate'] = (_name, value) => {
      if (value === 'broken') throw new Error('a rule of the contract fails');
      return typeof value === 'number'
        ? { value: value + 1 }
        : { errors: [{ pointer: '/', message: 'must be a number' }] };
    };
    const { replies, execute } = make({ event: (value: unknown) => value }, { validator: { validate } });
    execute('event', 1);
    execute('event', 'x');
    execute('event', 'broken');
    assert.deepEqual(replies.map(codeOf), ['', 'INVALID_REQUEST', 'HANDLER_ERROR']);
    assert.deepEqual(replies[0] && data(replies[0]), 2);
    assert.match(
      String(replies[1]?.body),
      /"details":\{"errors":\[\{"pointer":"\/","message":"must be a number"\}\]\}/,
    );
  });
});

describe('executor', () => {
  it('executor: runs at most the allowed number of requests and queues the others in order', async () => {
    const { calls, handler } = gate();
    const { executor, execute, replies } = make({ slow: handler });
    for (let n = 0; n < 5; n += 1) execute('slow');
    assert.deepEqual([calls.length, executor.load], [2, 5]);
    calls[1]?.resolve('second');
    await turn();
    assert.deepEqual([calls.length, replies.map(data)], [3, ['second']]);
    let drained = false;
    void executor.drained().then(() => {
      drained = true;
    });
    for (let n = 0; n < 5; n += 1) {
      assert.equal(drained, false);
      calls[n]?.resolve(n);
      await turn();
    }
    assert.deepEqual([replies.length, executor.load, drained], [5, 0, true]);
    await executor.drained();
  });

  it('executor: starts ten thousand requests that end at once with constant stack depth', async () => {
    const { calls, handler } = gate();
    const { execute, replies } = make({ slow: handler, fast: () => 1 }, { concurrency: 1 });
    execute('slow');
    for (let n = 0; n < 10_000; n += 1) execute('fast');
    assert.equal(replies.length, 0);
    calls[0]?.resolve(0);
    await turn();
    assert.equal(replies.length, 10_001);
  });

  it('executor: rejects requests when its queue is full', () => {
    const { handler } = gate();
    const { execute, codes, replies } = make({ slow: handler }, { concurrency: 1, maxQueue: 2 });
    for (let n = 0; n < 4; n += 1) execute('slow');
    assert.deepEqual([codes(), replies[0]?.dispatched], [['BUSY'], false]);
    const heavy = make({ slow: handler }, { concurrency: 1, maxQueueBytes: 5000 });
    for (let n = 0; n < 3; n += 1) heavy.execute('slow', 'x'.repeat(2000));
    assert.deepEqual(heavy.codes(), ['BUSY']);
  });

  it('executor: does not keep a batch in memory for a queued request', async () => {
    const { handler, calls } = gate();
    const { execute, replies } = make({ slow: handler, echo: (value: unknown) => value }, { concurrency: 1 });
    const batch = Buffer.allocUnsafeSlow(300_000).fill(' ');
    batch.write('"mine"', 0);
    execute('slow');
    execute('echo', batch.subarray(0, 6));
    batch.fill('x');
    calls[0]?.resolve(1);
    await turn();
    assert.deepEqual(replies.map(data), [1, 'mine'], 'it has a copy of its own');
  });

  it('executor: does not run a request that is cancelled in the queue, and frees its place at once', () => {
    const { handler, calls } = gate();
    const { execute, codes, executor, replies } = make({ slow: handler }, { concurrency: 1, maxQueue: 1 });
    execute('slow');
    for (let n = 0; n < 1000; n += 1) execute('slow').cancel('cancelled');
    assert.equal(executor.load, 1);
    assert.ok(codes().every((code) => code === 'CANCELLED'));
    assert.equal(replies[0]?.dispatched, false);
    calls[0]?.resolve(1);
    assert.equal(calls.length, 1);
  });

  it('executor: does not run a request that expired in the queue, and reports that it did not run', async () => {
    const { handler, calls } = gate();
    const { executor } = make({ slow: handler }, { concurrency: 1 });
    const outcomes: unknown[] = [];
    const run = (timeLeft: number) => {
      executor.execute(makeRequest({ eventName: 'slow', timeLeft }), ({ code, dispatched }) =>
        outcomes.push([code, dispatched]),
      );
    };
    run(0);
    run(1);
    run(60_000);
    const { signal } = calls[0]?.context ?? assert.fail();
    assert.equal(signal.aborted, false, 'no time was given');
    const past = performance.now() + 2;
    while (performance.now() < past) await turn();
    calls[0]?.resolve(1);
    await turn();
    assert.equal(calls.length, 2, 'the request with time left runs');
    calls[1]?.resolve(1);
    await turn();
    assert.deepEqual(outcomes, [
      ['', true],
      ['EXPIRED', false],
      ['', true],
    ]);
  });

  for (const [why, name, text] of [
    ['cancelled', 'AbortError', /caller cancelled/],
    ['expired', 'TimeoutError', /deadline/],
    ['lost', 'AbortError', /connection .* lost/],
    ['stopped', 'AbortError', /closed/],
  ] as const) {
    it(`executor: aborts the signal of a running request when it is ${why}, and still delivers its reply`, async () => {
      const { handler, calls } = gate();
      const { execute, codes } = make({ slow: handler });
      const execution = execute('slow');
      execution.cancel(why);
      const { signal } = calls[0]?.context ?? assert.fail();
      const reason = signal.reason as Error;
      assert.deepEqual([signal.aborted, reason.name], [true, name]);
      assert.match(reason.message, text);
      calls[0]?.resolve(1);
      await turn();
      execution.cancel(why);
      assert.deepEqual(codes(), ['ok']);
    });
  }

  it('executor: does not report a handler that throws because its signal aborted', async () => {
    const follow = (_data: unknown, { signal }: HandlerContext): Promise<never> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(toError(signal.reason)));
      });
    const { executor, logged } = make({ follow });
    const outcome = async (timeLeft: number, cancel: boolean): Promise<unknown> => {
      const { promise, resolve } = withResolvers<ReplyMessage>();
      const execution = executor.execute(makeRequest({ eventName: 'follow', timeLeft }), resolve);
      if (cancel) execution.cancel('cancelled');
      const { code, dispatched } = await within(promise, 'the reply');
      return [code, dispatched];
    };
    assert.deepEqual(await outcome(60_000, true), ['CANCELLED', true]);
    assert.deepEqual(await outcome(5, false), ['TIMEOUT', true]);
    assert.deepEqual(logged, []);
  });

  it('executor: close rejects queued requests and aborts running ones', async () => {
    const { handler, calls } = gate();
    const { execute, codes, executor } = make({ slow: handler }, { concurrency: 2 });
    for (let n = 0; n < 4; n += 1) execute('slow');
    const aborted = calls.map(({ context }, index) => {
      // A handler that ends on its signal must not hide the other one from close.
      context.signal.addEventListener('abort', () => calls[index]?.resolve('cut'));
      return context.signal;
    });
    executor.close(new Error('closed'));
    assert.deepEqual(codes(), ['SHUTTING_DOWN', 'SHUTTING_DOWN']);
    assert.ok(aborted.every((signal) => signal.aborted));
    await turn();
    assert.equal(executor.load, 0);
  });
});

describe('context of a request', () => {
  it('context: describes the request', () => {
    const { handler, calls } = gate();
    const { execute } = make({ slow: handler });
    const extras = Buffer.from(JSON.stringify({ traceparent: 't', caller: { id: 'me' }, contentType: 'c' }));
    execute('slow', 1, { requestId: 'r', extras, timeLeft: 1000 });
    const context = calls[0]?.context;
    assert.deepEqual(
      [context?.eventName, context?.requestId, context?.traceparent, context?.caller, context?.contentType],
      ['slow', 'r', 't', { id: 'me' }, 'c'],
    );
    assert.ok(context !== undefined && context.timeLeft() > 900 && context.timeLeft() <= 1000);
    const { timeLeft } = context;
    assert.ok(timeLeft() > 900 && timeLeft() <= 1000, 'taken off the context');
  });

  it('context: is empty where the caller sent nothing', () => {
    const { handler, calls } = gate();
    const { execute } = make({ slow: handler });
    execute('slow', 1, { extras: Buffer.from('{"broken'), timeLeft: 0 });
    const context = calls[0]?.context;
    assert.deepEqual(
      [context?.caller, context?.timeLeft(), context?.signal.aborted],
      [undefined, Infinity, false],
    );
  });

  it('context: the signal aborts at the deadline, and no timer remains after the handler', async () => {
    const { handler, calls } = gate();
    const { execute } = make({ slow: handler });
    execute('slow', 1, { timeLeft: 5 });
    execute('slow', 1, { timeLeft: 60_000 });
    const signal = calls[0]?.context.signal;
    await within(new Promise((resolve) => signal?.addEventListener('abort', resolve)), 'the deadline');
    assert.equal((signal?.reason as Error).name, 'TimeoutError');
    assert.equal(calls[1]?.context.signal.aborted, false);
    calls[1]?.resolve(1);
    await turn();
    assert.equal(calls[1]?.context.signal.aborted, false);
  });
});

describe('timing in replies', () => {
  const timing = ({ extras }: ReplyMessage): { queue: number; handler: number } | undefined =>
    extras.length === 0
      ? undefined
      : (JSON.parse(String(extras)) as { timing?: { queue: number; handler: number } }).timing;
  const asked = { timeLeft: 600, extras: Buffer.from('{"timing":1000}') };

  it('timing: reports transit, queue and handler times when the caller asks', async () => {
    const { handler, calls } = gate();
    const { execute, replies } = make({ slow: handler }, { concurrency: 1 });
    execute('slow', 1, asked);
    execute('slow', 1, asked);
    const begun = performance.now();
    while (performance.now() - begun < 5) await turn();
    calls[0]?.resolve(reply(200, 1, { location: '/x' }));
    await turn();
    calls[1]?.reject(new Error('it fails'));
    await turn();
    const [first, second] = replies.map(timing);
    assert.ok(first !== undefined && first.queue >= 400 && first.queue < 405, JSON.stringify(first));
    assert.ok(first.handler >= 5, 'it ran for 5 ms');
    assert.ok(second !== undefined && second.queue >= 405, 'it waited for the first one');
    assert.match(String(replies[0]?.extras), /^\{"headers":\{"location":"\/x"\},"timing"/);
  });

  it('timing: is absent when the caller does not ask', () => {
    const { execute, replies } = make({ now: () => 1 });
    execute('now', 1);
    execute('now', 1, { extras: Buffer.from('{"caller":{"id":"timing"},"key":"\\"timing\\""}') });
    execute('now', 1, { extras: Buffer.from('{"timing":"x"}') });
    execute('now', 1, { extras: Buffer.from('{"timing"') });
    assert.deepEqual(replies.map(timing), [undefined, undefined, undefined, undefined]);
  });
});
