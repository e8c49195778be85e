/** Why a client has no connection to its routers: logged, and part of the errors of its requests. */
import type { Logger } from '../core/logging/logging.ts';
import { TroubleLog } from '../core/observability/trouble-log.ts';
import type { ZeroMQConnection } from '../transport/addressing/connection.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';
import { watchTrouble } from '../transport/socket/connection-trouble.ts';

export class ConnectionTroubles {
  /** By connection string. */
  private readonly logs = new Map<string, TroubleLog>();

  constructor(
    private readonly logger: Logger,
    private readonly encrypted: boolean,
  ) {}

  /** Follows the connection attempts of a socket until `forget` is called. */
  watch(monitor: ZeroMQSocketMonitor, connection: ZeroMQConnection): void {
    const endpoint = connection.toString();
    const log = new TroubleLog((reason) => {
      this.logger.warn({ endpoint }, `no connection to the router or server yet: ${reason}`);
    });
    this.logs.set(endpoint, log);
    monitor.on('handshake', () => {
      if (log.end()) this.logger.info({ endpoint }, 'connected to the router or server');
    });
    const { encrypted } = this;
    watchTrouble({ monitor, connection, encrypted }, (reason) => {
      if (this.logs.get(endpoint) === log) log.note(reason);
    });
  }

  forget(connection: ZeroMQConnection): void {
    const endpoint = connection.toString();
    this.logs.get(endpoint)?.end();
    this.logs.delete(endpoint);
  }

  close(): void {
    for (const log of this.logs.values()) log.end();
    this.logs.clear();
  }

  /** The reasons that apply, to be appended to an error message; empty if none is known. */
  toString(): string {
    const known = [...this.logs].filter(([, { reason }]) => reason !== undefined);
    const [first, ...others] = known;
    if (first === undefined) return '';
    if (others.length === 0 && this.logs.size === 1) return `: ${String(first[1].reason)}`;
    return `: ${known.map(([endpoint, { reason }]) => `${endpoint}: ${String(reason)}`).join('; ')}`;
  }
}
