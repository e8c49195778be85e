/**
 * Binding a socket: an address that is in use is waited for a moment, socket files make way and are removed in the end,
 * and what fails says why.
 */
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Socket as RawSocket } from 'zeromq';
import { toError, ZeroMQSocketInvalid } from '../../core/messages/errors.ts';
import { systemClock } from '../../core/time/clock.ts';
import { type ZeroMQConnection, ZeroMQIPCConnection, ZeroMQTCPConnection } from '../addressing/connection.ts';
import { BoundIpcFile, clearIpcPath } from './ipc-file.ts';

/**
 * How long a bind waits for an address that is in use, and between attempts, in ms: libzmq gives one back a moment after
 * the socket before was closed.
 */
const PATIENCE = 250;
const INTERVAL = 10;

/** What zeromq.js now and then says of a bind in place of its true fault; the next attempt tells. */
const UNTOLD = 'EAGAIN';

/** A socket that can be bound. */
export type Bindable = Pick<RawSocket, 'bind' | 'lastEndpoint'>;

/** Where a socket is bound. */
export interface Bound {
  /** The endpoint in use, with the port that was picked where 0 was asked for. */
  readonly endpoint: string;
  /** The socket file, where there is one; whoever closes the socket removes it. */
  readonly file: BoundIpcFile | undefined;
}

/**
 * Binds.
 *
 * @param givenUp whether nobody wants the socket any more.
 * @throws ZeroMQSocketInvalid when the address is in use, not of this host or not writable.
 */
export async function bindSocket(
  raw: Bindable,
  connection: ZeroMQConnection,
  givenUp: () => boolean,
): Promise<Bound> {
  const end = systemClock.now() + PATIENCE;
  let inUse: unknown;
  for (;;) {
    try {
      return await bindOnce(raw, connection);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EADDRINUSE') inUse = error;
      else if (code !== UNTOLD) throw error;
      if (systemClock.now() > end || givenUp()) throw inUse ?? error;
      await delay(INTERVAL);
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

/** libzmq's words, but where they mislead: it looks up no names to bind, and says anything of one that it was given. */
function reasonOf(connection: ZeroMQConnection, cause: unknown): string {
  const host = connection instanceof ZeroMQTCPConnection ? connection.bindHost : '*';
  const isName = host !== '*' && host !== 'localhost' && isIP(host) === 0;
  if (!isName || codeOf(cause) === 'EADDRINUSE') return toError(cause).message;
  return `${host} is neither an IP address nor a network interface of this host`;
}

/** The code of an error of libzmq or Node; `UNKNOWN` where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
}
