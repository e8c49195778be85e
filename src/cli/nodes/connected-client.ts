/** The client of commands that send requests to a running node. */
import { ZeroMQClient, type ZeroMQClientOptions } from '../../client/index.ts';
import { silentLogger } from '../../core/logging/logging.ts';
import { ZeroMQError } from '../../core/messages/errors.ts';
import { requestError } from '../settings/errors.ts';
import type { ValuesOf } from '../settings/settings.ts';
import { type CURVE_CLIENT_SETTINGS, clientCurve } from './curve.ts';

/** Where a command connects to, and for how long it may take. */
export interface ClientValues extends ValuesOf<typeof CURVE_CLIENT_SETTINGS> {
  readonly to: string;
  /** Timeout of a request, in milliseconds. */
  readonly timeout: number;
}

/** Minimum time to wait for a connection, in milliseconds; the default of the Python framework. */
const MIN_WAIT = 2000;

/** Share of the timeout that the connection may take. */
const SHARE = 0.4;

/**
 * Returns how long a command waits for its connection, in milliseconds: 2 s, more with a timeout
 * above 5 s, and never longer than the timeout.
 */
export function connectWait(timeout: number): number {
  return Math.min(timeout, Math.max(MIN_WAIT, Math.round(SHARE * timeout)));
}

/**
 * Connects a client, calls `use`, and closes the client. `use` gets what the connection left of the
 * timeout, in milliseconds, at least 1.
 *
 * @throws {CommandError} when a request fails; the message contains the error code and a remedy.
 */
export async function withClient<T>(
  values: ClientValues,
  options: Partial<ZeroMQClientOptions>,
  use: (client: ZeroMQClient, timeLeft: number) => Promise<T>,
): Promise<T> {
  const { to: connection, timeout } = values;
  const client = new ZeroMQClient({
    connection,
    timeout,
    curve: clientCurve(values),
    logger: silentLogger, // the error has the reason
    ...options,
  });
  const began = performance.now();
  try {
    await client.connect({ timeout: connectWait(timeout), throwOnFailure: true });
    return await use(client, Math.max(1, Math.round(timeout - (performance.now() - began))));
  } catch (error) {
    throw error instanceof ZeroMQError && error.code !== 'INVALID_ARGUMENT' ? requestError(error) : error;
  } finally {
    await client.close();
  }
}
