/**
 * Requests of a client and their replies, through a router and to a server, over every transport.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type HandlerContext,
  type Handlers,
  ReplyError,
  reply,
  type ZeroMQClient,
  ZeroMQClientError,
  ZeroMQTimeoutError,
} from '../../src/index.ts';
import { OWN_FRAME_BYTES } from '../../src/wire/limits.ts';
import type { Transport } from '../helpers/endpoints.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { briefTimeout } from '../helpers/patience.ts';
import { Scope } from '../helpers/scope.ts';
import { NESTED } from '../interop/values.ts';
import {
  ALL_TRANSPORTS,
  aborted,
  connectClient,
  startRouter,
  startServer,
  startWorker,
} from './framework.ts';

failOnLeftovers();

const MEGABYTE = 1024 * 1024;

const VALUES = [null, true, 0, -1.5e-7, '', 'ü ✓ \u2028 \0', [], {}, [[[]]], { '': { a: null } }, NESTED];

const handlers: Handlers = {
  echo: (data: unknown) => data,
  later: async (data: unknown) => data,
  created: () => reply(201, { id: 7 }, { Location: '/things/7' }),
  text: () => reply(200, 'plain', { 'content-type': 'text/plain' }),
  nothing: () => undefined,
  refused: () => {
    throw new ReplyError(409, 'TAKEN', 'it is taken', { details: { by: 'me' } });
  },
  broken: () => {
    throw new Error('secret');
  },
  unusable: () => ({ ids: new Set([1]) }),
  huge: () => 'x'.repeat(17 * MEGABYTE),
  zeros: ({ size }: { size: number }) => '0'.repeat(size),
  context: (_data: unknown, context: HandlerContext) => {
    const { eventName, requestId, traceparent, caller } = context;
    return { eventName, requestId, traceparent, caller, timeLeft: context.timeLeft() };
  },
  hang: async (_data: unknown, { signal }: HandlerContext) => {
    await aborted(signal);
    throw signal.reason;
  },
};

async function throughRouter(scope: Scope, transport: Transport): Promise<string> {
  const { frontend, backend } = await startRouter(scope, transport);
  await startWorker(scope, { connection: backend, handlers });
  return frontend;
}

async function toServer(scope: Scope, transport: Transport): Promise<string> {
  return (await startServer(scope, { handlers }, transport)).endpoint;
}

for (const transport of ALL_TRANSPORTS) {
  for (const [path, start] of [
    ['through a router', throughRouter],
    ['to a server', toServer],
  ] as const) {
    describe(`over ${transport}, ${path}`, () => {
      const scope = new Scope();
      let client: ZeroMQClient;

      before(async () => {
        client = await connectClient(scope, await start(scope, transport));
      });
      after(() => scope.close());

      it('request: any JSON value comes back unchanged', async () => {
        for (const value of VALUES)
          assert.deepEqual((await client.sendMessage('echo', value)).eventData, value);
      });

      it('request: its reply has event name, data, status and headers', async () => {
        assert.deepEqual(await client.sendMessage('created'), {
          eventName: 'created',
          eventData: { id: 7 },
          status: 201,
          headers: { location: '/things/7' },
        });
        assert.equal((await client.sendMessage('nothing')).eventData, null);
        assert.deepEqual((await client.sendMessage('text')).eventData, Buffer.from('plain'));
      });

      it('request: thousands are in flight at a time, and each gets its own reply', async () => {
        const numbers = Array.from({ length: 3000 }, (_, n) => n);
        const replies = await Promise.all(
          numbers.map((n) => client.sendMessage(n % 2 === 0 ? 'echo' : 'later', { n })),
        );
        assert.deepEqual(
          replies.map(({ eventData }) => eventData),
          numbers.map((n) => ({ n })),
        );
        assert.equal(client.inFlight, 0);
      });

      for (const size of [
        0,
        OWN_FRAME_BYTES - 3,
        OWN_FRAME_BYTES - 2,
        OWN_FRAME_BYTES,
        MEGABYTE,
        15 * MEGABYTE,
      ]) {
        it(`request: data of ${size} characters comes back unchanged`, async () => {
          const sent = 'ä'.repeat(size / 2);
          const { eventData } = await client.sendMessage('echo', sent);
          assert.ok(eventData === sent);
        });
      }

      it('request: small and large ones do not mix', async () => {
        const sizes = Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? 100_000 + n : n));
        const replies = await Promise.all(sizes.map((size) => client.sendMessage('zeros', { size })));
        assert.deepEqual(
          replies.map(({ eventData }) => String(eventData).length),
          sizes,
        );
      });

      it('request: an error of the handler arrives with all its fields', async () => {
        await assert.rejects(client.sendMessage('refused'), {
          constructor: ZeroMQClientError,
          code: 'TAKEN',
          status: 409,
          message: 'it is taken',
          details: { by: 'me' },
          dispatched: true,
          retryable: false,
        });
      });

      it('request: an unexpected error of the handler reveals no internals', async () => {
        await assert.rejects(client.sendMessage('broken'), (error: ZeroMQClientError) => {
          assert.deepEqual([error.code, error.status, error.dispatched], ['HANDLER_ERROR', 500, true]);
          assert.ok(!error.message.includes('secret'));
          return true;
        });
      });

      it('request: a result that cannot be sent becomes BAD_REPLY and affects no other request', async () => {
        const [unusable, huge, good] = await Promise.allSettled([
          client.sendMessage('unusable'),
          client.sendMessage('huge'),
          client.sendMessage('echo', 1),
        ]);
        for (const outcome of [unusable, huge]) {
          assert.equal(outcome.status, 'rejected');
          assert.equal((outcome.reason as ZeroMQClientError).code, 'BAD_REPLY');
        }
        assert.equal(good.status, 'fulfilled');
      });

      it('request: event data without a JSON form is rejected by the sender, with its location', async () => {
        for (const [data, message] of [
          [{ list: [new Map()] }, 'eventData: a value of the class Map has no JSON form (at /list/0)'],
          [Number.NaN, 'eventData: NaN has no JSON form'],
        ] as const) {
          await assert.rejects(client.sendMessage('echo', data), { code: 'INVALID_ARGUMENT', message });
        }
        assert.equal(client.inFlight, 0);
      });

      it('request: an event without a worker is rejected as not run', async () => {
        const code = path === 'to a server' ? 'NO_HANDLER' : 'NO_WORKER';
        await assert.rejects(client.sendMessage('unserved.event'), { code, dispatched: false });
      });

      it('request: events that start with $ are reserved', async () => {
        for (const name of ['$hello', '$', '$router.nothing']) {
          await assert.rejects(client.sendMessage(name), { dispatched: false });
        }
      });

      it('request: the handler gets caller and deadline', async () => {
        const extras = { traceparent: '00-a-b-01', caller: { id: 'me', scopes: ['x'] } };
        const { eventData } = await client.sendMessage<Record<string, unknown>>('context', null, {
          requestId: 'r-1',
          timeout: 3000,
          extras,
        });
        const { timeLeft, ...rest } = eventData;
        assert.deepEqual(rest, { eventName: 'context', requestId: 'r-1', ...extras });
        assert.ok(typeof timeLeft === 'number' && timeLeft > 0 && timeLeft < 3050, String(timeLeft));
      });

      it('request: its deadline passes in the handler, whose signal aborts, and the client continues', async () => {
        await assert.rejects(client.sendMessage('hang', null, { timeout: briefTimeout(60) }), {
          constructor: ZeroMQTimeoutError,
          code: 'TIMEOUT',
          dispatched: true,
          status: 504,
        });
        assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
      });

      for (const [what, send] of [
        ['an empty name', () => client.sendMessage('')],
        ['a name that is too long', () => client.sendMessage('x'.repeat(1025))],
        ['a name that is not a string', () => client.sendMessage(5 as unknown as string)],
        ['data without a JSON form', () => client.sendMessage('echo', () => 1)],
        ['data above the limit', () => client.sendMessage('echo', 'x'.repeat(16 * MEGABYTE))],
        ['a request id with spaces', () => client.sendMessage('echo', 1, { requestId: 'a b' })],
        ['a timeout of 0', () => client.sendMessage('echo', 1, { timeout: 0 })],
        ['an infinite timeout', () => client.sendMessage('echo', 1, { timeout: Infinity })],
        [
          'extras above the limit',
          () => client.sendMessage('echo', 1, { extras: { key: 'x'.repeat(70_000) } }),
        ],
      ] as const) {
        it(`request: ${what} is rejected before it is sent`, async () => {
          await assert.rejects(send(), { code: 'INVALID_ARGUMENT' });
        });
      }
    });
  }
}
