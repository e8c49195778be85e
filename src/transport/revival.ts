import { Backoff } from '../core/backoff.ts';
import { type Cancel, type Clock, systemClock } from '../core/clock.ts';
import type { ZeroMQSocketMonitor } from './socket-monitor.ts';

/** A connection that stood for so long was a good one: the next loss is the first one again. In ms. */
const HEALTHY_AFTER = 10_000;

/**
 * Brings connections back that libzmq gives up for good: it does so after what it takes for an error of protocol, be
 * it a message above the limit or a peer that is no ZeroMQ. Others it connects again by itself, and says so at once.
 */
export class Revival {
  private readonly backoff = new Backoff({ min: 50, initial: 100, max: 5000 });
  private connectedAt = 0;
  private cancel: Cancel | undefined;

  /** @param reconnect connects anew. */
  constructor(
    monitor: ZeroMQSocketMonitor,
    private readonly reconnect: () => void,
    private readonly clock: Clock = systemClock,
  ) {
    monitor.on('handshake', () => {
      this.connectedAt = clock.now();
      this.stop();
    });
    monitor.on('connect:retry', () => this.stop());
    monitor.on('disconnect', () => this.lost());
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
      this.reconnect();
    });
  }
}
