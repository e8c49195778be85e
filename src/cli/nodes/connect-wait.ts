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
