/**
 * socket: one ZeroMQ socket (`message-socket.ts`). Binding, sending without blocking, reconnecting,
 * and reports about connections.
 *
 * Binds a socket. Waits briefly for an address in use, handles socket files, and reports why a bind
 * failed.
 */
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Socket as RawSocket } from 'zeromq';
import { toError, ZeroMQSocketInvalid } from '../../core/messages/errors.ts';
import { systemClock } from '../../core/time/clock.ts';
import { type ZeroMQConnection, ZeroMQIPCConnection, ZeroMQTCPConnection } from '../addressing/connection.ts';
import { BoundIpcFile, clearIpcPath } from './ipc-file.ts';

/**
 * How long a bind is retried while the address is in use, and the interval of the attempts, in ms.
 * libzmq releases an address a moment after the previous socket was closed.
 */
const RETRY_FOR = 250;
const RETRY_INTERVAL = 10;

/**
 * A code that zeromq.js occasionally reports instead of the real error. The next attempt reports the
 * real one.
 */
const SPURIOUS_CODE = 'EAGAIN';

/** A socket that can be bound. */
export type Bindable = Pick<RawSocket, 'bind' | 'lastEndpoint'>;

/** The result of a bind. */
export interface Bound {
  /** The endpoint in use, with the chosen port if port 0 was requested. */
  readonly endpoint: string;
  /** The socket file, if any; the owner removes it when it closes the socket. */
  readonly file: BoundIpcFile | undefined;
}

/**
 * Binds a socket.
 *
 * @param isClosed whether the socket was closed meanwhile
 * @throws {ZeroMQSocketInvalid} when the address is in use, does not belong to this host or is not
 *   writable
 */
export async function bindSocket(
  raw: Bindable,
  connection: ZeroMQConnection,
  isClosed: () => boolean,
): Promise<Bound> {
  const end = systemClock.now() + RETRY_FOR;
  let inUse: unknown;
  for (;;) {
    try {
      return await bindOnce(raw, connection);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EADDRINUSE') inUse = error;
      else if (code !== SPURIOUS_CODE) throw error;
      if (systemClock.now() > end || isClosed()) throw inUse ?? error;
      await delay(RETRY_INTERVAL);
    }
  }
}

async function bindOnce(raw: Bindable, connection: ZeroMQConnection): Promise<Bound> {
  const endpoint = connection.getConnectionString(true);
  const path = connection instanceof ZeroMQIPCConnection ? connection.ipcPath : undefined;
  if (path !== undefined) await clearIpcPath(path);
  try {
    await raw.bind(endpoint);
  } catch (cause) {
    const message = `cannot bind ${endpoint}: ${reasonOf(connection, cause)}`;
    throw new ZeroMQSocketInvalid(codeOf(cause), message, { cause });
  }
  return {
    endpoint: raw.lastEndpoint ?? endpoint,
    file: path === undefined ? undefined : new BoundIpcFile(path),
  };
}

/**
 * Returns libzmq's reason, except where it is misleading: libzmq does not resolve names to bind,
 * and its error for a name is arbitrary.
 */
function reasonOf(connection: ZeroMQConnection, cause: unknown): string {
  const host = connection instanceof ZeroMQTCPConnection ? connection.bindHost : '*';
  const isName = host !== '*' && host !== 'localhost' && isIP(host) === 0;
  if (!isName || codeOf(cause) === 'EADDRINUSE') return toError(cause).message;
  return `${host} is neither an IP address nor a network interface of this host`;
}

/** Returns the code of an error of libzmq or Node.js; `UNKNOWN` if it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
}
