/** The tables in SQLite, by version. A released version never changes; changes are new versions. */
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { SqliteDatabase } from './driver.ts';

/**
 * The data and the result are in tables of their own, so that polls and lists do not read them.
 * `seq` joins them: new rows are neighbours on disk, which the random `id` would prevent.
 * `lease_until` is time of the process; all leases end when the file is opened.
 */
const VERSION_1 = `
  CREATE TABLE requests (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    caller TEXT NOT NULL,
    event TEXT NOT NULL,
    key TEXT,
    fingerprint BLOB NOT NULL,
    state TEXT NOT NULL,
    idempotent INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    owner TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    timeout INTEGER NOT NULL,
    retention INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    expires_at INTEGER,
    progress TEXT,
    status INTEGER,
    code TEXT
  );
  CREATE UNIQUE INDEX requests_key ON requests (caller, event, key) WHERE key IS NOT NULL;
  CREATE INDEX requests_lease ON requests (lease_until) WHERE finished_at IS NULL;
  CREATE INDEX requests_expiry ON requests (expires_at) WHERE expires_at IS NOT NULL;
  CREATE INDEX requests_caller ON requests (caller, created_at, id);
  CREATE INDEX requests_created ON requests (created_at, id);
  CREATE INDEX requests_exceptions ON requests (state, created_at, id)
    WHERE state IN ('failed', 'cancelled', 'unknown');
  CREATE TABLE payloads (seq INTEGER PRIMARY KEY, data BLOB, metadata BLOB);
  CREATE TABLE results (seq INTEGER PRIMARY KEY, headers TEXT NOT NULL, body BLOB);
  CREATE TABLE checks (id INTEGER PRIMARY KEY, at INTEGER NOT NULL);
`;

const MIGRATIONS: readonly string[] = [VERSION_1];

/**
 * Brings the tables to the newest version, each version in a transaction.
 *
 * @throws {ZeroMQConfigError} when a later release wrote the file.
 */
export function migrateSqlite(database: SqliteDatabase, file: string): void {
  const [row] = database.prepare('PRAGMA user_version').all({}) as { user_version: number }[];
  const version = row?.user_version ?? 0;
  if (version > MIGRATIONS.length) {
    throw new ZeroMQConfigError(
      `store sqlite:${file}: the tables have version ${version}, and this release knows versions up to ${MIGRATIONS.length}; install the later release that wrote the file, or choose another file`,
    );
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}
