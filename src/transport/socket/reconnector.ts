import { Backoff } from '../../core/time/backoff.ts';
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import type { ZeroMQSocketMonitor } from '../libzmq/socket-monitor.ts';

/** If a connection lasted this long, in ms, its loss resets the backoff. */
const HEALTHY_AFTER = 1000;

/**
 * Restores connections that libzmq abandons. It does so after a suspected protocol error, such as a
 * message above the size limit or a peer that does not speak ZeroMQ. Other connections it
 * reconnects by itself, and reports that immediately. Connections that the socket discards itself
 * (`renew`) are always restored, whatever libzmq reported before.
 */
export class Reconnector {
  private readonly backoff = new Backoff({ min: 50, initial: 100, max: 5000 });
  private connectedAt = 0;
  private cancel: Cancel | undefined;
  private abandoned = false;

  /**
   * Creates a reconnector.
   *
   * @param reconnect called to connect again
   */
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

  /** Whether a discarded connection has not been replaced yet. */
  get renewing(): boolean {
    return this.abandoned;
  }

  /** Called when the socket has discarded its connection. */
  renew(): void {
    this.abandoned = true;
    if (this.cancel === undefined) this.lost();
  }

  /** Cancels all pending attempts. */
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
