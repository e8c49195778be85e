/** What HTTP callers see of the calls that handlers make. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type HandlerContext, ReplyError } from '../../src/index.ts';
import { apiOf } from '../helpers/gateway/api.ts';
import { ownServer } from '../helpers/gateway/hosts.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter, startWorker } from './framework.ts';

const api = () =>
  apiOf({
    '/plain': { get: { 'x-event-name': 'plain' } },
    '/rethrown': { get: { 'x-event-name': 'rethrown' } },
    '/endless': { get: { 'x-event-name': 'endless' } },
  });

async function scene(scope: Scope): Promise<(path: string) => Promise<Record<string, unknown>>> {
  const { frontend, backend } = await startRouter(scope);
  await startWorker(scope, {
    connection: backend,
    concurrency: 1,
    handlers: {
      stock: () => {
        throw new ReplyError(409, 'OUT_OF_STOCK', 'no nuts are left', { details: { left: 0 } });
      },
      plain: (_: unknown, { call }: HandlerContext) => call('stock'),
      rethrown: async (_: unknown, { call }: HandlerContext) => {
        try {
          return await call('stock');
        } catch (error) {
          throw ReplyError.from(error);
        }
      },
      endless: async (_: unknown, { call }: HandlerContext) => {
        throw ReplyError.from(await call('endless').catch((error: unknown) => error));
      },
    },
  });
  const client = await connectClient(scope, frontend);
  const { url } = await ownServer(scope, { requester: client, api: api() });
  return async (path) => {
    const response = await fetch(url + path);
    const { code, detail, details, dispatched } = (await response.json()) as Record<string, unknown>;
    return { status: response.status, code, detail, details, dispatched };
  };
}

it('HTTP: a failed call that the handler does not catch is HANDLER_ERROR without detail', async (t) => {
  const get = await scene(scopeOf(t));
  const { status, code, detail, details } = await get('/plain');
  assert.deepEqual([status, code, details], [500, 'HANDLER_ERROR', undefined]);
  assert.doesNotMatch(String(detail), /nuts|stock/i);
});

it('HTTP: a failed call that the handler passes on has the status, code and details of the callee', async (t) => {
  const get = await scene(scopeOf(t));
  assert.deepEqual(await get('/rethrown'), {
    status: 409,
    code: 'OUT_OF_STOCK',
    detail: 'no nuts are left',
    details: { left: 0 },
    dispatched: true,
  });
});

it('HTTP: handlers that call each other without end are answered with 508', async (t) => {
  const get = await scene(scopeOf(t));
  const { status, code, dispatched } = await get('/endless');
  assert.deepEqual([status, code, dispatched], [508, 'LOOP', true]);
});
