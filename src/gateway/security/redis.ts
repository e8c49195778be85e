/** The connection to Redis, where several gateways count together. */
import { createClient } from '@redis/client';
import { toError } from '../../core/messages/errors.ts';
import type { GatewayLogger } from '../common/api-source.ts';

export interface RedisConnection {
  /** What rate-limiter-flexible is given. */
  readonly client: unknown;
  /** Resolves when the first connection is there. While there is none, counting goes on in memory. */
  connect(): Promise<void>;
  close(): void;
}

/** A connection on which nothing comes for this long is opened anew, in ms; pings keep a good one from that. */
const SILENCE = 10_000;
const PING = 3000;

/** Time until the next attempt, in ms. Unlike the default of the client, it goes on after a silence too. */
function reconnectStrategy(retries: number): number {
  return Math.min(50 * 2 ** retries, 2000) + Math.random() * 200;
}

/** A connection that is opened by `connect()` and opened again whenever it is lost. */
export function redisConnection(url: string, logger: GatewayLogger): RedisConnection {
  let closed = false;
  const client = createClient({
    url,
    disableOfflineQueue: true,
    pingInterval: PING,
    socket: { socketTimeout: SILENCE, reconnectStrategy },
  });
  client.on('error', (error: unknown) => logger.warn({ err: toError(error) }, 'no connection to Redis'));
  return {
    client,
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
