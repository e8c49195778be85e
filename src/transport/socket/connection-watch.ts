import { type ZeroMQSocketMonitor, ZeroMQSocketStatus } from '../libzmq/socket-monitor.ts';

/** The part of a socket that a watch needs. */
export interface Watched {
  readonly monitor: ZeroMQSocketMonitor;
  /** Number of messages received so far. */
  readonly received: number;
  /** Whether the connection was discarded and the next one has not started yet. */
  readonly renewing: boolean;
}

/**
 * Reports when the connection of a socket with one peer is established or lost, in order with its
 * messages. The monitor is a separate socket, so its report of a loss can overtake messages that
 * the peer sent before. libzmq delivers everything it read before it reports the loss. The loss is
 * therefore reported after a turn in which no message arrived.
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
