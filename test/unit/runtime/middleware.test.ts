/** Middlewares around handlers: order, changes, answers, errors and misuse. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { withResolvers } from '../../../src/core/collections/deferred.ts';
import { type LogMethod, silentLogger } from '../../../src/core/logging/logging.ts';
import { ReplyError } from '../../../src/core/messages/errors.ts';
import type { HandlerOptions } from '../../../src/runtime/handlers.ts';
import type { Middleware, MiddlewareNext, Middlewares } from '../../../src/runtime/middleware.ts';
import { withMiddlewares } from '../../../src/runtime/middleware-chain.ts';
import { reply, replyOf } from '../../../src/runtime/reply.ts';
import { data, makeExecutor } from './fixture.ts';

/** An executor of these handlers within middlewares, and the messages of errors that were logged. */
function make(use: Middlewares, options: Omit<HandlerOptions, 'use' | 'contract'>) {
  const errors: string[] = [];
  const error: LogMethod = (fields: object | string): void => {
    errors.push(String((fields as { err?: Error }).err?.message));
  };
  const logger = { ...silentLogger, error };
  const { handlers, handleMessage } = withMiddlewares({ use, ...options }, logger);
  return { errors, ...makeExecutor(handlers, { handleMessage, logger }) };
}

describe('middlewares', () => {
  it('run in the order of the list, and see the result in the opposite order', async () => {
    const order: string[] = [];
    const named =
      (name: string): Middleware =>
      async (_data, { eventName }, next) => {
        order.push(`${name} ${eventName}`);
        const result = await next();
        order.push(`${name} ${String(result)}`);
        return `${name}(${String(result)})`;
      };
    const { replies, execute } = make([named('a'), named('b')], { handlers: { event: () => 'done' } });
    execute('event');
    await turn();
    assert.deepEqual(replies.map(data), ['a(b(done))']);
    assert.deepEqual(order, ['a event', 'b event', 'b done', 'a b(done)']);
  });

  it('change the data for the handler, and status and headers of its reply', async () => {
    const use: Middlewares = [
      async (given, _context, next) => {
        const { status, data: body, headers } = replyOf(await next({ ...(given as object), by: 'eva' }));
        return reply(status + 1, { body }, { ...headers, 'x-a': '1' });
      },
    ];
    const { replies, execute } = make(use, {
      handlers: { plain: (given: object) => given, whole: () => reply(200, 'x', { 'x-b': '2' }) },
    });
    execute('plain', { n: 1 });
    execute('whole', {});
    await turn();
    assert.deepEqual(replies.map(data), [{ body: { n: 1, by: 'eva' } }, { body: 'x' }]);
    assert.deepEqual(
      replies.map(({ status, extras }) => [status, String(extras)]),
      [
        [201, '{"headers":{"x-a":"1"}}'],
        [201, '{"headers":{"x-b":"2","x-a":"1"}}'],
      ],
    );
  });

  it('answer without the handler, synchronously and asynchronously', async () => {
    const use: Middlewares = [
      (given, _context, next) => (given === 'now' ? null : next()),
      async () => reply(202, 'later'),
    ];
    const { replies, execute } = make(use, { handlers: { event: () => assert.fail('the handler ran') } });
    execute('event', 'now');
    execute('event', 'x');
    await turn();
    assert.deepEqual(
      replies.map((got) => [got.status, data(got)]),
      [
        [200, null],
        [202, 'later'],
      ],
    );
  });

  it('throw and catch errors of handlers and of each other', async () => {
    const use: Middlewares = [
      async (_data, _context, next) => {
        try {
          return await next();
        } catch (error) {
          if (error instanceof ReplyError) throw new ReplyError(410, `WAS_${error.code}`, error.message);
          throw error;
        }
      },
      (given) => {
        if (given === 'sync') throw new ReplyError(403, 'NO', 'not you');
        return undefined;
      },
    ];
    const first = use[0] as Middleware;
    const { replies, codes, execute, errors } = make([first], {
      handlers: {
        refuse: () => {
          throw new ReplyError(404, 'GONE', 'no such thing');
        },
        fail: async () => Promise.reject(new Error('planted')),
      },
    });
    execute('refuse');
    execute('fail');
    await turn();
    assert.deepEqual(codes().sort(), ['HANDLER_ERROR', 'WAS_GONE']);
    assert.equal(replies.find(({ code }) => code === 'WAS_GONE')?.status, 410);
    assert.deepEqual(errors, ['planted']);
    const refusing = make(use, { handlers: { event: () => assert.fail('the handler ran') } });
    refusing.execute('event', 'sync');
    await turn();
    assert.deepEqual(refusing.codes(), ['WAS_NO']);
  });

  it('share the state of the request with each other and the handler', async () => {
    const use: Middlewares = [
      (_data, { state }, next) => {
        state['transaction'] = 7;
        return next();
      },
    ];
    const { replies, execute } = make(use, {
      handlers: { event: (_data: unknown, { state }) => ({ ...state }) },
    });
    execute('event');
    execute('event');
    await turn();
    assert.deepEqual(replies.map(data), [{ transaction: 7 }, { transaction: 7 }]);
  });

  it('may be for some events: others keep their handler', async () => {
    const mark: Middleware = async (_data, _context, next) => [await next()];
    const one = (): number => 1;
    const handlers = { 'tasks.get': one, 'tasks.add': one, 'users.get': one };
    const use: Middlewares = [
      { events: ['tasks.*', 'users.none*'].slice(0, 1), run: mark },
      { events: 'tasks.add', run: mark },
    ];
    const set = withMiddlewares({ use, handlers }, silentLogger);
    assert.equal(set.handlers?.['users.get'], one);
    const { replies, execute } = make(use, { handlers });
    for (const name of ['tasks.get', 'tasks.add', 'users.get']) execute(name);
    await turn();
    const texts = replies.map(({ body }) => String(body));
    assert.deepEqual(texts.sort(), ['1', '[1]', '[[1]]']);
  });

  it('surround handleMessage, each for its events', async () => {
    const mark: Middleware = async (_data, _context, next) => [await next('changed')];
    const { replies, execute } = make([{ events: 'a.*', run: mark }], {
      handleMessage: ({ eventName, eventData }) => `${eventName}: ${String(eventData)}`,
    });
    execute('a.x', 'given');
    execute('b.x', 'given');
    await turn();
    assert.deepEqual(replies.map(data).sort(), ['b.x: given', ['a.x: changed']].sort());
  });

  it('without any, the handlers are the very functions that were given', () => {
    const handlers = { event: () => 1 };
    const handleMessage = (): number => 2;
    const options: HandlerOptions = { handlers, handleMessage };
    const same = withMiddlewares(options, silentLogger);
    assert.ok(same.handlers === handlers && same.handleMessage === handleMessage);
    const none = withMiddlewares({ ...options, use: [] }, silentLogger);
    assert.equal(none.handlers?.['event'], handlers.event);
  });
});

