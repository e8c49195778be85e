import { Backoff } from '../../core/time/backoff.ts';
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import type { ZeroMQSocketMonitor } from '../libzmq/socket-monitor.ts';

/** A connection that stood for so long was a good one: the next loss is the first one again. In ms. */
const HEALTHY_AFTER = 1000;

/**
 * Brings connections back that libzmq gives up for good: it does so after what it takes for an error of protocol, be
 * it a message above the limit or a peer that is no ZeroMQ. Others it connects again by itself, and says so at once. Those
 * that the socket gives up itself (`renew`) are brought back in any case, whatever libzmq said of them before.
 */
export class Reconnector {
  private readonly backoff = new Backoff({ min: 50, initial: 100, max: 5000 });
  private connectedAt = 0;
  private cancel: Cancel | undefined;
  private abandoned = false;

  /** @param reconnect connects anew. */
  constructor(
    monitor: ZeroMQSocketMonitor,
    private readonly reconnect: () => void,
    private readonly clock: Clock = systemClock,
  ) {
    monitor.on('handshake', () => {
      if (this.abandoned) return;
      this.connectedAt = clock.now();
      this.stop();
    });
    monitor.on('connect:retry', () => {
      if (!this.abandoned) this.stop();
    });
    monitor.on('disconnect', () => this.lost());
  }

  /** Whether a connection that was given up is yet to be made anew. */
  get renewing(): boolean {
    return this.abandoned;
  }

  /** The socket gave its connection up. */
  renew(): void {
    this.abandoned = true;
    if (this.cancel === undefined) this.lost();
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private lost(): void {
    this.stop();
    if (this.connectedAt > 0 && this.clock.now() - this.connectedAt > HEALTHY_AFTER) this.backoff.reset();
    this.connectedAt = 0;
    this.cancel = this.clock.after(this.backoff.next(), () => {
      this.cancel = undefined;
      this.abandoned = false;
      this.reconnect();
    });
  }
}
