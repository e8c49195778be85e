/**
 * SQLite: the package `libsql` if it is installed, else the SQLite of Node.js 22.13 and later. Both
 * are synchronous: a transaction is one function call. `libsql` is an optional peer, because it has
 * 10 MB and only durable requests need it; its binaries are packages of npm.
 */
import { missingPackage, optionalPackage } from '../../core/identity/optional-package.ts';

/** The values of a row or of parameters. */
export type SqlValue = string | number | Uint8Array | null;

/** The part of a database that both drivers offer. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

/** A prepared statement; parameters are given by name. */
export interface SqliteStatement {
  all(parameters: Readonly<Record<string, SqlValue>>): unknown[];
  run(parameters: Readonly<Record<string, SqlValue>>): { readonly changes: number | bigint };
}

type DatabaseClass = new (file: string) => SqliteDatabase;

/**
 * Opens a file, which is created if it is missing.
 *
 * @throws {ZeroMQConfigError} when there is no SQLite.
 */
export function openSqlite(file: string): SqliteDatabase {
  const Database = libsql() ?? builtIn();
  if (Database === undefined) throw missingPackage('libsql', `store sqlite:${file}`);
  return new Database(file);
}

function libsql(): DatabaseClass | undefined {
  return optionalPackage('libsql') as DatabaseClass | undefined;
}

/** Undefined before Node.js 22.13. */
function builtIn(): DatabaseClass | undefined {
  const sqlite = process.getBuiltinModule('node:sqlite') as { DatabaseSync: DatabaseClass } | undefined;
  return sqlite?.DatabaseSync;
}