describe('middlewares: misuse', () => {
  const cases: [what: string, middleware: Middleware, message: RegExp][] = [
    [
      'next() twice',
      async function doubled(_data, _context, next) {
        await next();
        return next();
      },
      /^the middleware use\[0\] \(doubled\) called next\(\) twice$/,
    ],
    [
      'next() twice without waiting',
      (_data, _context, next) => {
        void next();
        void next();
        return 'answer';
      },
      /called next\(\) twice$/,
    ],
    ['neither next() nor a result', () => undefined, /neither called next\(\) nor returned a result$/],
  ];
  for (const [what, middleware, message] of cases) {
    it(`${what} fails the request with a message that names the middleware`, async () => {
      const { codes, execute, errors } = make([middleware], { handlers: { event: () => 1 } });
      execute('event');
      await turn();
      assert.deepEqual(codes(), ['HANDLER_ERROR']);
      assert.equal(errors.length, 1);
      assert.match(errors[0] ?? '', message);
    });
  }

  it('a middleware that does not return the result of next() keeps it, with its errors', async () => {
    const { replies, codes, execute } = make([(_data, _context, next) => void next()], {
      handlers: { works: async () => 'result', fails: () => Promise.reject(new ReplyError(409, 'NO', 'no')) },
    });
    execute('works');
    execute('fails');
    await turn();
    assert.deepEqual(codes().sort(), ['NO', 'ok']);
    assert.ok(replies.some((got) => got.code === '' && data(got) === 'result'));
  });

  it('next() after the answer does not run the handler, and is logged', async () => {
    let late: MiddlewareNext | undefined;
    let ran = false;
    const use: Middlewares = [
      (_data, _context, next) => {
        late = next;
        return 'answer';
      },
    ];
    const { replies, execute, errors } = make(use, {
      handlers: {
        event: () => {
          ran = true;
        },
      },
    });
    execute('event');
    await turn();
    await assert.rejects(async () => late?.(), /called next\(\) after it had ended/);
    assert.deepEqual([replies.map(data), ran, errors.length], [['answer'], false, 1]);
  });

  it('an error of a handler whose middleware has answered is logged', async () => {
    const { promise, reject } = withResolvers<never>();
    const { replies, execute, errors } = make(
      [
        (_data, _context, next) => {
          void next();
          return 'answer';
        },
      ],
      { handlers: { event: () => promise } },
    );
    execute('event');
    await turn();
    reject(new Error('too late'));
    await turn();
    assert.deepEqual([replies.map(data), errors], [['answer'], ['too late']]);
  });

  const function_ = (): null => null;
  for (const [use, message] of [
    [function_, /^use must be a list of functions, got function$/],
    [[function_, 'log'], /^use\[1\] must be a function, or \{ events, run \}, got string$/],
    [[null], /^use\[0\] must be a function, or \{ events, run \}, got null$/],
    [[{ events: 'event' }], /^use\[0\] must be a function, or \{ events, run \}, got object$/],
    [[{ events: [], run: function_ }], /^use\[0\]\.events must be a name of an event, or a list of names$/],
    [[{ run: function_ }], /^use\[0\]\.events must be/],
    [[{ events: [7], run: function_ }], /^use\[0\]\.events must be/],
    [[{ events: ['event', 'evnt'], run: function_ }], /^use\[0\]\.events: there is no handler for "evnt"$/],
  ] as [unknown, RegExp][]) {
    it(`rejects ${JSON.stringify(use) ?? 'a function'} when the node is created`, () => {
      assert.throws(
        () => withMiddlewares({ use: use as Middlewares, handlers: { event: function_ } }, silentLogger),
        { name: 'ZeroMQConfigError', message },
      );
    });
  }
});
