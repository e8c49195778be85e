/**
 * Requirements of every store. Leases and retentions of 0 ms end at once, so that no test waits.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import type { Hold, NewRequest, StoredRequest } from '../../src/store/model/request.ts';
import { isTransition, REQUEST_STATES, type RequestState } from '../../src/store/model/states.ts';
import type { RequestStore, StoreLimits } from '../../src/store/model/store.ts';
import { within } from '../helpers/eventually.ts';

/** How a suite gets its stores. */
export interface StoreUnderTest {
  /** Opens a store in an empty database, and closes it with the test. */
  readonly open: (t: TestContext, limits?: Partial<StoreLimits>) => Promise<RequestStore>;
  /** Closes the store, and opens the same database again. */
  readonly reopen: (t: TestContext, store: RequestStore) => Promise<RequestStore>;
}

export interface StoreSuiteOptions {
  readonly skip?: string | false;
}

const MINUTE = 60_000;

function request(changes: Partial<NewRequest> = {}): NewRequest {
  return {
    id: randomUUID(),
    caller: 'ann',
    event: 'reports.make',
    fingerprint: Buffer.from('fingerprint'),
    state: 'accepted',
    idempotent: false,
    data: Buffer.from('{"a":1}'),
    metadata: Buffer.alloc(0),
    timeout: 1000,
    retention: MINUTE,
    owner: 'gateway-1',
    lease: MINUTE,
    ...changes,
  };
}

async function created(store: RequestStore, changes: Partial<NewRequest> = {}): Promise<Hold> {
  const creation = await store.create(request(changes));
  assert.equal(creation.outcome, 'created');
  return (creation as { hold: Hold }).hold;
}

const RESULT = {
  status: 201,
  headers: ['Content-Type', 'text/plain', 'X-A', 'é'],
  body: Buffer.from([0, 255, 10]),
};
const DONE = { state: 'succeeded', code: '', result: RESULT } as const;

async function stateOf(store: RequestStore, id: string): Promise<RequestState | undefined> {
  return (await store.get(id))?.state;
}

export function storeConformance(name: string, under: StoreUnderTest, options: StoreSuiteOptions = {}): void {
  describe(`store ${name}`, { skip: options.skip ?? false }, () => {
    contents(name, under);
    keys(name, under);
    transitions(name, under);
    leases(name, under);
    bounds(name, under);
    lists(name, under);
    lifecycle(name, under);
  });
}

function contents(name: string, { open }: StoreUnderTest): void {
  it(`store ${name}: keeps everything about a request`, async (t) => {
    const store = await open(t);
    const before = Date.now() - MINUTE;
    const { id } = await created(store, { key: 'k1', idempotent: true });
    const stored = (await store.get(id)) as StoredRequest;
    const { createdAt, ...rest } = stored;
    assert.ok(createdAt > before);
    assert.deepEqual(rest, {
      id,
      caller: 'ann',
      event: 'reports.make',
      key: 'k1',
      fingerprint: Buffer.from('fingerprint'),
      state: 'accepted',
      idempotent: true,
      cancelRequested: false,
      attempt: 1,
      startedAt: undefined,
      finishedAt: undefined,
      expiresAt: undefined,
      progress: undefined,
      status: undefined,
      code: undefined,
    });
  });

  it(`store ${name}: keeps status, headers and bytes of a result`, async (t) => {
    const store = await open(t);
    const hold = await created(store, { state: 'running' });
    assert.equal(await store.result(hold.id), undefined);
    assert.equal(await store.finish(hold, DONE), true);
    assert.deepEqual(await store.result(hold.id), RESULT);
    const stored = (await store.get(hold.id)) as StoredRequest;
    assert.equal(stored.state, 'succeeded');
    assert.equal(stored.status, 201);
    assert.equal(stored.code, '');
    assert.equal((stored.expiresAt ?? 0) - (stored.finishedAt ?? 0), MINUTE);
  });

  it(`store ${name}: keeps an empty result, and the failure without a result`, async (t) => {
    const store = await open(t);
    const empty = await created(store, { state: 'running' });
    const result = { status: 204, headers: [], body: Buffer.alloc(0) };
    await store.finish(empty, { state: 'succeeded', code: '', result });
    assert.deepEqual(await store.result(empty.id), result);
    const lost = await created(store, { state: 'running' });
    await store.finish(lost, { state: 'unknown', code: 'WORKER_LOST' });
    assert.equal(await store.result(lost.id), undefined);
    assert.equal((await store.get(lost.id))?.code, 'WORKER_LOST');
  });

  it(`store ${name}: shows a request only to its caller`, async (t) => {
    const store = await open(t);
    const hold = await created(store, { state: 'running' });
    await store.finish(hold, DONE);
    assert.equal(await store.get(hold.id, 'bob'), undefined);
    assert.equal(await store.result(hold.id, 'bob'), undefined);
    assert.equal(await store.cancel(hold.id, 'bob'), 'missing');
    assert.equal((await store.get(hold.id, 'ann'))?.id, hold.id);
    assert.deepEqual(await store.result(hold.id, 'ann'), RESULT);
  });

  it(`store ${name}: keeps the last progress until the request ends`, async (t) => {
    const store = await open(t);
    const hold = await created(store, { state: 'running' });
    assert.equal(await store.progress(hold, '{"done":1}'), true);
    assert.equal(await store.progress(hold, '{"done":2}'), true);
    assert.equal((await store.get(hold.id))?.progress, '{"done":2}');
    await store.finish(hold, DONE);
    assert.equal(await store.progress(hold, '{"done":3}'), false);
    assert.equal((await store.get(hold.id))?.progress, '{"done":2}');
  });
}

