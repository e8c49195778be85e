/** Options of the client and of a request. */
import type { LargeIntegers } from '../core/json/large-integers.ts';
import type { Logger } from '../core/logging/logging.ts';
import type { ZeroMQHeartbeatConfig } from '../liveness/index.ts';
import type { ConnectionLike } from '../transport/addressing/connection.ts';
import type { DnsOptions } from '../transport/addressing/discovery.ts';
import type { CurveClientOptions } from '../transport/curve/curve-options.ts';

/** Options of {@link ZeroMQClient}. Durations are in milliseconds. */
export interface ZeroMQClientOptions {
  /**
   * Router or server to connect to, a DNS name for several (`dns://name:port`), or a list. Each
   * request goes to the one with the fewest requests in flight.
   */
  connection: ConnectionLike | readonly ConnectionLike[];
  /**
   * How to look up `dns://` names.
   *
   * @defaultValue the DNS server in the URL, or else the resolver of the system, every 5,000 ms
   */
  dns?: DnsOptions;
  /** File that stores the node id (`config.ini`, section `[client]`). @defaultValue none */
  configFile?: string;
  /** Where and how often the client sends heartbeats. @defaultValue none are sent */
  heartbeatConfig?: ZeroMQHeartbeatConfig;
  /** Request timeout in ms, unless a request sets its own. @defaultValue 5,000 */
  timeout?: number;
  /** Wait for a connection, in ms, before requests fail with `NO_ROUTER`. @defaultValue 2,000 */
  connectTimeout?: number;
  /**
   * Accepts durations below 50 ms, which are usually numbers of seconds and therefore rejected.
   * Meant for tests and remaining deadlines. @defaultValue false
   */
  allowShortDurations?: boolean;
  /** Connects to a classic router, with one request per socket. @defaultValue false */
  classic?: boolean;
  /** Number of sockets in the pool of each connection to a classic router. @defaultValue 16 */
  poolSize?: number;
  /**
   * How long a stream other than server-sent events may be silent, in ms; `Infinity`: for any time.
   * Time in which the caller takes nothing does not count. @defaultValue 30,000
   */
  streamIdleTimeout?: number;
  /** Maximum requests in flight; further ones fail with `BUSY`. @defaultValue 10,000 */
  maxInFlight?: number;
  /** Maximum message size in bytes, in both directions. @defaultValue 16 MiB */
  maxMessageSize?: number;
  /** How to return integers beyond `Number.MAX_SAFE_INTEGER`. @defaultValue `'number'` */
  largeIntegers?: LargeIntegers;
  /**
   * Zone of the client. Requests go to the routers of this zone while one of them is connected and
   * answers, and to the others otherwise. @defaultValue none: all routers are equal
   */
  zone?: string;
  /** CURVE keys for encrypted connections; INPROC never uses them. @defaultValue no encryption */
  curve?: CurveClientOptions;
  /**
   * Receives the log entries.
   *
   * @defaultValue the logger of `setupLogging()`; without that call, warnings on the console
   */
  logger?: Logger;
}
