/**
 * Logs the connections of a client. Of several sockets with the same endpoint, it logs the first one
 * that is connected and the last one that is lost.
 */
import type { Logger } from '../core/logging/logging.ts';
import { logFact } from '../core/observability/node-facts.ts';

export class ConnectionLog {
  /** Number of connected sockets, by endpoint. */
  private readonly counts = new Map<string, number>();

  constructor(private readonly logger: Logger) {}

  connected(endpoint: string): void {
    const before = this.counts.get(endpoint) ?? 0;
    this.counts.set(endpoint, before + 1);
    if (before === 0) logFact(this.logger, { endpoint }, 'connected');
  }

  disconnected(endpoint: string): void {
    const remaining = (this.counts.get(endpoint) ?? 0) - 1;
    if (remaining > 0) {
      this.counts.set(endpoint, remaining);
      return;
    }
    this.counts.delete(endpoint);
    logFact(this.logger, { endpoint }, 'disconnected');
  }
}
