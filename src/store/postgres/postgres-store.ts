/**
 * The store in PostgreSQL, for any number of gateways. Each change is one statement; PostgreSQL
 * groups the commits of concurrent ones.
 */
import { ZeroMQError } from '../../core/messages/errors.ts';
import { closedError, unavailable } from '../model/errors.ts';
import type {
  ClaimedRequest,
  Hold,
  NewRequest,
  Outcome,
  StoredRequest,
  StoredResult,
} from '../model/request.ts';
import {
  type Bytes,
  bytesOf,
  claimedRequest,
  holdOf,
  type PayloadRow,
  type RequestRow,
  storedRequest,
} from '../model/rows.ts';
import { REQUEST_STATES, type RequestState, statesBefore } from '../model/states.ts';
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
import { type PgPool, postgresDriver } from './driver.ts';
import { LIMIT_REACHED } from './functions.ts';
import { listQuery } from './list.ts';
import { Listener } from './listener.ts';
import { migratePostgres } from './migrations.ts';
import { SQL } from './statements.ts';

export class PostgresStore implements RequestStore {
  private readonly pool: PgPool;
  private readonly listener: Listener;
  private readonly limits: StoreLimits;
  private closed = false;

  constructor(pool: PgPool, listener: Listener, limits: StoreLimits) {
    this.pool = pool;
    this.listener = listener;
    this.limits = limits;
  }

  async create(request: NewRequest): Promise<Creation> {
    try {
      for (;;) {
        const [row] = await this.rows<CreationRow>(SQL.create, creationValues(request, this.limits));
        if (row === undefined) throw unavailable(new Error('create_request returned nothing'));
        if (row.created === true) {
          return { outcome: 'created', request: storedRequest(row), hold: holdOf(row) };
        }
        if (row.created === false) return { outcome: 'existing', request: storedRequest(row) };
        await this.rows(SQL.forget, [row.id]);
      }
    } catch (error) {
      const limit = limitOf(error);
      if (limit === undefined) throw error;
      return { outcome: 'full', limit };
    }
  }

  async get(id: string, caller?: string): Promise<StoredRequest | undefined> {
    const [row] = await this.rows<RequestRow>(SQL.get, [id, caller ?? null]);
    return row && storedRequest(row);
  }

  async result(id: string, caller?: string): Promise<StoredResult | undefined> {
    type Row = { status: number; headers: string; body: Bytes };
    const [row] = await this.rows<Row>(SQL.result, [id, caller ?? null]);
    if (row === undefined) return undefined;
    return { status: row.status, headers: JSON.parse(row.headers) as string[], body: bytesOf(row.body) };
  }

  start(hold: Hold): Promise<boolean> {
    return this.changed(SQL.start, [...idsOf(hold), statesBefore('running')]);
  }

  requeue(hold: Hold): Promise<boolean> {
    return this.changed(SQL.requeue, [...idsOf(hold), statesBefore('accepted')]);
  }

  async finish(hold: Hold, { state, code, result, retention }: Outcome): Promise<boolean> {
    const [row] = await this.rows<{ done: boolean }>(SQL.finish, [
      ...idsOf(hold),
      statesBefore(state),
      state,
      code,
      result?.status ?? null,
      result === undefined ? null : JSON.stringify(result.headers),
      result?.body ?? null,
      retention ?? null,
    ]);
    return row?.done === true;
  }

  progress(hold: Hold, json: string): Promise<boolean> {
    return this.changed(SQL.progress, [...idsOf(hold), json]);
  }

  async cancel(id: string, caller?: string): Promise<Cancellation> {
    const [row] = await this.rows<{ done: Cancellation }>(SQL.cancel, [id, caller ?? null]);
    return row?.done ?? 'missing';
  }

  async renew(holds: readonly Hold[], lease: number): Promise<Renewal> {
    type Row = { id: string; cancel_requested: number };
    const rows = await this.rows<Row>(SQL.renew, [...columnsOf(holds), lease]);
    const renewed = new Set(rows.map(({ id }) => id));
    return {
      lost: holds.map(({ id }) => id).filter((id) => !renewed.has(id)),
      cancelRequested: rows.filter((row) => row.cancel_requested !== 0).map(({ id }) => id),
    };
  }

  async claim(owner: string, lease: number, limit: number): Promise<ClaimedRequest[]> {
    const rows = await this.rows<RequestRow & PayloadRow>(SQL.claim, [owner, lease, limit]);
    return rows.map((row) => claimedRequest(row, row));
  }

