/**
 * The store in a SQLite file, for one process: no other process can open the file at the same time.
 * The journal is a write-ahead log that each commit flushes (`synchronous = FULL`).
 */
import { EventEmitter } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { type Clock, systemClock } from '../../core/time/clock.ts';
import { closedError, unavailable } from '../model/errors.ts';
import type {
  ClaimedRequest,
  Hold,
  NewRequest,
  Outcome,
  StoredRequest,
  StoredResult,
} from '../model/request.ts';
import { type Bytes, bytesOf, type RequestRow, storedRequest } from '../model/rows.ts';
import { REQUEST_STATES, type RequestState } from '../model/states.ts';
import type {
  Cancellation,
  ChangeListener,
  Creation,
  ListQuery,
  Renewal,
  RequestStore,
  StoreLimits,
  StoreStatistics,
} from '../model/store.ts';
import { Changes } from './changes.ts';
import { openSqlite, type SqliteDatabase } from './driver.ts';
import { GroupCommit } from './group-commit.ts';
import { listQuery } from './list.ts';
import { migrateSqlite } from './migrations.ts';
import { Statements } from './statements.ts';
import { Usage } from './usage.ts';

const CHANGED = 'changed';

/** Size of the page cache in KiB: the upper parts of the indexes of a million requests. */
const CACHE_KIB = 16_384;

/**
 * Pages of the write-ahead log that are copied to the database at once. Most pages change again and
 * again, and each is copied once. More pages would delay the commit that copies them for longer.
 */
const CHECKPOINT_PAGES = 4000;

/** Bytes that a thorough check writes: the largest body of a request by default. */
const FILLER_BYTES = 1_048_576;

export class SqliteStore implements RequestStore {
  private readonly database: SqliteDatabase;
  private readonly statements: Statements;
  private readonly usage: Usage;
  private readonly changes: Changes;
  private readonly commits: GroupCommit;
  private readonly watchers = new EventEmitter().setMaxListeners(0);
  private readonly clock: Clock;
  private closed = false;

  constructor(database: SqliteDatabase, limits: StoreLimits, clock: Clock) {
    this.database = database;
    this.clock = clock;
    this.statements = new Statements(database);
    this.statements.run('endLeases', {});
    this.usage = new Usage(database);
    this.changes = new Changes(this.statements, this.usage, limits, clock);
    this.commits = new GroupCommit(database, this.usage);
  }

  create(request: NewRequest): Promise<Creation> {
    return this.change(request.id, () => this.changes.create(request));
  }

  get(id: string, caller?: string): Promise<StoredRequest | undefined> {
    return this.read(() => {
      const row = this.find(id, caller);
      return row && storedRequest(row);
    });
  }

  result(id: string, caller?: string): Promise<StoredResult | undefined> {
    return this.read(() => {
      const row = this.find(id, caller);
      if (row === undefined || row.status === null) return undefined;
      const stored = this.statements.row<{ headers: string; body: Bytes }>('result', { seq: row.seq });
      if (stored === undefined) return undefined;
      const headers = JSON.parse(stored.headers) as string[];
      return { status: row.status, headers, body: bytesOf(stored.body) };
    });
  }

  start(hold: Hold): Promise<boolean> {
    return this.change(hold.id, () => this.changes.start(hold));
  }

  requeue(hold: Hold): Promise<boolean> {
    return this.change(hold.id, () => this.changes.requeue(hold));
  }

  finish(hold: Hold, outcome: Outcome): Promise<boolean> {
    return this.change(hold.id, () => this.changes.finish(hold, outcome));
  }

  progress(hold: Hold, json: string): Promise<boolean> {
    return this.change(hold.id, () => this.changes.progress(hold, json));
  }

  cancel(id: string, caller?: string): Promise<Cancellation> {
    return this.change(id, () => this.changes.cancel(id, caller), true);
  }

  renew(holds: readonly Hold[], lease: number): Promise<Renewal> {
    return this.commits.submit(() => this.changes.renew(holds, lease));
  }

  claim(owner: string, lease: number, limit: number): Promise<ClaimedRequest[]> {
    return this.commits.submit(() => this.changes.claim(owner, lease, limit));
  }

  release(holds: readonly Hold[]): Promise<void> {
    return this.commits.submit(() => this.changes.release(holds));
  }

  list(query: ListQuery): Promise<StoredRequest[]> {
    return this.read(() => {
      const { sql, parameters } = listQuery(query);
      return this.statements.query<RequestRow>(sql, parameters).map(storedRequest);
    });
  }

