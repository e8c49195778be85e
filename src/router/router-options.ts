/** Options, endpoints and events of a router. */

import type { Logger } from '../core/logging/logging.ts';
import { checkCount } from '../core/messages/checks.ts';
import { ZeroMQConfigError } from '../core/messages/errors.ts';
import type { LeaveReason } from '../core/observability/diagnostics.ts';
import type { ZeroMQHeartbeatConfig } from '../liveness/index.ts';
import type { ConnectionLike } from '../transport/addressing/connection.ts';
import { CurveServer, type CurveServerOptions } from '../transport/curve/curve-options.ts';
import { MAX_MESSAGE_BYTES } from '../wire/limits.ts';
import { ClassicEvents, type ClassicEventsOption } from './backend/classic-events.ts';
import type { ContractChecker } from './backend/contract-checker.ts';
import { type ClientLimits, resolveClientLimits } from './broker/client-limits.ts';
import type { RouterLimits, RouterNotice } from './broker/limits.ts';
import type { SocketsEndpoints } from './sockets.ts';
import type { ZeroMQRoutingStrategy } from './strategies/strategy.ts';

/** Options of {@link ZeroMQRouter}. All durations are in milliseconds. */
export interface ZeroMQRouterOptions {
  /** Endpoint that clients connect to. */
  frontendConnection: ConnectionLike;
  /** Endpoint that workers connect to. */
  backendConnection: ConnectionLike;
  /**
   * Receives heartbeats of clients and workers.
   *
   * @defaultValue none are received
   */
  heartbeatConfig?: ZeroMQHeartbeatConfig;
  /**
   * Chooses among the workers with credit.
   *
   * @defaultValue `new LeastLoadedStrategy()`
   */
  strategy?: ZeroMQRoutingStrategy;
  /**
   * Zone of the router. It prefers workers that announce the same zone, while one of them has credit,
   * and clients of the zone prefer it.
   *
   * @defaultValue none: all workers are equal
   */
  zone?: string;
  /**
   * Limits and failure handling; see {@link RouterLimits}.
   *
   * @defaultValue the defaults of {@link RouterLimits}
   */
  limits?: RouterLimits;
  /**
   * Requests that a classic worker holds at a time.
   *
   * @defaultValue 1
   */
  classicConcurrency?: number;
  /**
   * Events that classic workers serve: a list for all of them, or lists by the node id of the
   * worker, where `*` stands for all other workers.
   *
   * @defaultValue every event that no worker ever announced
   */
  classicEvents?: ClassicEventsOption;
  /**
   * How long a connected peer may take to send its hello before the router treats it as a classic
   * worker, in milliseconds.
   *
   * @defaultValue 100
   */
  helloTimeout?: number;
  /**
   * File that stores the node id (`config.ini`, section `[router]`).
   *
   * @defaultValue the node id is not stored
   */
  configFile?: string;
  /**
   * Maximum size of a message in either direction, in bytes.
   *
   * @defaultValue 16777216 (16 MiB)
   */
  maxMessageSize?: number;
  /**
   * Limits per client; see {@link ClientLimits}.
   *
   * @defaultValue the defaults of {@link ClientLimits}
   */
  clientLimits?: ClientLimits;
  /**
   * CURVE keys, and the permissions of each key. Not used on INPROC.
   *
   * @defaultValue no encryption, and every peer has all permissions
   */
  curve?: CurveServerOptions;
  /**
   * Checks the contracts of workers for conflicts.
   *
   * @defaultValue only the names of contracts are checked
   */
  contractChecker?: ContractChecker;
  /**
   * Logger of the router.
   *
   * @defaultValue the default logger, as child with `node: 'router'`
   */
  logger?: Logger;
}

/** Bound endpoints, with the port numbers chosen for port 0. */
export interface RouterEndpoints extends SocketsEndpoints {
  /** Endpoint that receives heartbeats; absent without `heartbeatConfig`. */
  readonly heartbeat?: string;
}

/** Properties of a worker that joined. */
export interface WorkerDetails {
  /** Whether it speaks only the protocol of the original framework. */
  readonly classic: boolean;
  /** Events that it announced; empty if it serves every unannounced event. */
  readonly events: readonly string[];
  /** Maximum number of requests that it holds. */
  readonly concurrency: number;
}

/** Events emitted by {@link ZeroMQRouter}. */
export interface RouterEvents {
  /** A worker joined, or a worker treated as classic sent its hello. */
  workerJoined: [worker: string, details: WorkerDetails];
  workerLeft: [worker: string, reason: LeaveReason];
  /** The first heartbeat of a node, or its first one after it was lost. */
  peerConnected: [identity: string];
  /** A node missed too many heartbeats. */
  peerLost: [identity: string];
  /** A condition that operators should know about; see {@link RouterNotice}. */
  notice: [notice: RouterNotice];
}

/** Options of the sockets, with the defaults filled in. */
export interface SocketSettings {
  readonly maxMessageSize: number;
  readonly classicConcurrency: number;
  readonly classicEvents: ClassicEvents;
  readonly helloTimeout: number;
  readonly curve: CurveServer | undefined;
  readonly clientLimits: Required<ClientLimits>;
}

/** @throws {ZeroMQConfigError} when an option is invalid; the message names it. */
export function socketSettings(options: ZeroMQRouterOptions): SocketSettings {
  const { classicConcurrency = 1, helloTimeout = 100 } = options;
  const classicEvents = new ClassicEvents(options.classicEvents);
  const { maxMessageSize = MAX_MESSAGE_BYTES } = options;
  const curve = options.curve && new CurveServer(options.curve);
  checkCount('classicConcurrency', classicConcurrency);
  checkCount('maxMessageSize', maxMessageSize);
  if (!(helloTimeout >= 0)) {
    throw new ZeroMQConfigError(`helloTimeout must be at least 0 ms, got ${String(helloTimeout)}`);
  }
  const clientLimits = resolveClientLimits(options.clientLimits);
  return { maxMessageSize, classicConcurrency, classicEvents, helloTimeout, curve, clientLimits };
}
