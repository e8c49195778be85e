// test:all: 10 s; gateway-hooks.test.ts represents it
/** Hooks of the gateway that fail or do not end, clients that disconnect meanwhile, and shutdown. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { describe, it } from 'node:test';
import { withResolvers } from '../../src/core/collections/deferred.ts';
import { diagnostics } from '../../src/core/observability/diagnostics.ts';
import type { GatewayHooks } from '../../src/gateway/index.ts';
import { ReplyError } from '../../src/index.ts';
import { within } from '../helpers/eventually.ts';
import { HOSTS, ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { published } from '../helpers/published.ts';
import { startHooked } from './hooks-api.ts';

const fail = (): never => {
  throw new Error('secret detail');
};
const never = (): Promise<undefined> => new Promise(() => undefined);

for (const [name, host] of HOSTS) {
  describe(`failing hooks on ${name}`, () => {
    for (const hook of ['onRequest', 'onEvent', 'onReply'] as const) {
      for (const [kind, run] of [
        ['throws', fail],
        ['rejects', async () => fail()],
        ['returns no answer', () => 7 as never],
        ['returns what JSON cannot represent', () => ({ data: new Map() })],
        ['returns an invalid status', () => ({ status: 99 })],
      ] as const) {
        it(`failing hooks on ${name}: ${hook} that ${kind} gives a problem and a line in the log`, async (t) => {
          const { url, failures, gateway } = await startHooked(t, host, { [hook]: run });
          const response = await fetch(`${url}/short`);
          const problem = await problemOf(response);
          const code = kind === 'returns an invalid status' ? 'BAD_REPLY' : 'HOOK_ERROR';
          assert.deepEqual(
            [problem.code, problem.dispatched],
            [code, code === 'BAD_REPLY' || hook === 'onReply'],
          );
          assert.ok(!JSON.stringify(problem).includes('secret'));
          assert.equal(failures.length, 1);
          if (code === 'HOOK_ERROR') {
            assert.deepEqual([failures[0]?.hook, failures[0]?.requestId], [hook, problem.requestId]);
          }
          assert.equal((await fetch(`${url}/livez`)).status, 200);
          assert.equal(gateway.inFlight, 0);
        });
      }

      it(`failing hooks on ${name}: ${hook} that never ends fails after the request timeout`, async (t) => {
        const { url, failures } = await startHooked(t, host, { [hook]: never });
        assert.equal((await problemOf(await fetch(`${url}/short`))).code, 'HOOK_ERROR');
        assert.equal(failures[0]?.message, `${hook} did not end within 60 ms`);
      });
    }

    for (const [kind, onProblem] of [
      ['throws', fail],
      ['never ends', never],
      ['sets an invalid status', (problem) => void (problem.status = 200)],
      ['sets an invalid code', (problem) => void (problem.code = 'NOT VALID')],
      ['sets an invalid header', (problem) => void (problem.headers['x-a'] = 'a\r\nb: c')],
      ['sets details without a JSON form', (problem) => void (problem.details = new Map())],
    ] as [string, NonNullable<GatewayHooks['onProblem']>][]) {
      it(`failing hooks on ${name}: onProblem that ${kind} leaves the problem`, async (t) => {
        const onRequest = (): never => {
          throw new ReplyError(403, 'FIRST', 'the first error');
        };
        const { url, failures } = await startHooked(t, host, { onRequest, onProblem }, { timeout: 60 });
        for (const [path, code] of [
          ['/short', 'FIRST'],
          ['/nothing', 'NOT_FOUND'],
        ] as const) {
          assert.equal((await problemOf(await fetch(url + path))).code, code);
        }
        assert.deepEqual(
          failures.map(({ hook }) => hook),
          ['onProblem', 'onProblem'],
        );
      });
    }

    it(`failing hooks on ${name}: onProblem may throw another error for the caller`, async (t) => {
      const { url, failures } = await startHooked(t, host, {
        onProblem: ({ code }) => {
          throw new ReplyError(400, `NOT_${code}`, 'another');
        },
      });
      for (const [path, code] of [
        ['/secret', 'NOT_UNAUTHENTICATED'],
        ['/nothing', 'NOT_NOT_FOUND'],
      ] as const) {
        const problem = await problemOf(await fetch(url + path));
        assert.deepEqual([problem.status, problem.code], [400, code]);
      }
      assert.deepEqual(failures, []);
    });

    it(`failing hooks on ${name}: onEvent that sets an invalid name or timeout is at fault`, async (t) => {
      const bad: object[] = [{ name: '$router.stats' }, { name: '' }, { timeout: 0 }, { data: new Map() }];
      for (const change of bad) {
        const { url, failures, requester } = await startHooked(t, host, {
          onEvent: (event) => void Object.assign(event, change),
        });
        assert.equal((await problemOf(await fetch(`${url}/short`))).code, 'HOOK_ERROR');
        assert.deepEqual([failures.length, requester.requests.length], [1, 0]);
      }
    });
  });

  describe(`clients that disconnect from hooks on ${name}`, () => {
    for (const hook of ['onRequest', 'onEvent', 'onReply', 'onProblem'] as const) {
      it(`clients that disconnect from hooks on ${name}: the signal of ${hook} aborts, and 499 is reported`, async (t) => {
        const entered = withResolvers<void>();
        const aborted = withResolvers<void>();
        const { url, port, gateway, requester } = await startHooked(t, host, {
          [hook]: (...args: { signal: AbortSignal }[]) => {
            args.at(-1)?.signal.addEventListener('abort', () => aborted.resolve());
            entered.resolve();
            return aborted.promise;
          },
        });
        const answered = published(diagnostics.httpAnswered);
        const path =
          new URL(url).pathname.replace(/\/$/, '') + (hook === 'onProblem' ? '/secret' : '/things/1');
        const socket = createConnection(port, '127.0.0.1');
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
        await within(entered.promise, hook);
        socket.destroy();
        await within(aborted.promise, 'the signal to abort');
        const { status, code } = await answered;
        assert.deepEqual([status, code], [499, 'CANCELLED']);
        assert.equal(gateway.inFlight, 0);
        assert.equal(requester.requests.length, hook === 'onReply' ? 1 : 0);
      });
    }
  });
}

describe('shutdown with hooks', () => {
  for (const hook of ['onRequest', 'onReply', 'onProblem'] as const) {
    it(`answers a request that waits for ${hook} at the deadline`, async (t) => {
      const entered = withResolvers<void>();
      const { url, gateway } = await startHooked(t, ownServer, {
        [hook]: () => {
          entered.resolve();
          return never();
        },
      });
      const response = fetch(url + (hook === 'onProblem' ? '/secret' : '/things/1'));
      await entered.promise;
      const closed = gateway.close({ deadline: 20 });
      const codes = { onRequest: 'SHUTTING_DOWN', onReply: 'WORKER_LOST', onProblem: 'UNAUTHENTICATED' };
      assert.equal((await problemOf(await response)).code, codes[hook]);
      await closed;
      assert.equal(gateway.inFlight, 0);
    });
  }

  it('drains a request whose hook ends in time', async (t) => {
    const entered = withResolvers<void>();
    const { promise, resolve } = withResolvers<undefined>();
    const { url, gateway } = await startHooked(t, ownServer, {
      onReply: () => {
        entered.resolve();
        return promise;
      },
    });
    const response = fetch(`${url}/things/1`);
    await entered.promise;
    const closed = gateway.close();
    resolve(undefined);
    assert.equal((await response).status, 200);
    await closed;
  });

  it('requests of one connection keep their order although hooks end in another one', async (t) => {
    const first = withResolvers<undefined>();
    const { port } = await startHooked(t, ownServer, {
      onReply: ({ data }) => {
        const { id } = data as { id: string };
        if (id === '1') return first.promise;
        first.resolve(undefined);
        return undefined;
      },
    });
    const socket = createConnection(port, '127.0.0.1');
    t.after(() => socket.destroy());
    const get = (id: number, more = ''): string => `GET /things/${id} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
    socket.end(get(1) + get(2, 'Connection: close\r\n'));
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    await within(once(socket, 'close'), 'the end of the connection');
    assert.deepEqual(
      [...text.matchAll(/\{"id":"(\d)"\}/g)].map(([, id]) => id),
      ['1', '2'],
    );
  });
});
