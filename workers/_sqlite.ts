/**
 * Opens SQLite files: with the package `libsql` if it is installed, otherwise with the SQLite of
 * Node.js, which exists since version 22.13.
 */
import { createRequire } from 'node:module';

/** The part of a database that the sample needs; `libsql` and Node.js both offer it. */
export interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): unknown;
}

/** A prepared statement; parameters are given by name. */
export interface Statement {
  all(parameters: object): unknown[];
  get(parameters: object): unknown;
  run(parameters: object): { readonly changes: number | bigint };
}

interface Driver {
  open(file: string): Database;
}

/**
 * Opens a file, which is created if it is missing.
 *
 * @throws {Error} when there is no SQLite, or the file cannot be opened.
 */
export function openDatabase(file: string): Database {
  const driver = libsql() ?? builtIn();
  if (driver === undefined) {
    throw new Error(
      `cannot open ${file}: there is no SQLite; use Node.js 22.13 or later, or run npm install libsql`,
    );
  }
  const database = driver.open(file);
  // Readers and a writer do not block each other.
  database.prepare('PRAGMA journal_mode = WAL').all({});
  return database;
}

/** Maximum wait for a lock of another process, in milliseconds. */
const BUSY_TIMEOUT = 5000;

const load = createRequire(import.meta.url);

function libsql(): Driver | undefined {
  const Libsql = loaded('libsql') as (new (file: string, options: object) => Database) | undefined;
  return Libsql && { open: (file) => new Libsql(file, { timeout: BUSY_TIMEOUT }) };
}

function builtIn(): Driver | undefined {
  const sqlite = loaded('node:sqlite') as { DatabaseSync: new (file: string) => Database } | undefined;
  if (sqlite === undefined) return undefined;
  return {
    open: (file) => {
      const database = new sqlite.DatabaseSync(file);
      database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
      return database;
    },
  };
}

/** Loads a module; undefined if it does not exist. */
function loaded(name: string): unknown {
  try {
    return load(name);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_UNKNOWN_BUILTIN_MODULE') return undefined;
    throw error;
  }
}
