/** Selects the connection for a request. */
import type { ClientConnection } from './pending-request.ts';

/**
 * Selects the connection with capacity that has the fewest requests in flight; a suspect one only if
 * there is no other.
 *
 * @param excluded connections that must not be selected
 */
export function selectConnection(
  connections: readonly ClientConnection[],
  excluded?: ReadonlySet<ClientConnection>,
): ClientConnection | undefined {
  let best: ClientConnection | undefined;
  for (const connection of connections) {
    if (excluded?.has(connection) === true) continue;
    if (connection.hasCapacity && (best === undefined || isBetter(connection, best))) best = connection;
  }
  return best;
}

function isBetter(connection: ClientConnection, other: ClientConnection): boolean {
  return connection.suspect === other.suspect ? connection.inFlight < other.inFlight : other.suspect;
}
