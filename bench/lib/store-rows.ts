/** SQLite stores that contain many ended requests. */
import { join } from 'node:path';
import { openSqlite } from '../../src/store/sqlite/driver.ts';
import { migrateSqlite } from '../../src/store/sqlite/migrations.ts';
import { tempFolder } from './temp.ts';

/** Rows with the ids 0, 1, 2 …, which clients can poll. All others have random ids. */
export const POLLED = 1000;

/** An hour, and a day, in ms. */
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Returns a new file with a store of `rows` succeeded requests, of a thousand callers. */
export function storeWith(rows: number): string {
  const file = join(tempFolder(), 'requests.db');
  const database = openSqlite(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000');
  migrateSqlite(database, file);
  const now = Date.now();
  database.exec('BEGIN');
  database
    .prepare(
      `WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :rows)
      INSERT INTO requests (id, caller, event, key, fingerprint, state, idempotent, owner, attempt,
        lease_until, timeout, retention, bytes, created_at, started_at, finished_at, expires_at, status, code)
      SELECT iif(n < :polled, n, lower(hex(randomblob(16)))), iif(n < :polled, '', 'caller-' || n % 1000), 'jobs.add', NULL, randomblob(32), 'succeeded', 0,
        'bench', 1, -1, 1000, :day, 60, :now - n, :now - n, :now - n, :now + :day - n % :hour, 200, ''
      FROM numbers`,
    )
    .run({ rows, polled: POLLED, now, day: DAY, hour: HOUR });
  database
    .prepare('INSERT INTO results (seq, headers, body) SELECT seq, :headers, :body FROM requests')
    .run({ headers: '["Content-Type","application/json"]', body: Buffer.from('{"message":"hello"}') });
  database.exec('COMMIT');
  database.prepare('PRAGMA journal_mode = DELETE').all({});
  database.close();
  return file;
}