function keys(name: string, { open }: StoreUnderTest): void {
  it(`store ${name}: finds the former request of a key, whatever its data were`, async (t) => {
    const store = await open(t);
    const { id } = await created(store, { key: 'k' });
    const again = await store.create(request({ key: 'k', fingerprint: Buffer.from('other') }));
    assert.equal(again.outcome, 'existing');
    assert.deepEqual((again as { request: StoredRequest }).request, await store.get(id));
  });

  it(`store ${name}: keeps keys of other callers and events apart, and requests without keys`, async (t) => {
    const store = await open(t);
    await created(store, { key: 'k' });
    await created(store, { key: 'k', caller: 'bob' });
    await created(store, { key: 'k', event: 'reports.other' });
    await created(store, { key: 'K' });
    await created(store);
    await created(store);
  });

  it(`store ${name}: creates one of many concurrent requests with the same key`, async (t) => {
    const store = await open(t);
    const all = await Promise.all(Array.from({ length: 20 }, () => store.create(request({ key: 'k' }))));
    assert.equal(all.filter(({ outcome }) => outcome === 'created').length, 1);
    const ids = all.map((creation) => (creation.outcome === 'full' ? '' : creation.request.id));
    assert.equal(new Set(ids).size, 1);
  });

  it(`store ${name}: accepts a key again once the retention of its request is over`, async (t) => {
    const store = await open(t);
    const former = await created(store, { key: 'k', state: 'running', retention: 0 });
    await store.finish(former, DONE);
    const { id } = await created(store, { key: 'k' });
    assert.equal(await store.get(former.id), undefined);
    assert.equal(await stateOf(store, id), 'accepted');
  });

  it(`store ${name}: accepts a key again at once if its request did not run`, async (t) => {
    const store = await open(t);
    const former = await created(store, { key: 'k', state: 'running' });
    await store.finish(former, { state: 'failed', code: 'NO_WORKER', retention: 0 });
    await created(store, { key: 'k' });
  });

  it(`store ${name}: a request that is stored twice with the same id exists once`, async (t) => {
    const store = await open(t);
    const one = request();
    assert.equal((await store.create(one)).outcome, 'created');
    assert.equal((await store.create(one)).outcome, 'existing');
    assert.equal((await store.statistics()).states.accepted, 1);
  });
}

/** A request in each state that has not ended, and the changes that lead to each state. */
function transitions(name: string, { open }: StoreUnderTest): void {
  const change = (store: RequestStore, hold: Hold, to: RequestState): Promise<boolean> => {
    if (to === 'running') return store.start(hold);
    if (to === 'accepted') return store.requeue(hold);
    return store.finish(hold, { state: to, code: '' });
  };

  it(`store ${name}: makes exactly the legal transitions`, async (t) => {
    const store = await open(t);
    for (const from of REQUEST_STATES) {
      for (const to of REQUEST_STATES) {
        const hold = await created(store, { state: from === 'accepted' ? 'accepted' : 'running' });
        if (from !== 'accepted' && from !== 'running') assert.equal(await change(store, hold, from), true);
        assert.equal(await change(store, hold, to), isTransition(from, to), `${from} → ${to}`);
        assert.equal(await stateOf(store, hold.id), isTransition(from, to) ? to : from);
      }
    }
  });

  it(`store ${name}: remembers when a request started, and forgets it if it was not dispatched`, async (t) => {
    const store = await open(t);
    const hold = await created(store);
    await store.start(hold);
    assert.ok(((await store.get(hold.id))?.startedAt ?? 0) > 0);
    await store.requeue(hold);
    assert.equal((await store.get(hold.id))?.startedAt, undefined);
  });

  it(`store ${name}: cancels accepted requests, and asks the gateway of running ones`, async (t) => {
    const store = await open(t);
    const accepted = await created(store);
    assert.equal(await store.cancel(accepted.id, 'ann'), 'cancelled');
    assert.equal(await stateOf(store, accepted.id), 'cancelled');
    assert.equal(await store.start(accepted), false);
    assert.equal(await store.cancel(accepted.id), 'ended');
    const running = await created(store, { state: 'running' });
    assert.equal(await store.cancel(running.id), 'requested');
    assert.equal((await store.get(running.id))?.cancelRequested, true);
    assert.deepEqual(await store.renew([running], MINUTE), { lost: [], cancelRequested: [running.id] });
    assert.equal(await store.cancel('missing'), 'missing');
  });
}

