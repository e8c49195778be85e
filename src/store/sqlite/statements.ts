/** The statements of the SQLite store, prepared once. */
import type { SqliteDatabase, SqliteStatement, SqlValue } from './driver.ts';

const SQL = {
  byId: 'SELECT * FROM requests WHERE id = :id',
  held: `SELECT seq, id, caller, state, cancel_requested, owner, attempt, retention, bytes FROM requests
    WHERE id = :id`,
  byKey: 'SELECT * FROM requests WHERE caller = :caller AND event = :event AND key = :key',
  insert: `INSERT INTO requests (id, caller, event, key, fingerprint, state, idempotent, owner, attempt,
      lease_until, timeout, retention, bytes, created_at, started_at)
    VALUES (:id, :caller, :event, :key, :fingerprint, :state, :idempotent, :owner, 1,
      :lease_until, :timeout, :retention, :bytes, :created_at, :started_at)
    ON CONFLICT DO NOTHING RETURNING seq`,
  insertPayload: 'INSERT INTO payloads (seq, data, metadata) VALUES (:seq, :data, :metadata)',
  payload: 'SELECT data, metadata FROM payloads WHERE seq = :seq',
  deletePayload: 'DELETE FROM payloads WHERE seq = :seq',
  insertResult: 'INSERT INTO results (seq, headers, body) VALUES (:seq, :headers, :body)',
  result: 'SELECT headers, body FROM results WHERE seq = :seq',
  deleteResult: 'DELETE FROM results WHERE seq = :seq',
  start: "UPDATE requests SET state = 'running', started_at = :now WHERE seq = :seq",
  requeue: "UPDATE requests SET state = 'accepted', started_at = NULL WHERE seq = :seq",
  finish: `UPDATE requests SET state = :state, finished_at = :now, expires_at = :expires_at, bytes = :bytes,
      status = :status, code = :code WHERE seq = :seq`,
  progress: 'UPDATE requests SET progress = :progress WHERE seq = :seq',
  requestCancel: 'UPDATE requests SET cancel_requested = 1 WHERE seq = :seq',
  lease: 'UPDATE requests SET lease_until = :until WHERE seq = :seq',
  endLeases: 'UPDATE requests SET lease_until = -1 WHERE finished_at IS NULL',
  leasesOver: `SELECT * FROM requests WHERE finished_at IS NULL AND lease_until <= :now
    ORDER BY lease_until LIMIT :limit`,
  claim: 'UPDATE requests SET owner = :owner, attempt = attempt + 1, lease_until = :until WHERE seq = :seq',
  expired: 'SELECT * FROM requests WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit',
  delete: 'DELETE FROM requests WHERE seq = :seq',
  oldest: 'SELECT min(created_at) AS created_at FROM requests WHERE finished_at IS NULL',
  check: 'INSERT OR REPLACE INTO checks (id, at) VALUES (1, :now)',
  fill: 'INSERT OR REPLACE INTO payloads (seq, data) VALUES (-1, randomblob(:bytes))',
  empty: 'DELETE FROM payloads WHERE seq = -1',
} as const;

type StatementName = keyof typeof SQL;

type SqlParameters = Readonly<Record<string, SqlValue>>;

export class Statements {
  private readonly database: SqliteDatabase;
  private readonly prepared = new Map<string, SqliteStatement>();

  constructor(database: SqliteDatabase) {
    this.database = database;
  }

  /** All rows: a statement that is not read to its end would keep its lock. */
  rows<T>(name: StatementName, parameters: SqlParameters): T[] {
    return this.query<T>(SQL[name], parameters);
  }

  row<T>(name: StatementName, parameters: SqlParameters): T | undefined {
    return this.rows<T>(name, parameters)[0];
  }

  run(name: StatementName, parameters: SqlParameters): void {
    this.statement(SQL[name]).run(parameters);
  }

  query<T>(sql: string, parameters: SqlParameters): T[] {
    return this.statement(sql).all(parameters) as T[];
  }

  private statement(sql: string): SqliteStatement {
    let statement = this.prepared.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.prepared.set(sql, statement);
    }
    return statement;
  }
}
