/**
 * postgres: the store of several gateways. Leases by the clock of the database, and notifications
 * of changes.
 *
 * The package `pg`, an optional peer: only gateways that share durable requests need it. Declared
 * here is the part that the store uses.
 */
import { missingPackage, optionalPackage } from '../../core/identity/optional-package.ts';

export interface PgResult {
  readonly rows: unknown[];
  readonly rowCount: number | null;
}

export interface PgQueryable {
  query(sql: string, values?: readonly unknown[]): Promise<PgResult>;
}

export interface PgClient extends PgQueryable {
  connect(): Promise<unknown>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (message: { payload?: string }) => void): unknown;
}

export interface PgPool extends PgQueryable {
  on(event: 'error', listener: (error: Error) => void): unknown;
  end(): Promise<void>;
}

interface Types {
  getTypeParser(oid: number, format?: string): unknown;
}

interface PgPackage {
  Pool: new (options: object) => PgPool;
  Client: new (options: object) => PgClient;
  types: Types;
}

/** Connections for statements. One more listens for notifications. */
const POOL_SIZE = 10;
/** Time in ms after which a statement, or an attempt to connect, fails. */
const PATIENCE = 5000;
/** Type of PostgreSQL that `pg` returns as text by default, because it can exceed a double. */
const BIGINT = 20;

/** @throws {ZeroMQConfigError} when `pg` is not installed. */
export function postgresDriver(url: string): { pool: PgPool; client: () => PgClient } {
  const pg = optionalPackage('pg') as PgPackage | undefined;
  if (pg === undefined) throw missingPackage('pg', 'store postgres');
  const types: Types = {
    getTypeParser: (oid, format) => (oid === BIGINT ? Number : pg.types.getTypeParser(oid, format)),
  };
  const options = {
    connectionString: url,
    application_name: 'zeromq-gateway',
    connectionTimeoutMillis: PATIENCE,
    keepAlive: true,
    types,
  };
  return {
    pool: new pg.Pool({ ...options, max: POOL_SIZE, query_timeout: PATIENCE, statement_timeout: PATIENCE }),
    // No limit for statements: a migration waits for the lock of another gateway.
    client: () => new pg.Client(options),
  };
}
