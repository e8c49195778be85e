import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SqliteDatabase } from '../../../../src/store/sqlite/driver.ts';
import { GroupCommit } from '../../../../src/store/sqlite/group-commit.ts';

const OBSERVER = { committed: () => undefined, rolledBack: () => undefined };

/** Records what is executed, and fails on request. */
class RecordingDatabase implements SqliteDatabase {
  readonly executed: string[] = [];
  failure: { sql: string; error: Error } | undefined;

  exec(sql: string): void {
    this.executed.push(sql);
    if (this.failure?.sql === sql) throw this.failure.error;
  }

  prepare(): never {
    throw new Error('not used');
  }

  close(): void {
    this.executed.push('close');
  }
}

describe('group commit', () => {
  it('group commit: one transaction for the changes of a turn of the event loop', async () => {
    const database = new RecordingDatabase();
    const commits = new GroupCommit(database, {
      ...OBSERVER,
      rolledBack: () => assert.fail('nothing failed'),
    });
    const changes = [1, 2, 3].map((value) => commits.submit(() => value));
    assert.deepEqual(database.executed, []);
    assert.deepEqual(await Promise.all(changes), [1, 2, 3]);
    assert.deepEqual(database.executed, ['BEGIN IMMEDIATE', 'COMMIT']);
    assert.equal(await commits.submit(() => 4), 4);
    assert.equal(commits.commits, 2);
  });

  it('group commit: many changes become several transactions, in order', async () => {
    const database = new RecordingDatabase();
    const commits = new GroupCommit(database, OBSERVER);
    const order: number[] = [];
    await Promise.all(Array.from({ length: 1200 }, (_, i) => commits.submit(() => order.push(i))));
    assert.equal(commits.commits, 3);
    assert.deepEqual(
      order,
      Array.from({ length: 1200 }, (_, i) => i),
    );
  });

  for (const sql of ['BEGIN IMMEDIATE', 'COMMIT']) {
    it(`group commit: all changes reject when ${sql} fails, and later ones succeed`, async () => {
      const database = new RecordingDatabase();
      let rolledBack = 0;
      const commits = new GroupCommit(database, { ...OBSERVER, rolledBack: () => (rolledBack += 1) });
      database.failure = { sql, error: new Error('database or disk is full') };
      const settled = await Promise.allSettled([commits.submit(() => 1), commits.submit(() => 2)]);
      for (const one of settled) {
        assert.equal(one.status, 'rejected');
        assert.match(String(one.reason), /the store cannot be used: .*disk is full/);
      }
      assert.equal(rolledBack, 1);
      assert.equal(database.executed.at(-1), 'ROLLBACK');
      database.failure = undefined;
      assert.equal(await commits.submit(() => 3), 3);
    });
  }

  it('group commit: a change that throws rolls the transaction back', async () => {
    const database = new RecordingDatabase();
    const commits = new GroupCommit(database, OBSERVER);
    const good = commits.submit(() => 1);
    const bad = commits.submit(() => {
      throw new Error('constraint failed');
    });
    await assert.rejects(good, /constraint failed/);
    await assert.rejects(bad, /constraint failed/);
    assert.deepEqual(database.executed, ['BEGIN IMMEDIATE', 'ROLLBACK']);
  });

  it('group commit: close commits what was submitted, and rejects what follows', async () => {
    const database = new RecordingDatabase();
    const commits = new GroupCommit(database, OBSERVER);
    const last = commits.submit(() => 'kept');
    commits.close();
    assert.deepEqual(database.executed, ['BEGIN IMMEDIATE', 'COMMIT']);
    assert.equal(await last, 'kept');
    await assert.rejects(
      commits.submit(() => 'late'),
      { code: 'STORE_UNAVAILABLE' },
    );
  });
});
