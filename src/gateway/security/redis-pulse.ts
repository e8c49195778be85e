import type { GatewayLogger } from '../common/api-source.ts';

/**
 * Whether the Redis server of a gateway responds. All its counters share the state. One line is
 * logged when Redis no longer responds, and one when it does again.
 */
export class RedisPulse {
  private late = 0;
  private isLost = false;
  /** The line that Redis does not respond was logged. */
  private isAway = false;

  constructor(private readonly logger: GatewayLogger) {}

  /** Whether a reply is late. */
  get isStalled(): boolean {
    return this.late > 0;
  }

  /** There is no connection, or the attempt to open one failed. */
  lost(reason: string): void {
    this.isLost = true;
    this.away({ reason }, 'no connection to Redis: rate limits are counted in memory');
  }

  /** There is a connection. */
  connected(): void {
    this.isLost = false;
    this.checkBack();
  }

  overdue(wait: number): void {
    this.late += 1;
    this.away({ wait }, 'Redis does not respond in time: rate limits are counted in memory');
  }

  /** Called when a late reply has arrived or its connection was lost. */
  settled(): void {
    this.late -= 1;
    // The client reports the lost connection after the failures of its commands.
    if (this.late === 0) setImmediate(() => this.checkBack());
  }

  private away(fields: object, message: string): void {
    if (this.isAway) return;
    this.isAway = true;
    this.logger.warn(fields, message);
  }

  private checkBack(): void {
    if (!this.isAway || this.isLost || this.late > 0) return;
    this.isAway = false;
    this.logger.info({}, 'rate limits are counted in Redis again');
  }
}
