import { type ZeroMQSocketMonitor, ZeroMQSocketStatus } from '../libzmq/socket-monitor.ts';

/** What a watch needs of a socket. */
export interface Watched {
  readonly monitor: ZeroMQSocketMonitor;
  /** Messages that came so far. */
  readonly received: number;
  /** Whether the connection was given up, and the next one is not yet begun. */
  readonly renewing: boolean;
}

/**
 * Tells when the connection of a socket with one peer comes up and when it is lost, in the order of its messages: the
 * monitor is a socket of its own, and its news of an end overtakes what the peer sent before. libzmq hands over
 * everything it read before it reports the end; so the end is told after a turn in which nothing more came.
 */
export class ConnectionWatch {
  private losing: NodeJS.Immediate | undefined;

  constructor(
    private readonly socket: Watched,
    private readonly up: () => void,
    private readonly down: () => void,
  ) {
    socket.monitor.on('handshake', () => this.cameUp());
    socket.monitor.on('disconnect', () => this.wentDown());
  }

  private cameUp(): void {
    if (this.losing !== undefined) this.lost();
    if (!this.socket.renewing) this.up();
  }

  private wentDown(): void {
    this.losing ??= this.lookAgain();
  }

  private lookAgain(): NodeJS.Immediate {
    const seen = this.socket.received;
    return setImmediate(() => {
      if (this.socket.monitor.status === ZeroMQSocketStatus.CLOSED) return;
      if (this.socket.received === seen) this.lost();
      else this.losing = this.lookAgain();
    });
  }

  private lost(): void {
    clearImmediate(this.losing);
    this.losing = undefined;
    this.down();
  }
}
