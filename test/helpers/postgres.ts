/** A PostgreSQL server of the test, with data in a temporary folder and a port of its own. */
import { freePort } from '../../scripts/lib/ports.ts';
import { createPostgres } from '../../scripts/lib/postgres.ts';
import { postgresDriver } from '../../src/store/postgres/driver.ts';
import { type RunningProcess, startProcess } from './processes.ts';
import type { Cleanup } from './scope.ts';
import { tempFolder } from './temp.ts';

export { POSTGRES_MISSING } from '../../scripts/lib/postgres.ts';

export interface TestPostgres {
  /** Creates an empty database, and returns its URL. */
  createDatabase(name: string): Promise<string>;
  /** Deletes everything that a store has written to a database. */
  clear(url: string): Promise<void>;
  readonly server: RunningProcess;
  /** Starts the server again, after it has ended. */
  restart(): Promise<RunningProcess>;
}

/** Starts a server, which ends with the test. Nothing is flushed to the disk, except on request. */
export async function startPostgres(cleanup: Cleanup, { fsync = false } = {}): Promise<TestPostgres> {
  const { command, args, urlOf } = createPostgres(tempFolder(cleanup), await freePort(), fsync);
  const start = async (): Promise<RunningProcess> => {
    const server = startProcess(cleanup, command, args, { cwd: '/' });
    // A fast shutdown: SIGTERM alone would wait for clients.
    cleanup.after(() => server.kill('SIGINT'));
    await server.waitForError(/ready to accept connections/);
    return server;
  };
  const server = await start();
  const createDatabase = async (name: string): Promise<string> => {
    await queryPostgres(urlOf('postgres'), `CREATE DATABASE ${name}`);
    return urlOf(name);
  };
  const tables = ['requests', 'payloads', 'results', 'usage'].map((table) => `zeromq_gateway.${table}`);
  const clear = async (url: string): Promise<void> => {
    await queryPostgres(url, `TRUNCATE ${tables.join(', ')}`);
  };
  return { createDatabase, clear, server, restart: start };
}

/** Runs one statement, and returns its rows. */
export async function queryPostgres(url: string, sql: string): Promise<unknown[]> {
  const client = postgresDriver(url).client();
  await client.connect();
  const { rows } = await client.query(sql).finally(() => client.end());
  return rows;
}
