/** The setting `store`: which database keeps durable requests. */
import { ZeroMQConfigError } from '../core/messages/errors.ts';

/** A database, as its URL names it. */
export type StoreAddress =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string };

const FORMS = 'use sqlite:FILE or postgres://USER:PASSWORD@HOST:PORT/DATABASE';

/**
 * Reads `sqlite:FILE` or a `postgres://` URL. A relative file belongs to the working folder.
 *
 * @throws {ZeroMQConfigError} when it is neither. The message never contains a password.
 */
export function parseStoreUrl(text: string): StoreAddress {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'sqlite':
      return { kind: 'sqlite', file: sqliteFile(text) };
    case 'postgres':
    case 'postgresql':
      return { kind: 'postgres', url: postgresUrl(text) };
    case undefined:
      throw new ZeroMQConfigError(`store: the URL has no scheme; ${FORMS}`);
    default:
      throw new ZeroMQConfigError(`store: unknown scheme "${scheme}:"; ${FORMS}`);
  }
}

/** Names a store in logs: the URL without user, password and parameters. */
export function storeName(address: StoreAddress): string {
  if (address.kind === 'sqlite') return `sqlite:${address.file}`;
  const { host, pathname } = new URL(address.url);
  return `postgres://${host}${pathname}`;
}

function sqliteFile(text: string): string {
  const rest = text.slice('sqlite:'.length);
  const path = rest.startsWith('//') ? pathOfAuthority(rest) : rest;
  if (path === '') throw new ZeroMQConfigError('store: sqlite: has no file; use sqlite:FILE');
  // A store that its process takes along is not durable, and a URI would switch the locks off.
  if (path === ':memory:' || path.endsWith('/') || path.startsWith('file:') || path.includes('\0')) {
    throw new ZeroMQConfigError(
      `store: "${path.replaceAll('\0', '\\0')}" is not the path of a file; use sqlite:FILE`,
    );
  }
  return path;
}

/** `sqlite:///var/lib/store.db`: an empty host and an absolute path. */
function pathOfAuthority(rest: string): string {
  if (rest.startsWith('///')) return rest.slice(2);
  throw new ZeroMQConfigError(
    `store: sqlite:${rest} names a host; use sqlite:FILE, or sqlite:///FILE for an absolute path`,
  );
}

function postgresUrl(text: string): string {
  // `postgres:gateway` is a URL as well, without a host.
  if (!/^[a-z]+:\/\//i.test(text) || !URL.canParse(text)) {
    throw new ZeroMQConfigError(`store: the PostgreSQL URL is not valid; ${FORMS}`);
  }
  const { pathname } = new URL(text);
  if (pathname.length < 2) {
    throw new ZeroMQConfigError(`store: the PostgreSQL URL does not name a database; ${FORMS}`);
  }
  return text;
}
