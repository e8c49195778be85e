/** Options of a group of worker threads, and their validation. */

import type { Logger } from '../../core/logging/logging.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { ZeroMQHeartbeatConfig } from '../../liveness/index.ts';
import type { DnsOptions } from '../../transport/addressing/discovery.ts';
import type { CurveClientOptions } from '../../transport/curve/curve-options.ts';
import type { RouterTarget } from '../routed-worker.ts';

/** Options of {@link ZeroMQWorkerThreads}. Durations are in milliseconds. */
export interface ZeroMQWorkerThreadsOptions {
  /**
   * The worker module: a file whose default export is the result of {@link defineWorker}. Each
   * thread imports it.
   */
  module: string | URL;
  /**
   * Number of threads. 0: the handlers run in the thread that creates the group, which saves each
   * request two changes of thread. There is no `threadStallTimeout` then, and an error that nothing
   * catches ends the process.
   *
   * @defaultValue 2
   */
  threads?: number;
  /**
   * Backends of the routers to serve, or a router in the same thread, which is connected without a
   * socket.
   */
  connection: RouterTarget;
  /**
   * How the workers look up `dns://` names of routers.
   *
   * @defaultValue the DNS server in the URL, or else the resolver of the system, every 5,000 ms
   */
  dns?: DnsOptions;
  /**
   * Maximum number of requests that each thread runs at a time.
   *
   * @defaultValue the `concurrency` of the module
   */
  concurrency?: number;
  /**
   * Where and how often each worker sends heartbeats.
   *
   * @defaultValue none: the workers send no heartbeats
   */
  heartbeatConfig?: ZeroMQHeartbeatConfig;
  /**
   * How long the event loop of a thread may be blocked, for example by a handler, in milliseconds.
   * The group then ends the thread and starts it again. `Infinity` disables the check.
   *
   * @defaultValue the silence after which `heartbeatConfig` considers a node lost, `timeout +
   *   maxMissed × interval`; 60,000 without heartbeats
   */
  threadStallTimeout?: number;
  /**
   * File that stores the node id. All threads share the node id; each has its own session id.
   *
   * @defaultValue none: the node id is not stored
   */
  configFile?: string;
  /**
   * Maximum size of a message in bytes, in either direction (ZMQ_MAXMSGSIZE).
   *
   * @defaultValue 16,777,216 (16 MiB)
   */
  maxMessageSize?: number;
  /**
   * Zone of the workers. Routers of the same zone prefer them.
   *
   * @defaultValue none
   */
  zone?: string;
  /**
   * CURVE keys for routers that require encryption.
   *
   * @defaultValue none: connections are not encrypted
   */
  curve?: CurveClientOptions;
  /**
   * Receives the log entries of the group and its workers.
   *
   * @defaultValue the logger of `setupLogging()`; without that call, warnings and errors on stderr
   */
  logger?: Logger;
}

/** Stall timeout without heartbeats, in ms; the same as with default heartbeats. */
const THREAD_STALL_TIMEOUT = 60_000;

/** Minimum stall timeout, in ms. Below it, a busy thread could count as stalled. */
const MIN_STALL_TIMEOUT = 100;

/**
 * Returns the file name of a module.
 *
 * @throws {ZeroMQConfigError} when the value is neither a path nor a URL
 */
export function moduleName(module: string | URL): string {
  if (module instanceof URL || (typeof module === 'string' && module !== '')) return String(module);
  throw new ZeroMQConfigError(`module must be a path or a URL, got ${JSON.stringify(module)}`);
}

/**
 * Returns the stall timeout in ms.
 *
 * @throws {ZeroMQConfigError} when the option is not a duration, or is too short
 */
export function threadStallTimeout({
  threadStallTimeout: given,
  heartbeatConfig,
}: ZeroMQWorkerThreadsOptions): number {
  if (given !== undefined && !(given >= MIN_STALL_TIMEOUT))
    throw new ZeroMQConfigError(
      `threadStallTimeout must be at least ${MIN_STALL_TIMEOUT} ms, got ${String(given)}`,
    );
  if (given !== undefined || heartbeatConfig === undefined) return given ?? THREAD_STALL_TIMEOUT;
  const { timeout, maxMissed, interval } = heartbeatConfig;
  return Math.max(MIN_STALL_TIMEOUT, timeout + maxMissed * interval);
}