  expire(limit: number): Promise<number> {
    return this.commits.submit(() => this.changes.expire(limit));
  }

  statistics(): Promise<StoreStatistics> {
    return this.read(() => {
      const counts = REQUEST_STATES.map((state) => [state, this.usage.states.get(state) ?? 0] as const);
      const oldest = this.statements.row<{ created_at: number | null }>('oldest', {})?.created_at ?? null;
      return {
        states: Object.fromEntries(counts) as Record<RequestState, number>,
        bytes: this.usage.total.bytes,
        oldest: oldest === null ? undefined : Math.max(0, this.clock.wall() - oldest),
      };
    });
  }

  watch(listener: ChangeListener): () => void {
    this.watchers.on(CHANGED, listener);
    return () => this.watchers.off(CHANGED, listener);
  }

  /**
   * Writes a row: only that shows that the disk takes writes. A thorough check also writes the
   * filler, which the next check deletes. It frees the log first, because that needs no space for
   * pages that the database has.
   */
  check(isThorough: boolean): Promise<void> {
    if (isThorough) this.checkpoint();
    return this.commits.submit(() => {
      this.statements.run('check', { now: this.clock.wall() });
      if (isThorough) this.statements.run('fill', { bytes: FILLER_BYTES });
      else this.statements.run('empty', {});
    });
  }

  close(): Promise<void> {
    if (this.closed) return Promise.resolve();
    this.closed = true;
    this.commits.close();
    this.watchers.removeAllListeners();
    try {
      unlock(this.database);
    } catch {
      // A disk that takes no writes keeps the log, which is read when the file is opened again.
    }
    this.database.close();
    return Promise.resolve();
  }

  /** Copies the log to the database. */
  private checkpoint(): void {
    try {
      this.database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all({});
    } catch {
      // There is no space for it. The log has everything.
    }
  }

  private find(id: string, caller: string | undefined): RequestRow | undefined {
    const row = this.statements.row<RequestRow>('byId', { id });
    return caller === undefined || row?.caller === caller ? row : undefined;
  }

  private async change<T>(id: string, run: () => T, isCancellation = false): Promise<T> {
    const result = await this.commits.submit(run);
    this.watchers.emit(CHANGED, id, isCancellation);
    return result;
  }

  private read<T>(run: () => T): Promise<T> {
    if (this.closed) return Promise.reject(closedError());
    try {
      return Promise.resolve(run());
    } catch (error) {
      return Promise.reject(unavailable(error));
    }
  }
}

/**
 * Opens a file, which is created with its folder if it is missing, and brings its tables to the newest version.
 *
 * @throws {ZeroMQConfigError} when the file cannot be opened, another process uses it, or there is
 * no SQLite.
 */
export function openSqliteStore(file: string, limits: StoreLimits, clock: Clock = systemClock): SqliteStore {
  const database = opened(file);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    // Reads the journal mode, and so takes the lock.
    database.prepare('PRAGMA journal_mode = WAL').all({});
    database.prepare(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`).all({});
    database.exec(`PRAGMA synchronous = FULL; PRAGMA cache_size = -${CACHE_KIB}; BEGIN IMMEDIATE; COMMIT`);
    migrateSqlite(database, file);
    return new SqliteStore(database, limits, clock);
  } catch (error) {
    database.close();
    if (error instanceof ZeroMQConfigError) throw error;
    throw cannotOpen(file, error);
  }
}

/**
 * Releases the lock of the file, which is possible only without a write-ahead log. `libsql` closes
 * the file only when its statements have been collected as garbage.
 */
function unlock(database: SqliteDatabase): void {
  database.prepare('PRAGMA journal_mode = DELETE').all({});
  database.exec('PRAGMA locking_mode = NORMAL; BEGIN IMMEDIATE; COMMIT');
}

function opened(file: string): SqliteDatabase {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return openSqlite(file);
  } catch (error) {
    if (error instanceof ZeroMQConfigError) throw error;
    throw cannotOpen(file, error);
  }
}

function cannotOpen(file: string, cause: unknown): ZeroMQConfigError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const used = /locked|busy/i.test(reason)
    ? 'another process uses it; give each gateway a file of its own, or use PostgreSQL'
    : reason;
  return new ZeroMQConfigError(`store sqlite:${file}: cannot open the file: ${used}`, { cause });
}
