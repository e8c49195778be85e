/** The SQLite store in its thread. The conformance suite tests the store itself, without a thread. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import type { NewRequest } from '../../../../src/store/model/request.ts';
import { DEFAULT_LIMITS, type RequestStore } from '../../../../src/store/model/store.ts';
import { openSqliteThread } from '../../../../src/store/sqlite/sqlite-thread.ts';
import { within } from '../../../helpers/eventually.ts';
import { failOnLeftovers } from '../../../helpers/leftovers.ts';
import { tempFolder } from '../../../helpers/temp.ts';

const MAIN = new URL('../../../../dist/store/sqlite/thread-main.js', import.meta.url);

// The process keeps sockets of libsql from its first use on.
failOnLeftovers(async () => (await openSqliteThread(':memory:', DEFAULT_LIMITS, MAIN)).close());

async function open(t: TestContext, file = join(tempFolder(t), 'store.db')): Promise<RequestStore> {
  const store = await openSqliteThread(file, DEFAULT_LIMITS, MAIN);
  t.after(() => store.close());
  return store;
}

const requestOf = (changes: Partial<NewRequest> = {}): NewRequest => ({
  id: randomUUID(),
  caller: 'ann',
  event: 'e',
  key: undefined,
  fingerprint: Buffer.from('fingerprint'),
  state: 'accepted',
  idempotent: false,
  // A slice of memory that other Buffers share.
  data: Buffer.from('a{"a":1}').subarray(1),
  metadata: Buffer.from('{}'),
  timeout: 1000,
  retention: 60_000,
  owner: 'g',
  lease: 60_000,
  ...changes,
});

it('SQLite thread: everything passes in both directions, and changes are reported', async (t) => {
  const store = await open(t);
  const changes: [string, boolean][] = [];
  const unwatch = store.watch((id, mayBeCancelled) => changes.push([id, mayBeCancelled]));
  const creation = await store.create(requestOf({ id: 'one', key: 'k' }));
  assert.ok(creation.outcome === 'created');
  assert.ok(creation.request.fingerprint.equals(Buffer.from('fingerprint')));
  const { hold } = creation;
  assert.deepEqual(await store.create(requestOf({ key: 'k' })), {
    outcome: 'existing',
    request: creation.request,
  });
  assert.equal(await store.start(hold), true);
  assert.equal(await store.progress(hold, '{"done":1}'), true);
  assert.equal(await store.cancel('one', 'ann'), 'requested');
  assert.deepEqual(await store.renew([hold], 0), { lost: [], cancelRequested: ['one'] });
  const [claimed] = await store.claim('h', 1000, 10);
  assert.deepEqual([String(claimed?.data), String(claimed?.metadata)], ['{"a":1}', '{}']);
  assert.ok(claimed);
  await store.release([claimed.hold]);
  const result = { status: 200, headers: ['A', 'b'], body: Buffer.from('xé').subarray(1) };
  assert.equal(await store.finish(claimed.hold, { state: 'succeeded', code: '', result }), true);
  assert.deepEqual(await store.result('one'), result);
  assert.equal(await store.result('two'), undefined);
  assert.deepEqual(
    (await store.list({ limit: 10 })).map(({ id, progress }) => [id, progress]),
    [['one', '{"done":1}']],
  );
  assert.equal((await store.get('one', 'bob'))?.id, undefined);
  assert.equal((await store.statistics()).states.succeeded, 1);
  assert.equal(await store.expire(10), 0);
  assert.deepEqual(changes[0], ['one', false]);
  assert.deepEqual(
    changes.filter(([, mayBeCancelled]) => mayBeCancelled),
    [['one', true]],
  );
  unwatch();
});

it('SQLite thread: close completes what was called before, and rejects what follows', async (t) => {
  const file = join(tempFolder(t), 'store.db');
  const store = await open(t, file);
  const created = Promise.all(Array.from({ length: 20 }, () => store.create(requestOf())));
  const closed = store.close();
  await assert.rejects(store.create(requestOf()), { code: 'STORE_UNAVAILABLE' });
  assert.equal((await created).length, 20);
  await closed;
  assert.equal((await (await open(t, file)).statistics()).states.accepted, 20);
});

it('SQLite thread: a file in use is named, and a thread that has ended starts again with check', async (t) => {
  const file = join(tempFolder(t), 'store.db');
  const store = await open(t, file);
  await assert.rejects(openSqliteThread(file, DEFAULT_LIMITS, MAIN), {
    name: 'ZeroMQConfigError',
    message: `store sqlite:${file}: cannot open the file: another process uses it; give each gateway a file of its own, or use PostgreSQL`,
  });
  await store.create(requestOf({ id: 'kept' }));
  const { calls } = store as unknown as { calls: { thread: Worker } };
  const lost = store.claim('g', 1, 1);
  await calls.thread.terminate();
  await assert.rejects(within(lost, 'the failure'), { code: 'STORE_UNAVAILABLE', status: 503 });
  await assert.rejects(store.get('kept'), /its thread has ended/);
  await store.check(false);
  assert.equal((await store.get('kept'))?.state, 'accepted');
});
