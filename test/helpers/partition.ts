/**
 * A TCP proxy that can stop forwarding, one way or both, without closing anything: a network that is cut. What was sent
 * meanwhile arrives when it is healed, as TCP has it.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Cleanup } from './scope.ts';

/** `up`: from who connects to who listens; `down`: back. */
export type Direction = 'up' | 'down';

interface Pair {
  /** Where bytes of a direction come from. */
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

  /** Listens in front of an endpoint, `tcp://HOST:PORT`. */
  static async before(cleanup: Cleanup, endpoint: string): Promise<Partition> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const partition = new Partition(server, Number(endpoint.split(':').at(-1)));
    server.on('connection', (socket) => partition.join(socket));
    cleanup.after(() => partition.close());
    return partition;
  }

  /** Where to connect in place of the endpoint. */
  get endpoint(): string {
    return `tcp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Forwards nothing more in these directions. */
  cut(...directions: Direction[]): void {
    for (const direction of directions) {
      this.cuts.add(direction);
      for (const pair of this.pairs) pair[direction].pause();
    }
  }

  /** Forwards everything again, and what came meanwhile. */
  heal(): void {
    this.cuts.clear();
    for (const { up, down } of this.pairs) {
      up.resume();
      down.resume();
    }
  }

  /** Breaks all connections on the side that connected; the other side does not learn of it. */
  breakOneSide(): void {
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
