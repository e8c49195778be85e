import { ZeroMQConfigError } from '../core/messages/errors.ts';
import { type ConnectionLike, ZeroMQConnection } from '../transport/addressing/connection.ts';
import { type Target, toTargets } from '../transport/addressing/targets.ts';

/** Options of heartbeats. Durations in ms; the Python original's are in seconds. */
export interface ZeroMQHeartbeatConfigOptions {
  /** A sender's time between heartbeats, a receiver's between checks. Default 10,000. */
  readonly interval?: number;
  /** Silence that counts as a miss at a check. Default 30,000. */
  readonly timeout?: number;
  /** Misses in a row that are forgiven; one more, and the node counts as dead. Default 3. */
  readonly maxMissed?: number;
}

/** Less is a value in seconds, or a mistake. */
const SHORTEST = 10;

/** Where heartbeats go, and how often. Senders connect there, receivers bind. */
export class ZeroMQHeartbeatConfig {
  private readonly places: readonly Target[];
  readonly interval: number;
  readonly timeout: number;
  readonly maxMissed: number;

  /**
   * @param connection where; a sender may be given several, or a name of several (`dns://name:port`): one for each router
   *   that it works with.
   * @throws ZeroMQConfigError naming the option, its value and what is allowed.
   */
  constructor(
    connection: ConnectionLike | readonly ConnectionLike[],
    options: ZeroMQHeartbeatConfigOptions = {},
  ) {
    const { interval = 10_000, timeout = 30_000, maxMissed = 3 } = options;
    this.places = toTargets(connection);
    this.interval = duration('interval', interval);
    this.timeout = duration('timeout', timeout);
    if (!Number.isInteger(maxMissed) || maxMissed < 0) {
      throw new ZeroMQConfigError(
        `heartbeat maxMissed must be a whole number from 0, got ${String(maxMissed)}`,
      );
    }
    this.maxMissed = maxMissed;
  }

  /** Where senders connect. */
  get destinations(): readonly Target[] {
    return this.places;
  }

  /**
   * Where a receiver binds.
   *
   * @throws ZeroMQConfigError when that is not one address.
   */
  get connection(): ZeroMQConnection {
    const [place, ...others] = this.places;
    if (place instanceof ZeroMQConnection && others.length === 0) return place;
    throw new ZeroMQConfigError(
      `heartbeats are received at one address, got ${this.places.map(String).join(', ')}`,
    );
  }
}

function duration(name: string, value: number): number {
  if (Number.isFinite(value) && value >= SHORTEST) return value;
  const hint = value > 0 ? ` (values are milliseconds: for ${value} seconds give ${value * 1000})` : '';
  throw new ZeroMQConfigError(
    `heartbeat ${name} must be at least ${SHORTEST} ms, got ${String(value)}${hint}`,
  );
}
