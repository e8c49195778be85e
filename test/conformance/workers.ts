/** What a worker process in any language must do behind a router and a gateway. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type ZeroMQClient,
  ZeroMQHeartbeatConfig,
  ZeroMQRouter,
  type ZeroMQRouterOptions,
} from '../../src/index.ts';
import { startNode, urlIn } from '../helpers/command.ts';
import { briefTimeout, PATIENCE } from '../helpers/patience.ts';
import type { RunningProcess } from '../helpers/processes.ts';
import { rawDealer } from '../helpers/raw.ts';
import { Scope, scopeOf } from '../helpers/scope.ts';
import { CLIENT, keysOf, startGuarded, WORKER } from '../integration/curve-nodes.ts';
import { connectClient, makeClient, nextEvent, startRouter } from '../integration/framework.ts';

/** How the suite starts a worker process; the arguments are those of `zeromq-gateway worker`. */
export type StartWorker = (scope: Scope, args: readonly string[]) => RunningProcess;

interface Setup {
  readonly router: ZeroMQRouter;
  readonly frontend: string;
  readonly backend: string;
  readonly client: ZeroMQClient;
  readonly worker: RunningProcess;
}

const HEARTBEATS = new ZeroMQHeartbeatConfig('tcp://127.0.0.1:0');

