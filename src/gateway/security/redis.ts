/**
 * The connection to Redis, which counts rate limits for several gateways. Its client has 11 MB and
 * is an optional peer of this package, because few gateways share their limits.
 */
import type * as Redis from '@redis/client';
import { missingPackage, optionalPackage } from '../../core/identity/optional-package.ts';
import { toError } from '../../core/messages/errors.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import { RedisPulse } from './redis-pulse.ts';

export interface RedisConnection {
  /** The client, as rate-limiter-flexible expects it. */
  readonly client: unknown;
  /** Whether Redis responds. */
  readonly pulse: RedisPulse;
  /**
   * Resolves when the first connection is open. Without a connection, limits are counted in memory.
   */
  connect(): Promise<void>;
  close(): void;
}

/**
 * Time without data after which a connection is reopened, in ms. Pings keep a good connection open.
 */
const SILENCE = 10_000;
const PING = 3000;

/**
 * Time until the next attempt, in ms. Unlike the default, it also reconnects after a socket
 * timeout.
 */
function reconnectStrategy(retries: number): number {
  return Math.min(50 * 2 ** retries, 2000) + Math.random() * 200;
}

/**
 * Creates a connection that `connect()` opens, and that is reopened when it is lost.
 *
 * @throws {ZeroMQConfigError} when the client for Redis is not installed.
 */
export function redisConnection(url: string, logger: GatewayLogger): RedisConnection {
  let closed = false;
  const redis = optionalPackage('@redis/client') as typeof Redis | undefined;
  if (redis === undefined) throw missingPackage('@redis/client', 'redis');
  const client = redis.createClient({
    url,
    disableOfflineQueue: true,
    pingInterval: PING,
    socket: { socketTimeout: SILENCE, reconnectStrategy },
  });
  const pulse = new RedisPulse(logger);
  // Each failed attempt to reconnect is an error.
  client.on('error', (error: unknown) => pulse.lost(toError(error).message));
  client.on('ready', () => pulse.connected());
  return {
    client,
    pulse,
    connect: async () => {
      try {
        await client.connect();
      } catch (error) {
        if (!closed) throw error;
      }
    },
    close: () => {
      closed = true;
      client.destroy();
    },
  };
}
