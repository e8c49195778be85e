/** Which events workers with CURVE keys may call. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AllowListEntry, curveKeyPair, type HandlerContext, type ZeroMQError } from '../../src/index.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { ADMIN, CLIENT, keysOf, startGuarded, WORKER } from './curve-nodes.ts';
import { makeClient, startWorker } from './framework.ts';

const OUTER = curveKeyPair();

const outerEntry = (calls?: readonly string[]): AllowListEntry => ({
  name: 'orders',
  publicKey: OUTER.publicKey,
  role: 'worker',
  serves: ['outer'],
  ...(calls && { calls }),
});

const peers = (calls?: readonly string[]): AllowListEntry[] => [
  { name: 'gateway', publicKey: CLIENT.publicKey, role: 'client', calls: ['outer'] },
  { name: 'stock', publicKey: WORKER.publicKey, role: 'worker', serves: ['stock.*'] },
  { name: 'operator', publicKey: ADMIN.publicKey, role: 'admin' },
  outerEntry(calls),
];

const outcome = async (event: string, { call }: HandlerContext): Promise<unknown> => {
  const error = await call(event).catch((thrown: ZeroMQError) => thrown);
  if (!(error instanceof Error)) return error;
  const { code, status, dispatched, message } = error as ZeroMQError;
  return { code, status, dispatched, message };
};

async function scene(scope: Scope, calls?: readonly string[], keys = OUTER) {
  const { frontend, backend, list } = await startGuarded(scope, peers(calls));
  await startWorker(scope, {
    connection: backend,
    curve: keysOf(WORKER),
    handlers: { 'stock.count': () => 3 },
  });
  await startWorker(scope, { connection: backend, curve: keysOf(keys), handlers: { outer: outcome } });
  const client = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
  return { client, list };
}

const refused = {
  code: 'NOT_PERMITTED',
  status: 403,
  dispatched: false,
  message:
    'the key of orders does not allow calling "stock.count": `calls` of its allow list entry does not match the event',
};

describe('permissions of calls', () => {
  it('worker whose entry has no calls: NOT_PERMITTED, and the request does not reach a worker', async (t) => {
    const { client } = await scene(scopeOf(t));
    assert.deepEqual((await client.sendMessage('outer', 'stock.count')).eventData, refused);
  });

  it('worker whose entry has calls: may call these events and no others', async (t) => {
    const { client } = await scene(scopeOf(t), ['stock.*']);
    assert.equal((await client.sendMessage('outer', 'stock.count')).eventData, 3);
    const { eventData } = await client.sendMessage<{ code: string }>('outer', 'outer');
    assert.equal(eventData.code, 'NOT_PERMITTED');
  });

  it('allow list that changes: applies to the next call', async (t) => {
    const { client, list } = await scene(scopeOf(t), ['stock.count']);
    assert.equal((await client.sendMessage('outer', 'stock.count')).eventData, 3);
    list.replace({ peers: peers() });
    assert.deepEqual((await client.sendMessage('outer', 'stock.count')).eventData, refused);
    list.replace({ peers: peers(['stock.count']) });
    assert.equal((await client.sendMessage('outer', 'stock.count')).eventData, 3);
  });

  it('worker with an admin key: may call every event, but none of the router itself', async (t) => {
    const { client } = await scene(scopeOf(t), undefined, ADMIN);
    assert.equal((await client.sendMessage('outer', 'stock.count')).eventData, 3);
    const { eventData } = await client.sendMessage<{ code: string }>('outer', '$router.info');
    assert.equal(eventData.code, 'INVALID_ARGUMENT');
  });
});