function leases(name: string, { open }: StoreUnderTest): void {
  it(`store ${name}: a request is taken over only when its lease has ended, and with its data`, async (t) => {
    const store = await open(t);
    await created(store);
    const data = Buffer.from([1, 0, 2]);
    const metadata = Buffer.from('{"r":1}');
    const { id } = await created(store, { lease: 0, data, metadata, timeout: 77 });
    const claimed = await store.claim('gateway-2', MINUTE, 10);
    assert.equal(claimed.length, 1);
    assert.deepEqual(claimed[0]?.hold, { id, owner: 'gateway-2', attempt: 2 });
    assert.equal(claimed[0]?.request.state, 'accepted');
    assert.deepEqual([claimed[0]?.data, claimed[0]?.metadata, claimed[0]?.timeout], [data, metadata, 77]);
    assert.deepEqual(await store.claim('gateway-3', MINUTE, 10), []);
  });

  it(`store ${name}: a gateway that lost its lease changes nothing`, async (t) => {
    const store = await open(t);
    const lost = await created(store, { state: 'running', lease: 0 });
    // Even under the same name: a gateway may have restarted.
    const [claimed] = await store.claim(lost.owner, MINUTE, 1);
    assert.equal(claimed?.request.state, 'running');
    assert.equal(await store.finish(lost, DONE), false);
    assert.equal(await store.requeue(lost), false);
    assert.equal(await store.progress(lost, '1'), false);
    assert.deepEqual(await store.renew([lost], MINUTE), { lost: [lost.id], cancelRequested: [] });
    assert.equal(await store.finish(claimed?.hold, DONE), true);
  });

  it(`store ${name}: a renewed lease does not end, a released one ends at once`, async (t) => {
    const store = await open(t);
    const hold = await created(store, { lease: 0 });
    assert.deepEqual(await store.renew([hold], MINUTE), { lost: [], cancelRequested: [] });
    assert.deepEqual(await store.claim('gateway-2', MINUTE, 10), []);
    await store.release([hold]);
    assert.equal((await store.claim('gateway-2', MINUTE, 10)).length, 1);
  });

  it(`store ${name}: no request is taken over by two gateways, and ended ones by none`, async (t) => {
    const store = await open(t);
    for (let i = 0; i < 20; i += 1) await created(store, { lease: 0 });
    await store.finish(await created(store, { state: 'running', lease: 0 }), DONE);
    const gateways = ['a', 'b', 'c', 'd'];
    const claims = await Promise.all(gateways.map((owner) => store.claim(owner, MINUTE, 10)));
    const rest = await store.claim('e', MINUTE, 100);
    const ids = [...claims.flat(), ...rest].map(({ request: { id } }) => id);
    assert.equal(ids.length, 20);
    assert.equal(new Set(ids).size, 20);
    assert.ok(claims.every((claim) => claim.length <= 10));
  });
}

function bounds(name: string, { open }: StoreUnderTest): void {
  it(`store ${name}: limits requests and bytes of a caller and of all`, async (t) => {
    const limits = { requestsPerCaller: 2, bytesPerCaller: 100, requests: 3, bytes: 150 };
    const store = await open(t, limits);
    const outcome = async (changes: Partial<NewRequest>): Promise<string> => {
      const creation = await store.create(request({ data: Buffer.alloc(10), ...changes }));
      return creation.outcome === 'full' ? creation.limit : creation.outcome;
    };
    assert.equal(await outcome({ data: Buffer.alloc(101) }), 'bytesPerCaller');
    assert.equal(await outcome({ key: 'k' }), 'created');
    assert.equal(await outcome({ data: Buffer.alloc(90) }), 'created');
    assert.equal(await outcome({}), 'requestsPerCaller');
    assert.equal(await outcome({ key: 'k' }), 'existing');
    assert.equal(await outcome({ caller: 'bob', data: Buffer.alloc(51) }), 'bytes');
    assert.equal(await outcome({ caller: 'bob' }), 'created');
    assert.equal(await outcome({ caller: 'cid' }), 'requests');
  });

  it(`store ${name}: counts the result in place of the data, and nothing of deleted requests`, async (t) => {
    const store = await open(t);
    const hold = await created(store, { state: 'running', retention: 0, data: Buffer.alloc(500) });
    assert.equal((await store.statistics()).bytes, 500);
    const result = { status: 200, headers: [], body: Buffer.alloc(100) };
    await store.finish(hold, { state: 'succeeded', code: '', result });
    assert.equal((await store.statistics()).bytes, 102);
    assert.equal(await store.expire(10), 1);
    assert.deepEqual(await store.statistics(), {
      states: Object.fromEntries(REQUEST_STATES.map((state) => [state, 0])),
      bytes: 0,
      oldest: undefined,
    });
  });

  it(`store ${name}: deletes expired requests in batches, and no others`, async (t) => {
    const store = await open(t);
    const kept = await created(store, { retention: 0 });
    for (let i = 0; i < 5; i += 1) {
      await store.finish(await created(store, { caller: `c${i}`, state: 'running', retention: 0 }), DONE);
    }
    assert.equal(await store.expire(3), 3);
    assert.equal(await store.expire(3), 2);
    assert.equal(await store.expire(3), 0);
    assert.equal(await stateOf(store, kept.id), 'accepted');
  });
}

