import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { NewRequest } from '../../../../src/store/model/request.ts';
import { DEFAULT_LIMITS } from '../../../../src/store/model/store.ts';
import { openSqlite, type SqliteDatabase } from '../../../../src/store/sqlite/driver.ts';
import { migrateSqlite } from '../../../../src/store/sqlite/migrations.ts';
import { openSqliteStore, SqliteStore } from '../../../../src/store/sqlite/sqlite-store.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { startProcess } from '../../../helpers/processes.ts';
import { tempFolder } from '../../../helpers/temp.ts';
import { TYPESCRIPT } from '../../../helpers/typescript.ts';

const fileOf = (t: TestContext): string => join(tempFolder(t), 'store.db');

const requestOf = (changes: Partial<NewRequest> = {}): NewRequest => ({
  id: randomUUID(),
  caller: 'ann',
  event: 'e',
  fingerprint: Buffer.alloc(32),
  state: 'accepted',
  idempotent: false,
  data: Buffer.alloc(10),
  metadata: Buffer.alloc(0),
  timeout: 1000,
  retention: 5000,
  owner: 'g',
  lease: 1000,
  ...changes,
});

describe('SQLite store', () => {
  it('SQLite store: flushes each commit to a write-ahead log', (t) => {
    const file = fileOf(t);
    const store = openSqliteStore(file, DEFAULT_LIMITS);
    t.after(() => store.close());
    const { database } = store as unknown as { database: SqliteDatabase };
    const pragma = (name: string): unknown =>
      Object.values(database.prepare(`PRAGMA ${name}`).all({})[0] as object)[0];
    assert.equal(pragma('journal_mode'), 'wal');
    assert.equal(pragma('synchronous'), 2);
  });

  it('SQLite store: leases follow the monotonic clock, retentions the wall clock', async (t) => {
    const clock = new FakeClock();
    const store = openSqliteStore(fileOf(t), DEFAULT_LIMITS, clock);
    t.after(() => store.close());
    await store.create(requestOf());
    clock.advance(999);
    assert.deepEqual(await store.claim('g2', 1000, 10), []);
    clock.advance(1);
    const [claimed] = await store.claim('g2', 1000, 10);
    assert.ok(claimed);
    await store.start(claimed.hold);
    await store.finish(claimed.hold, { state: 'succeeded', code: '' });
    clock.advance(4999);
    assert.equal(await store.expire(10), 0);
    clock.advance(1);
    assert.equal(await store.expire(10), 1);
  });

  it('SQLite store: all leases end when the file is opened again', async (t) => {
    const file = fileOf(t);
    const first = openSqliteStore(file, DEFAULT_LIMITS);
    await first.create(requestOf({ lease: 3_600_000 }));
    await first.close();
    const second = openSqliteStore(file, DEFAULT_LIMITS);
    t.after(() => second.close());
    assert.equal((await second.claim('g', 1000, 10)).length, 1);
  });

  it('SQLite store: rejects a full disk before anything is stored, and recovers', async (t) => {
    const file = fileOf(t);
    const database = openSqlite(file);
    migrateSqlite(database, file);
    const store = new SqliteStore(database, DEFAULT_LIMITS, new FakeClock());
    t.after(() => store.close());
    await store.create(requestOf());
    const [{ page_count: pages }] = database.prepare('PRAGMA page_count').all({}) as [{ page_count: number }];
    database.prepare(`PRAGMA max_page_count = ${pages}`).all({});
    const large = requestOf({ data: Buffer.alloc(1_000_000) });
    await assert.rejects(store.create(large), { code: 'STORE_UNAVAILABLE', status: 503, dispatched: false });
    assert.equal(await store.get(large.id), undefined);
    assert.deepEqual([(await store.statistics()).states.accepted, (await store.statistics()).bytes], [1, 10]);
    // A page has room for a small change.
    await store.check(false);
    await assert.rejects(store.check(true), { code: 'STORE_UNAVAILABLE' });
    database.prepare('PRAGMA max_page_count = 100000').all({});
    await store.check(true);
    assert.equal((await store.create(large)).outcome, 'created');
    await store.check(false);
    assert.deepEqual(database.prepare('SELECT count(*) AS n FROM payloads').all({}), [{ n: 2 }]);
  });

  it('SQLite store: counts nothing of a transaction that failed', async (t) => {
    const file = fileOf(t);
    const database = openSqlite(file);
    migrateSqlite(database, file);
    const store = new SqliteStore(database, DEFAULT_LIMITS, new FakeClock());
    t.after(() => store.close());
    const kept = await store.create(requestOf());
    assert.ok(kept.outcome === 'created');
    const before = await store.statistics();
    const [{ page_count: pages }] = database.prepare('PRAGMA page_count').all({}) as [{ page_count: number }];
    database.prepare(`PRAGMA max_page_count = ${pages}`).all({});
    // All in one transaction, of which the last change fails.
    const other = requestOf({ caller: 'bea', state: 'running' });
    const settled = await Promise.allSettled([
      store.create(other),
      store.finish({ id: other.id, owner: other.owner, attempt: 1 }, { state: 'failed', code: 'X' }),
      store.cancel(kept.request.id),
      store.create(requestOf({ data: Buffer.alloc(1_000_000) })),
    ]);
    assert.deepEqual(
      settled.map(({ status }) => status),
      Array(4).fill('rejected'),
    );
    assert.deepEqual(await store.statistics(), before);
    assert.equal((await store.create(requestOf({ caller: 'bea' }))).outcome, 'created');
  });

  it('SQLite store: a file in use by another process is rejected, and is free after kill -9', async (t) => {
    const file = fileOf(t);
    const holder = startProcess(t, process.execPath, [
      ...TYPESCRIPT,
      '--input-type=module',
      '-e',
      `import { openSqliteStore } from ${JSON.stringify(new URL('../../../../src/store/sqlite/sqlite-store.ts', import.meta.url).href)};
       const store = openSqliteStore(${JSON.stringify(file)}, ${JSON.stringify(DEFAULT_LIMITS)});
       const request = { id: 'r1', caller: 'ann', event: 'e', fingerprint: Buffer.alloc(32), state: 'running', idempotent: false,
         data: Buffer.from('data'), metadata: Buffer.alloc(0), timeout: 1, retention: 1, owner: 'g', lease: 60000 };
       await store.create(request);
       console.log('stored');
       setInterval(() => undefined, 1000);`,
    ]);
    await holder.waitForLine(/^stored$/);
    assert.throws(() => openSqliteStore(file, DEFAULT_LIMITS), {
      name: 'ZeroMQConfigError',
      message: `store sqlite:${file}: cannot open the file: another process uses it; give each gateway a file of its own, or use PostgreSQL`,
    });
    holder.kill('SIGKILL');
    await holder.exited;
    const store = openSqliteStore(file, DEFAULT_LIMITS);
    t.after(() => store.close());
    const [claimed] = await store.claim('g2', 1000, 10);
    assert.equal(claimed?.request.state, 'running');
    assert.deepEqual(claimed?.data, Buffer.from('data'));
  });

  it('SQLite store: names the file when it cannot be opened', (t) => {
    const text = join(tempFolder(t), 'text.db');
    writeFileSync(text, 'This is not a database. '.repeat(100));
    assert.throws(
      () => openSqliteStore(join(text, 'store.db'), DEFAULT_LIMITS),
      /store sqlite:.*text\.db\/store\.db: cannot open the file: /,
    );
    assert.throws(
      () => openSqliteStore(text, DEFAULT_LIMITS),
      /text\.db: cannot open the file: .*not a database/,
    );
    assert.match(readFileSync(text, 'utf8'), /^This is not a database/);
  });

  it('SQLite store: a file of a later release is rejected and unchanged', async (t) => {
    const file = fileOf(t);
    await openSqliteStore(file, DEFAULT_LIMITS).close();
    const database = openSqlite(file);
    database.exec('PRAGMA user_version = 99');
    database.close();
    assert.throws(
      () => openSqliteStore(file, DEFAULT_LIMITS),
      /the tables have version 99, and this release knows versions up to 1/,
    );
  });
});
