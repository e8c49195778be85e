/**
 * A TCP proxy that can stop forwarding in one or both directions without closing a connection, like
 * a network partition. As in TCP, data sent meanwhile arrives when the partition ends.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Cleanup } from './scope.ts';

/** `up`: from the connecting side to the listening side; `down`: the reverse. */
export type Direction = 'up' | 'down';

interface Pair {
  /** The socket that sends the bytes of a direction. */
  readonly up: Socket;
  readonly down: Socket;
}

export class Partition {
  private readonly pairs = new Set<Pair>();
  private readonly cuts = new Set<Direction>();

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  /** Starts a proxy for an endpoint, `tcp://HOST:PORT`. */
  static async before(cleanup: Cleanup, endpoint: string): Promise<Partition> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const partition = new Partition(server, Number(endpoint.split(':').at(-1)));
    server.on('connection', (socket) => partition.join(socket));
    cleanup.after(() => partition.close());
    return partition;
  }

  /** Endpoint to connect to instead of the original one. */
  get endpoint(): string {
    return `tcp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Stops forwarding in these directions. */
  cut(...directions: Direction[]): void {
    for (const direction of directions) {
      this.cuts.add(direction);
      for (const pair of this.pairs) pair[direction].pause();
    }
  }

  /** Resumes forwarding in all directions, beginning with the data received meanwhile. */
  heal(): void {
    this.cuts.clear();
    for (const { up, down } of this.pairs) {
      up.resume();
      down.resume();
    }
  }

  /** Resets the connections of the connecting side only. The listening side does not notice. */
  resetConnectingSide(): void {
    for (const { up, down } of this.pairs) {
      up.removeAllListeners('close').on('close', () => undefined);
      up.removeAllListeners('end');
      up.destroy();
      down.removeAllListeners('data').resume();
    }
  }

  private join(up: Socket): void {
    const down = connect(this.port, '127.0.0.1');
    const pair = { up, down };
    this.pairs.add(pair);
    this.forward(pair, 'up', down);
    this.forward(pair, 'down', up);
  }

  private forward(pair: Pair, direction: Direction, to: Socket): void {
    const from = pair[direction];
    from.setNoDelay(true);
    from.on('data', (bytes) => to.write(bytes));
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      to.destroy();
      this.pairs.delete(pair);
    });
    if (this.cuts.has(direction)) from.pause();
  }

  private async close(): Promise<void> {
    for (const { up, down } of this.pairs) {
      up.destroy();
      down.destroy();
    }
    this.server.close();
    await once(this.server, 'close');
  }
}