function lists(name: string, { open }: StoreUnderTest): void {
  it(`store ${name}: lists requests page by page, newest first, by caller and state`, async (t) => {
    const store = await open(t);
    const ids = new Set<string>();
    for (let i = 0; i < 7; i += 1) ids.add((await created(store)).id);
    const other = await created(store, { caller: 'bob', state: 'running' });
    const pages: StoredRequest[] = [];
    for (let after: StoredRequest | undefined; ; ) {
      const page = await store.list({ caller: 'ann', limit: 3, after });
      if (page.length === 0) break;
      pages.push(...page);
      after = page.at(-1);
    }
    assert.equal(pages.length, 7);
    assert.deepEqual(new Set(pages.map(({ id }) => id)), ids);
    const times = pages.map(({ createdAt }) => createdAt);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => b - a),
    );
    assert.equal((await store.list({ limit: 100 })).length, 8);
    for (const state of REQUEST_STATES) {
      const listed = await store.list({ state, limit: 100 });
      assert.equal(listed.length, state === 'accepted' ? 7 : state === 'running' ? 1 : 0, state);
    }
    await store.finish(other, { state: 'failed', code: 'HANDLER_ERROR' });
    assert.deepEqual(
      (await store.list({ caller: 'bob', state: 'failed', limit: 5 })).map(({ id }) => id),
      [other.id],
    );
  });

  it(`store ${name}: counts requests by state, and the age of the oldest that has not ended`, async (t) => {
    const store = await open(t);
    await store.finish(await created(store, { state: 'running' }), DONE);
    assert.equal((await store.statistics()).oldest, undefined);
    await created(store);
    const { states, oldest } = await store.statistics();
    assert.equal(states.accepted, 1);
    assert.equal(states.succeeded, 1);
    assert.ok(oldest !== undefined && oldest >= 0 && oldest < MINUTE);
  });
}

function lifecycle(name: string, { open, reopen }: StoreUnderTest): void {
  it(`store ${name}: keeps requests, results and counts when it is opened again`, async (t) => {
    const first = await open(t);
    const done = await created(first, { state: 'running', key: 'k' });
    await first.finish(done, DONE);
    const waiting = await created(first, { lease: 0 });
    const statistics = await first.statistics();
    const second = await reopen(t, first);
    assert.deepEqual(await second.result(done.id), RESULT);
    assert.equal((await second.create(request({ key: 'k' }))).outcome, 'existing');
    assert.equal((await second.statistics()).bytes, statistics.bytes);
    const claimed = await second.claim('gateway-2', MINUTE, 10);
    assert.deepEqual(
      claimed.map(({ hold: { id } }) => id),
      [waiting.id],
    );
  });

  it(`store ${name}: reports changes to watchers until they stop`, async (t) => {
    const store = await open(t);
    const hold = await created(store);
    const first = new Promise<string>((resolve) => {
      const stop = store.watch((id) => {
        if (id !== hold.id) return;
        stop();
        resolve(id);
      });
    });
    await store.start(hold);
    assert.equal(await within(first, 'a report of the change'), hold.id);
  });

  it(`store ${name}: can be checked, and rejects everything once it is closed`, async (t) => {
    const store = await open(t);
    await store.check(false);
    await store.check(true);
    await store.check(false);
    await store.close();
    await store.close();
    const closed = {
      name: 'StoreUnavailableError',
      code: 'STORE_UNAVAILABLE',
      status: 503,
      dispatched: false,
    };
    await assert.rejects(store.create(request()), closed);
    await assert.rejects(store.get('x'), closed);
    await assert.rejects(store.check(false), closed);
  });
}