  async release(holds: readonly Hold[]): Promise<void> {
    await this.rows(SQL.release, columnsOf(holds));
  }

  async list(query: ListQuery): Promise<StoredRequest[]> {
    const { sql, values } = listQuery(query);
    return (await this.rows<RequestRow>(sql, values)).map(storedRequest);
  }

  async expire(limit: number): Promise<number> {
    const [row] = await this.rows<{ deleted: number }>(SQL.expire, [limit]);
    return row?.deleted ?? 0;
  }

  async statistics(): Promise<StoreStatistics> {
    const [states, totals] = await Promise.all([
      this.rows<{ state: RequestState; requests: number }>(SQL.states, []),
      this.rows<{ bytes: number; oldest: number | null }>(SQL.totals, []),
    ]);
    const counts = new Map(states.map(({ state, requests }) => [state, requests]));
    return {
      states: Object.fromEntries(REQUEST_STATES.map((state) => [state, counts.get(state) ?? 0])) as Record<
        RequestState,
        number
      >,
      bytes: totals[0]?.bytes ?? 0,
      oldest: ageOf(totals[0]?.oldest ?? null),
    };
  }

  watch(listener: ChangeListener): () => void {
    return this.listener.watch(listener);
  }

  async check(isThorough: boolean): Promise<void> {
    const [row] = await this.rows<{ standby: boolean }>(SQL.check, []);
    if (row?.standby === true) throw unavailable(new Error('the server is a standby, which takes no writes'));
    if (isThorough) await this.rows(SQL.write, []);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.listener.close();
    await this.pool.end();
  }

  private async changed(sql: string, values: readonly unknown[]): Promise<boolean> {
    return (await this.rows(sql, values)).length > 0;
  }

  private async rows<T>(sql: string, values: readonly unknown[]): Promise<T[]> {
    if (this.closed) throw closedError();
    try {
      return (await this.pool.query(sql, values)).rows as T[];
    } catch (error) {
      throw unavailable(error);
    }
  }
}

/** Never negative: the clock of the database may be set back. */
function ageOf(oldest: number | null): number | undefined {
  return oldest === null ? undefined : Math.max(0, oldest);
}

/** `created` is null for a former request whose retention is over. */
type CreationRow = RequestRow & { readonly created: boolean | null };

function creationValues(request: NewRequest, limits: StoreLimits): unknown[] {
  return [
    request.id,
    request.caller,
    request.event,
    request.key ?? null,
    request.fingerprint,
    request.state,
    Number(request.idempotent),
    request.data,
    request.metadata,
    request.timeout,
    request.retention,
    request.owner,
    request.lease,
    limits.requestsPerCaller,
    limits.bytesPerCaller,
    limits.requests,
    limits.bytes,
  ];
}

function idsOf({ id, owner, attempt }: Hold): unknown[] {
  return [id, owner, attempt];
}

function columnsOf(holds: readonly Hold[]): unknown[] {
  return [holds.map(({ id }) => id), holds.map(({ owner }) => owner), holds.map(({ attempt }) => attempt)];
}

/** The limit that an error of the function `create_request` names. */
function limitOf(error: unknown): keyof StoreLimits | undefined {
  const cause = (error as Error).cause as { code?: string; message: string } | undefined;
  return cause?.code === LIMIT_REACHED ? (cause.message as keyof StoreLimits) : undefined;
}

/**
 * Connects, and brings the tables to the newest version.
 *
 * @throws {ZeroMQConfigError} when `pg` is not installed, or a later release changed the tables.
 * @throws {StoreUnavailableError} when PostgreSQL cannot be reached.
 */
export async function openPostgresStore(
  url: string,
  limits: StoreLimits,
  report: (message: string, error?: Error) => void = () => undefined,
): Promise<PostgresStore> {
  const { pool, client } = postgresDriver(url);
  pool.on('error', (error) => report('connection to PostgreSQL failed', error));
  const listener = new Listener(client, report);
  try {
    const migration = client();
    migration.on('error', () => undefined); // The query rejects as well.
    await migration.connect();
    await migratePostgres(migration).finally(() => migration.end());
    await listener.start();
    return new PostgresStore(pool, listener, limits);
  } catch (error) {
    await Promise.allSettled([pool.end(), listener.close()]);
    throw error instanceof ZeroMQError ? error : unavailable(error);
  }
}
