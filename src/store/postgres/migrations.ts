/** The tables and functions in PostgreSQL, by version. A released version never changes. */
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { PgClient } from './driver.ts';
import { FUNCTIONS } from './functions.ts';
import { TABLES } from './tables.ts';

const MIGRATIONS: readonly string[] = [TABLES + FUNCTIONS];

/** A number of this project, for the lock that gateways take while they change tables. */
const ADVISORY_LOCK = 5_555_001;

/**
 * Brings the tables to the newest version, in one transaction. Gateways that start at the same time
 * wait for each other.
 *
 * @throws {ZeroMQConfigError} when a later release changed the tables.
 */
export async function migratePostgres(client: PgClient): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
    await client.query('CREATE SCHEMA IF NOT EXISTS zeromq_gateway');
    await client.query('CREATE TABLE IF NOT EXISTS zeromq_gateway.version (version int NOT NULL)');
    const { rows } = await client.query('SELECT version FROM zeromq_gateway.version');
    await upgrade(client, (rows[0] as { version: number } | undefined)?.version ?? 0);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function upgrade(client: PgClient, version: number): Promise<void> {
  if (version > MIGRATIONS.length) {
    throw new ZeroMQConfigError(
      `store: the tables in PostgreSQL have version ${version}, and this release knows versions up to ${MIGRATIONS.length}; install the later release that changed them, or use another database`,
    );
  }
  if (version === MIGRATIONS.length) return;
  for (const sql of MIGRATIONS.slice(version)) await client.query(sql);
  await client.query('DELETE FROM zeromq_gateway.version');
  await client.query('INSERT INTO zeromq_gateway.version VALUES ($1)', [MIGRATIONS.length]);
}
