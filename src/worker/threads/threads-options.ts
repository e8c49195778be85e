/** Options of a group of worker threads, and the checks of them. */

import type { Logger } from '../../core/logging/logging.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { ZeroMQHeartbeatConfig } from '../../liveness/index.ts';
import type { DnsOptions } from '../../transport/addressing/discovery.ts';
import type { CurveClientOptions } from '../../transport/curve/curve-options.ts';
import type { RouterTarget } from '../routed-worker.ts';

/** Options of a group of threads. Durations in ms. */
export interface ZeroMQWorkerThreadsOptions {
  /** Worker module: a file whose default export is `defineWorker(…)`; each thread imports it. */
  module: string | URL;
  /** Number of threads. Default 2. */
  threads?: number;
  /** Backends of the routers to work for, or a router of this thread, which is reached without a socket. */
  connection: RouterTarget;
  /** How names of routers are looked up. */
  dns?: DnsOptions;
  /** Requests that run at a time in each thread. Default: as the module says. */
  concurrency?: number;
  /** Where and how often each worker sends heartbeats. Default: none. */
  heartbeatConfig?: ZeroMQHeartbeatConfig;
  /**
   * A thread that stands still for so long, as a handler may block it, is ended and started again; `Infinity`: never.
   * Default: silence that makes a node count as dead by `heartbeatConfig`, `timeout + maxMissed × interval`; 60,000
   * without one.
   */
  threadStallTimeout?: number;
  /** File that keeps the node id, which all threads share; each has a session id of its own. */
  configFile?: string;
  /** Largest message in bytes, either way. Default 16 MiB. */
  maxMessageSize?: number;
  /** Encryption towards routers that ask for it. Default: none. */
  curve?: CurveClientOptions;
  logger?: Logger;
}

/** Silence of a thread that is forgiven where no heartbeats say: as much as by their defaults. */
const THREAD_STALL_TIMEOUT = 60_000;

/** Less would take a busy thread for a frozen one; ms. */
const SHORTEST_FREEZE = 100;

/** @throws ZeroMQConfigError when it is neither path nor URL. */
export function moduleName(module: string | URL): string {
  if (module instanceof URL || (typeof module === 'string' && module !== '')) return String(module);
  throw new ZeroMQConfigError(`module must be a path or a URL, got ${JSON.stringify(module)}`);
}

/** @throws ZeroMQConfigError when it is no time, or too short a one. */
export function threadStallTimeout({
  threadStallTimeout: given,
  heartbeatConfig,
}: ZeroMQWorkerThreadsOptions): number {
  if (given !== undefined && !(given >= SHORTEST_FREEZE))
    throw new ZeroMQConfigError(
      `threadStallTimeout must be at least ${SHORTEST_FREEZE} ms, got ${String(given)}`,
    );
  if (given !== undefined || heartbeatConfig === undefined) return given ?? THREAD_STALL_TIMEOUT;
  const { timeout, maxMissed, interval } = heartbeatConfig;
  return Math.max(SHORTEST_FREEZE, timeout + maxMissed * interval);
}
