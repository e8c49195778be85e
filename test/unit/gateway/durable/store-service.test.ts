import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { SILENT } from '../../../../src/gateway/common/api-source.ts';
import { HeldRequests } from '../../../../src/gateway/durable/held-requests.ts';
import { type Open, StoreService } from '../../../../src/gateway/durable/store-service.ts';
import {
  type ClaimedRequest,
  DEFAULT_LIMITS,
  type Hold,
  type NewRequest,
  type RequestStore,
  type StoreStatistics,
  StoreUnavailableError,
} from '../../../../src/store/index.ts';
import { openSqliteStore } from '../../../../src/store/sqlite/sqlite-store.ts';
import { FakeClock, settled } from '../../../helpers/fake-clock.ts';
import { tempFolder } from '../../../helpers/temp.ts';

/** Less than all intervals of the service. */
const STEP = 500;

const DONE = { state: 'succeeded', code: '' } as const;

interface Scene {
  readonly clock: FakeClock;
  readonly store: RequestStore;
  readonly service: StoreService;
  /** Lets the timers of `ms` and the transactions that they begin run. */
  readonly pass: (ms: number) => Promise<void>;
  readonly request: (changes?: Partial<NewRequest>) => NewRequest;
  readonly create: (changes?: Partial<NewRequest>) => Promise<Hold>;
}

/** A service over a SQLite store with the same clock, which `open` may replace or wrap. */
function start(t: TestContext, open?: (store: RequestStore) => Open): Scene {
  const clock = new FakeClock();
  const store = openSqliteStore(join(tempFolder(t), 'store.db'), DEFAULT_LIMITS, clock);
  const service = new StoreService(open?.(store) ?? (() => Promise.resolve(store)), SILENT, clock);
  t.after(() => service.close());
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left >= 0; left -= STEP) {
      await clock.advanceAsync(Math.min(left, STEP));
      // A transaction of its own: those before it have ended. Each may lead to another one.
      for (let turn = 0; turn < 4; turn += 1) {
        await store.renew([], 1);
        await settled();
      }
      if (left === 0) break;
    }
  };
  const request: Scene['request'] = (changes = {}) => ({
    id: randomUUID(),
    caller: '',
    event: 'e',
    fingerprint: Buffer.alloc(32),
    state: 'running',
    idempotent: false,
    data: Buffer.alloc(0),
    metadata: Buffer.alloc(0),
    timeout: 1000,
    retention: 60_000,
    owner: service.owner,
    lease: service.lease,
    ...changes,
  });
  const create: Scene['create'] = async (changes) => {
    const creation = await store.create(request(changes));
    assert.ok(creation.outcome === 'created');
    return creation.hold;
  };
  return { clock, store, service, pass, request, create };
}

function unavailable(): Promise<never> {
  return Promise.reject(new StoreUnavailableError('STORE_UNAVAILABLE', 'it is down', { status: 503 }));
}

