/** Logs the connections of a client: the first one to an endpoint, and the loss of the last one. */
import type { Logger } from '../core/logging/logging.ts';
import { logFact } from '../core/observability/node-facts.ts';

export class ConnectionLog {
  /** Number of connected sockets, by endpoint. */
  private readonly counts = new Map<string, number>();

  constructor(private readonly logger: Logger) {}

  cameUp(endpoint: string): void {
    const before = this.counts.get(endpoint) ?? 0;
    this.counts.set(endpoint, before + 1);
    if (before === 0) logFact(this.logger, { endpoint }, 'connected');
  }

  wentDown(endpoint: string): void {
    const left = (this.counts.get(endpoint) ?? 0) - 1;
    if (left > 0) {
      this.counts.set(endpoint, left);
      return;
    }
    this.counts.delete(endpoint);
    logFact(this.logger, { endpoint }, 'disconnected');
  }
}