export function workerConformance(
  language: string,
  start: StartWorker,
  curveFiles: (scope: Scope) => { readonly serverKey: string; readonly file: string },
  options: { readonly skip?: string | false } = {},
): void {
  /** A worker that has joined a router of its own. */
  const setUp = async (scope: Scope, routerOptions: Partial<ZeroMQRouterOptions> = {}): Promise<Setup> => {
    const started = await startRouter(scope, 'tcp', routerOptions);
    const { router, frontend, backend, heartbeat } = started;
    const joined = nextEvent(router, 'workerJoined');
    const beats = heartbeat === undefined ? [] : ['--heartbeat', heartbeat];
    const worker = start(scope, ['--router', backend, ...beats]);
    const [, details] = (await joined) as [string, { classic: boolean; events: readonly string[] }];
    assert.equal(details.classic, false);
    assert.deepEqual([...details.events].sort(), [
      'fail.now',
      'fail.reply',
      'item.get',
      'math.add',
      'request.describe',
      'wait.until',
    ]);
    return { router, frontend, backend, worker, client: await connectClient(scope, frontend) };
  };

  describe(`a worker in ${language}`, options, () => {
    const scope = new Scope();
    let setup: Setup;
    let url: string;

    before(async () => {
      setup = await setUp(scope);
      const args = ['gateway', '--router', setup.frontend, '--port', '0'];
      url = urlIn((await startNode(scope, args)).line);
    });
    after(() => scope.close());

    const add = (body: unknown): Promise<Response> =>
      fetch(`${url}/sums`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });

    it('announces its routes and their documentation', async () => {
      const until = Date.now() + PATIENCE;
      let paths: Record<string, Record<string, { summary?: string }>> = {};
      while (paths['/sums'] === undefined && Date.now() < until) {
        ({ paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: typeof paths });
      }
      assert.deepEqual(Object.keys(paths).sort(), ['/items/{id}', '/sums']);
      assert.equal(paths['/sums']?.['post']?.summary, 'Add two numbers');
      const response = await add({ a: 1, b: 2.5 });
      assert.deepEqual([response.status, await response.json()], [200, { sum: 3.5 }]);
    });

    it('receives path parameters as their types, and sets status and headers', async () => {
      const response = await fetch(`${url}/items/7`);
      assert.deepEqual([response.status, await response.json()], [201, { id: 7 }]);
      assert.equal(response.headers.get('location'), '/items/7');
    });

    it('is protected by its schema at the gateway, and by itself from event clients', async () => {
      for (const body of [{ a: 'x', b: 1 }, { a: -1, b: 1 }, { a: 1 }, { a: 1, b: 1, c: 1 }]) {
        const response = await add(body);
        assert.equal(response.status, 400, JSON.stringify(body));
        assert.equal(((await response.json()) as { code: string }).code, 'INVALID_REQUEST');
        await assert.rejects(setup.client.sendMessage('math.add', body), (error: unknown) => {
          const { code, status, details } = error as {
            code: string;
            status: number;
            details: { errors: { pointer: string; message: string }[] };
          };
          assert.deepEqual([code, status], ['INVALID_REQUEST', 400]);
          const [fault] = details.errors;
          assert.match(fault?.pointer ?? '', /^\/[abc]$/);
          assert.notEqual(fault?.message ?? '', '');
          return true;
        });
      }
    });

    it('answers with its own errors', async () => {
      const response = await fetch(`${url}/items/0`);
      const problem = (await response.json()) as { code: string; detail: string };
      assert.deepEqual(
        [response.status, problem.code, problem.detail, response.headers.get('x-item')],
        [404, 'ITEM_NOT_FOUND', 'there is no item 0', '0'],
      );
      const details = { id: 0 };
      await assert.rejects(setup.client.sendMessage('item.get', { id: 0 }), {
        code: 'ITEM_NOT_FOUND',
        status: 404,
        details,
      });
    });

    it('answers a failure of a handler without its text, an unsendable reply, and continues', async () => {
      const { client } = setup;
      await assert.rejects(client.sendMessage('fail.now'), (error: unknown) => {
        const { code, message } = error as { code: string; message: string };
        assert.equal(code, 'HANDLER_ERROR');
        assert.doesNotMatch(message, /secret/);
        return true;
      });
      await assert.rejects(client.sendMessage('fail.reply'), { code: 'BAD_REPLY' });
      assert.deepEqual((await client.sendMessage('math.add', { a: 1, b: 1 })).eventData, { sum: 2 });
    });

    it('rejects event data that is not JSON', async () => {
      const dealer = rawDealer(scope, setup.frontend);
      for (const text of ['{"broken', 'NaN', '']) {
        await dealer.send(['', 'request.describe', text]);
        const [, , body] = await dealer.receive();
        const { error } = JSON.parse(String(body)) as { error: { code: string } };
        assert.equal(error.code, 'MALFORMED_MESSAGE', text);
      }
    });

    it('receives only its events, with any JSON, the request id and the deadline', async () => {
      const { client } = setup;
      await assert.rejects(client.sendMessage('other.event'), { code: 'NO_WORKER' });
      const data = { text: 'é\u{1f600}', list: [1, null, true, { a: -0.5 }], large: 9007199254740991 };
      const reply = await client.sendMessage('request.describe', data, { requestId: 'r-7' });
      assert.deepEqual(reply.eventData, { data, id: 'r-7', limited: true });
    });

    it('gives up when the caller cancels, and at the deadline', async () => {
      const { client, worker } = setup;
      const from = worker.lines.length;
      const abort = new AbortController();
      const cancelled = assert.rejects(
        client.sendMessage('wait.until', 30, { signal: abort.signal, timeout: PATIENCE }),
        {
          code: 'CANCELLED',
        },
      );
      await worker.waitForLine(/^started$/, PATIENCE, from);
      abort.abort();
      await worker.waitForLine(/^given up: cancelled$/, PATIENCE, from);
      await cancelled;
      await assert.rejects(client.sendMessage('wait.until', 30, { timeout: briefTimeout(300) }), {
        code: 'TIMEOUT',
      });
      await worker.waitForLine(/^given up: at the deadline$/, PATIENCE, from);
    });

    it('finishes what it holds on SIGTERM, and exits with code 0', async () => {
      const { client, worker, router } = setup;
      const from = worker.lines.length;
      const held = client.sendMessage('wait.until', 0.5);
      await worker.waitForLine(/^started$/, PATIENCE, from);
      const left = nextEvent(router, 'workerLeft');
      worker.kill('SIGTERM');
      assert.equal((await held).eventData, 0.5);
      assert.deepEqual(await worker.exited, { code: 0, signal: null });
      assert.equal((await left)[1], 'goodbye');
    });
  });

  describe(`a worker in ${language} and its router`, options, () => {
    it('heartbeats: the router hears the worker under its identity', async (t) => {
      const scope = scopeOf(t);
      const { router, backend, heartbeat } = await startRouter(scope, 'tcp', { heartbeatConfig: HEARTBEATS });
      const joined = nextEvent(router, 'workerJoined');
      const beating = nextEvent(router, 'peerConnected');
      start(scope, ['--router', backend, '--heartbeat', String(heartbeat)]);
      assert.deepEqual((await joined)[0], (await beating)[0]);
    });

    it('loss: requests of a killed worker end, and idempotent ones go to another worker', async (t) => {
      const scope = scopeOf(t);
      const { router, backend, client, worker } = await setUp(scope);
      const lost = assert.rejects(client.sendMessage('wait.until', 600, { timeout: 2 * PATIENCE }), {
        code: 'WORKER_LOST',
      });
      const again = client.sendMessage('wait.until', 2, { idempotent: true, timeout: 2 * PATIENCE });
      await worker.waitForLine(() => worker.lines.filter((line) => line === 'started').length === 2);
      const joined = nextEvent(router, 'workerJoined');
      start(scope, ['--router', backend]);
      await joined;
      worker.kill('SIGKILL');
      await lost;
      assert.equal((await again).eventData, 2);
    });

    it('reconnection: joins the next router at the same address', async (t) => {
      const scope = scopeOf(t);
      const { router, backend, worker } = await setUp(scope);
      await router.stop({ deadline: 100 });
      const next = new ZeroMQRouter({
        frontendConnection: 'tcp://127.0.0.1:0',
        backendConnection: backend,
        limits: { startupGrace: 0 },
      });
      scope.after(() => next.stop({ deadline: 100 }));
      const joined = nextEvent(next, 'workerJoined');
      const { frontend } = await next.start();
      await joined;
      const client = await connectClient(scope, frontend);
      assert.deepEqual((await client.sendMessage('math.add', { a: 1, b: 1 })).eventData, { sum: 2 });
      worker.kill('SIGTERM');
      assert.equal((await worker.exited).code, 0);
    });

    it('CURVE: joins with its keys', async (t) => {
      const scope = scopeOf(t);
      const { router, frontend, backend } = await startGuarded(scope, [
        { name: 'client', publicKey: CLIENT.publicKey, role: 'client', calls: ['*'] },
        { name: 'worker', publicKey: WORKER.publicKey, role: 'worker', serves: ['*'], paths: ['/'] },
      ]);
      const joined = nextEvent(router, 'workerJoined');
      const { serverKey, file } = curveFiles(scope);
      start(scope, ['--router', backend, `--curve-server-key=${serverKey}`, '--curve-key', file]);
      await joined;
      const client = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
      assert.deepEqual((await client.sendMessage('math.add', { a: 1, b: 1 })).eventData, { sum: 2 });
    });
  });
}
