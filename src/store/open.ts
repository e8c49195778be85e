/** Opens the store that a URL names. */
import { existsSync } from 'node:fs';
import { hasPackage, missingPackage } from '../core/identity/optional-package.ts';
import { DEFAULT_LIMITS, type RequestStore, type StoreLimits } from './model/store.ts';
import { parseStoreUrl } from './url.ts';

/** Options of {@link openStore}. */
export interface StoreOptions {
  /** Limits of what is stored; see {@link DEFAULT_LIMITS}. */
  readonly limits?: Partial<StoreLimits>;
  /** Called when a connection to the database is lost, and when it is back. */
  readonly report?: ((message: string, error?: Error) => void) | undefined;
}

/**
 * Checks the URL of a store without opening it.
 *
 * @throws {ZeroMQConfigError} when the URL is not valid, or PostgreSQL is named and its package is
 * missing. That of SQLite depends on Node.js, and is checked when the file is opened.
 */
export function checkStore(url: string): void {
  const { kind } = parseStoreUrl(url);
  if (kind === 'postgres' && !hasPackage('pg')) throw missingPackage('pg', 'store postgres');
}

/** Whether a store may have requests. A file that does not exist has none. */
export function storeExists(url: string): boolean {
  const address = parseStoreUrl(url);
  return address.kind === 'postgres' || existsSync(address.file);
}

/**
 * Opens a store, and brings its tables to the newest version. The code of the other database is not
 * loaded.
 *
 * @throws {ZeroMQConfigError} when the URL is not valid, an optional package is missing, or the file
 * cannot be opened.
 * @throws {StoreUnavailableError} when PostgreSQL cannot be reached.
 */
export async function openStore(url: string, options: StoreOptions = {}): Promise<RequestStore> {
  const address = parseStoreUrl(url);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  if (address.kind === 'sqlite') {
    if (isCompiled()) {
      const { openSqliteThread } = await import('./sqlite/sqlite-thread.ts');
      return openSqliteThread(address.file, limits);
    }
    const { openSqliteStore } = await import('./sqlite/sqlite-store.ts');
    return openSqliteStore(address.file, limits);
  }
  const { openPostgresStore } = await import('./postgres/postgres-store.ts');
  return openPostgresStore(address.url, limits, options.report);
}

/** Threads run compiled code only; the tests of this project run most stores without a thread. */
function isCompiled(): boolean {
  return !import.meta.url.endsWith('.ts');
}
