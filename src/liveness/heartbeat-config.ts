import { checkUnit } from '../core/messages/checks.ts';
import { ZeroMQConfigError } from '../core/messages/errors.ts';
import { type ConnectionLike, ZeroMQConnection } from '../transport/addressing/connection.ts';
import { type Target, toTargets } from '../transport/addressing/targets.ts';

/**
 * Options of {@link ZeroMQHeartbeatConfig}. Durations are in milliseconds; in the Python original
 * they are in seconds.
 */
export interface ZeroMQHeartbeatConfigOptions {
  /**
   * Time between heartbeats of a sender, or between checks of a receiver, in milliseconds; at least
   * 50, or 10 with `allowShortDurations`.
   * @defaultValue 10,000
   */
  readonly interval?: number;
  /**
   * Silence that counts as a missed heartbeat at a check, in milliseconds; at least
   * 50, or 10 with `allowShortDurations`.
   * @defaultValue 30,000
   */
  readonly timeout?: number;
  /**
   * Consecutive missed checks that are tolerated. One more, and the node counts as lost.
   * @defaultValue 3
   */
  readonly maxMissed?: number;
  /**
   * Accepts an `interval` and a `timeout` below 50 ms. They are rejected by default because they are
   * usually numbers of seconds, as the Python original takes them. Meant for tests.
   * @defaultValue false
   */
  readonly allowShortDurations?: boolean;
}

/** Minimum of both durations in milliseconds, also with `allowShortDurations`. */
const MIN_DURATION = 10;

/**
 * Where heartbeats are sent, and how often. Senders connect to the address, receivers bind it.
 *
 * @example
 * ```ts
 * const heartbeats = new ZeroMQHeartbeatConfig('tcp://router:5557', { interval: 5000 });
 * ```
 */
export class ZeroMQHeartbeatConfig {
  private readonly targets: readonly Target[];
  /** Time between heartbeats of a sender, or between checks of a receiver, in milliseconds. */
  readonly interval: number;
  /** Silence that counts as a missed heartbeat at a check, in milliseconds. */
  readonly timeout: number;
  /** Consecutive missed checks that are tolerated. */
  readonly maxMissed: number;

  /**
   * Creates a configuration.
   *
   * @param connection address of the receiver. A sender can have several addresses, or a name with
   * several (`dns://name:port`): one for each router that it works with.
   * @param options interval, timeout and tolerated misses.
   * @throws {ZeroMQConfigError} for an invalid option; the message has its name, value and limits.
   */
  constructor(
    connection: ConnectionLike | readonly ConnectionLike[],
    options: ZeroMQHeartbeatConfigOptions = {},
  ) {
    const { interval = 10_000, timeout = 30_000, maxMissed = 3, allowShortDurations } = options;
    this.targets = toTargets(connection);
    this.interval = duration('interval', interval, allowShortDurations);
    this.timeout = duration('timeout', timeout, allowShortDurations);
    if (!Number.isInteger(maxMissed) || maxMissed < 0) {
      throw new ZeroMQConfigError(
        `heartbeat maxMissed must be a whole number from 0, got ${String(maxMissed)}`,
      );
    }
    this.maxMissed = maxMissed;
  }

  /**
   * Addresses that senders connect to.
   *
   * @internal
   */
  get destinations(): readonly Target[] {
    return this.targets;
  }

  /**
   * Address that a receiver binds.
   *
   * @throws {ZeroMQConfigError} unless there is exactly one address.
   */
  get connection(): ZeroMQConnection {
    const [target, ...others] = this.targets;
    if (target instanceof ZeroMQConnection && others.length === 0) return target;
    throw new ZeroMQConfigError(
      `heartbeats must be received at exactly one address, got ${this.targets.map(String).join(', ')}`,
    );
  }
}

function duration(name: string, value: number, allowShort: boolean | undefined): number {
  checkUnit(`heartbeat ${name}`, value, allowShort);
  if (Number.isFinite(value) && value >= MIN_DURATION) return value;
  throw new ZeroMQConfigError(`heartbeat ${name} must be at least ${MIN_DURATION} ms, got ${String(value)}`);
}