describe('store service', () => {
  it('store service: opens the store when it is needed, and again after a failure', async (t) => {
    let attempts = 0;
    const { service, pass } = start(t, (store) => () => {
      attempts += 1;
      return attempts < 3 ? unavailable() : Promise.resolve(store);
    });
    assert.equal(service.failure, undefined);
    assert.equal(attempts, 0);
    service.need();
    await pass(0);
    assert.equal(service.failure, 'it is down');
    await assert.rejects(
      service.use((store) => store.check(false)),
      { code: 'STORE_UNAVAILABLE', status: 503, dispatched: false },
    );
    assert.equal(attempts, 1, 'requests do not wait for another attempt');
    await pass(2000);
    assert.equal(attempts, 3);
    assert.equal(service.failure, undefined);
    await service.use((store) => store.check(false));
  });

  it('store service: keeps leases, and takes over requests of gateways that are gone', async (t) => {
    const { service, store, pass, create } = start(t);
    service.need();
    await pass(0);
    const kept = await create();
    service.keep(kept, { cancel: () => undefined });
    const lost = await create({ owner: 'gone' });
    const idempotent = await create({ owner: 'gone', idempotent: true, key: 'k' });
    await pass(service.lease - 1000);
    assert.equal((await store.get(lost.id))?.state, 'running');
    await pass(10_000);
    assert.equal((await store.get(kept.id))?.state, 'running');
    const { state, code } = (await store.get(lost.id)) ?? {};
    assert.deepEqual([state, code], ['unknown', 'GATEWAY_LOST']);
    // It may run again, so its key is free.
    assert.equal(await store.get(idempotent.id), undefined);
    assert.equal(await service.finish(kept, DONE), true);
  });

  it('store service: hands claimed requests with data to the gateway', async (t) => {
    const { service, pass, create } = start(t);
    const claimed: ClaimedRequest[] = [];
    service.onClaimed = (one) => void claimed.push(one);
    service.need();
    const { id } = await create({ owner: 'gone', data: Buffer.from('{}'), lease: 0 });
    await pass(2000);
    assert.deepEqual(
      claimed.map(({ hold }) => [hold.id, hold.owner, hold.attempt]),
      [[id, service.owner, 2]],
    );
  });

  it('store service: a claim of a request that this gateway still holds replaces its hold', () => {
    const held = new HeldRequests();
    const hold: Hold = { id: 'r1', owner: 'g', attempt: 1 };
    const claimed = { hold: { ...hold, attempt: 2 } } as ClaimedRequest;
    assert.equal(held.adopt(claimed), false);
    held.add(hold, { cancel: () => undefined });
    assert.equal(held.adopt(claimed), true);
    assert.equal(held.current(hold).attempt, 2);
  });

  it('store service: a lease that ended while the gateway was busy does not lose the request', async (t) => {
    const { service, store, clock, pass, create } = start(t);
    const hold = await create();
    service.keep(hold, { cancel: () => undefined });
    // No timer runs in this time.
    clock.advance(service.lease + 1);
    service.need();
    await pass(2000);
    assert.equal(await service.finish(hold, DONE), true);
    assert.equal((await store.get(hold.id))?.state, 'succeeded');
  });

  it('store service: cancels a request that it holds, once', async (t) => {
    const { service, store, pass, create } = start(t);
    service.need();
    await pass(0);
    const hold = await create();
    let cancelled = 0;
    service.keep(hold, { cancel: () => (cancelled += 1) });
    assert.equal(await store.cancel(hold.id), 'requested');
    await pass(6000);
    assert.equal(cancelled, 1);
  });

  it('store service: repeats the end of a request until the store takes it', async (t) => {
    let isDown = false;
    const { service, store, pass, create } = start(t, (inner) => () => {
      const finish: RequestStore['finish'] = (...args) => (isDown ? unavailable() : inner.finish(...args));
      return Promise.resolve(Object.assign(Object.create(inner) as RequestStore, { finish }));
    });
    service.need();
    await pass(0);
    const hold = await create();
    service.keep(hold, { cancel: () => undefined });
    isDown = true;
    assert.equal(await service.finish(hold, DONE), false);
    assert.equal(service.failure, 'it is down');
    await pass(service.lease * 2);
    assert.equal((await store.get(hold.id))?.state, 'running');
    isDown = false;
    await pass(6000);
    assert.equal((await store.get(hold.id))?.state, 'succeeded');
    assert.equal(service.failure, undefined);
  });

  it('store service: forgets a request that was stored although the store reported a failure', async (t) => {
    const { service, store, pass, request } = start(t, (inner) => () => {
      const create: RequestStore['create'] = async (one) => {
        await inner.create(one);
        return unavailable();
      };
      return Promise.resolve(Object.assign(Object.create(inner) as RequestStore, { create }));
    });
    service.need();
    await pass(0);
    const one = request({ key: 'k' });
    const creating = assert.rejects(service.create(one), { message: 'it is down' });
    await pass(0);
    await creating;
    assert.equal((await store.get(one.id))?.state, 'running');
    await pass(10_000);
    assert.equal(await store.get(one.id), undefined);
  });

  it('store service: stores nothing new after a failure until a thorough check succeeds', async (t) => {
    let isDown = false;
    let attempts = 0;
    const checks: boolean[] = [];
    const { service, pass, request } = start(t, (inner) => () => {
      const create: RequestStore['create'] = (one) => {
        attempts += 1;
        return isDown ? unavailable() : inner.create(one);
      };
      const check: RequestStore['check'] = (isThorough) => {
        checks.push(isThorough);
        return isDown ? unavailable() : inner.check(isThorough);
      };
      return Promise.resolve(Object.assign(Object.create(inner) as RequestStore, { create, check }));
    });
    service.need();
    await pass(0);
    isDown = true;
    const rejected = { code: 'STORE_UNAVAILABLE', status: 503 };
    await assert.rejects(service.create(request()), rejected);
    for (let i = 0; i < 3; i += 1) await assert.rejects(service.create(request()), rejected);
    await pass(0);
    assert.deepEqual([attempts, checks], [1, [false, true]], 'a request waited for a store that fails');
    assert.equal(service.failure, 'it is down');
    isDown = false;
    await pass(2000);
    assert.equal(service.failure, undefined);
    const creating = service.create(request());
    await pass(0);
    assert.equal((await creating).outcome, 'created');
    assert.deepEqual(checks, [false, true, true]);
  });

  it('store service: deletes expired requests, and counts what is stored for metrics', async (t) => {
    const { service, store, pass, create } = start(t);
    service.need();
    await pass(0);
    for (let i = 0; i < 450; i += 1) await service.finish(await create({ retention: 1 }), DONE);
    await create();
    assert.equal(service.statistics, undefined);
    await pass(15_000);
    const statistics = service.statistics as StoreStatistics | undefined;
    assert.deepEqual([statistics?.states.succeeded, statistics?.states.running], [450, 1]);
    assert.equal(statistics?.oldest, 0);
    await pass(1000);
    assert.equal((await store.statistics()).states.succeeded, 0);
  });

  it('store service: ends the leases of what it still holds when it closes', async (t) => {
    const { service, store, pass, create, clock } = start(
      t,
      (inner) => () =>
        Promise.resolve(
          Object.assign(Object.create(inner) as RequestStore, { close: () => Promise.resolve() }),
        ),
    );
    t.after(() => store.close());
    service.need();
    await pass(0);
    service.keep(await create(), { cancel: () => undefined });
    await service.close();
    assert.equal((await store.claim('other', 1000, 10)).length, 1);
    assert.equal(clock.pending, 0);
  });
});
