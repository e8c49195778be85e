/** Selects the connection for a request. */
import type { ClientConnection } from './pending-request.ts';

/**
 * Selects the connection with capacity that has the fewest requests in flight; one to another zone or a
 * suspect one only if there is no other. Equal connections take turns: at low load none has a request in flight, and the
 * first one would otherwise get all requests.
 */
export class ConnectionSelector {
  connections: readonly ClientConnection[] = [];
  /** Index at which the next search starts: behind the connection that was selected last. */
  private start = 0;

  /** @param excluded connections that must not be selected */
  select(excluded?: ReadonlySet<ClientConnection>): ClientConnection | undefined {
    const { connections } = this;
    const { length } = connections;
    let best: ClientConnection | undefined;
    let next = this.start;
    for (let index = this.start, left = length; left > 0; left -= 1, index += 1) {
      if (index >= length) index = 0;
      const connection = connections[index];
      if (connection?.hasCapacity !== true || excluded?.has(connection) === true) continue;
      if (best !== undefined && !isBetter(connection, best)) continue;
      best = connection;
      next = index + 1;
    }
    this.start = next;
    return best;
  }
}

function isBetter(connection: ClientConnection, other: ClientConnection): boolean {
  if (connection.suspect !== other.suspect) return other.suspect;
  if (connection.far !== other.far) return other.far === true;
  return connection.inFlight < other.inFlight;
}
