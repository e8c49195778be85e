/** What a router is given, and what it tells: options, endpoints, events. */

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
import type { RouterLimits, RouterNotice } from './broker/limits.ts';
import { type ClientLimits, resolveClientLimits } from './frontend/client-limits.ts';
import type { SocketsEndpoints } from './sockets.ts';
import type { ZeroMQRoutingStrategy } from './strategies/strategy.ts';

/** Options of a router. Durations in ms. */
export interface ZeroMQRouterOptions {
  /** Where clients connect. */
  frontendConnection: ConnectionLike;
  /** Where workers connect. */
  backendConnection: ConnectionLike;
  /** Where to receive heartbeats of clients and workers. Default: nowhere. */
  heartbeatConfig?: ZeroMQHeartbeatConfig;
  /** Who gets a request, among workers with credit. Default: least loaded. */
  strategy?: ZeroMQRoutingStrategy;
  /** Bounds and rules; see `RouterLimits`. */
  limits?: RouterLimits;
  /** Requests that a classic worker is given at a time. Default 1. */
  classicConcurrency?: number;
  /**
   * Events that classic workers serve: a list for all of them, or lists by the node id of the worker, where `*` stands for
   * every other one. Default: every event that no worker ever announced.
   */
  classicEvents?: ClassicEventsOption;
  /** How long a peer that connected has to say hello before it counts as a classic worker. Default 100. */
  helloGrace?: number;
  /** File that keeps the node id (`config.ini`, section `[router]`). */
  configFile?: string;
  /** Largest message in bytes, either way. Default 16 MiB. */
  maxMessageSize?: number;
  /** Bounds on what one client may ask; see `ClientLimits`. */
  clientLimits?: ClientLimits;
  /** Encryption, and who may do what. Default: neither; INPROC never has them. */
  curve?: CurveServerOptions;
  /** Checks contracts of workers against each other. Default: only their names are. */
  contractChecker?: ContractChecker;
  logger?: Logger;
}

/** Endpoints in use, with the ports that were picked where 0 was asked for. */
export interface RouterEndpoints extends SocketsEndpoints {
  readonly heartbeat?: string;
}

/** What a worker is, when it joins. */
export interface WorkerDetails {
  /** It speaks the original's protocol only. */
  readonly classic: boolean;
  /** Events it announced; empty for one that serves what no worker ever announced. */
  readonly events: readonly string[];
  readonly concurrency: number;
}

/** Events of a router. */
export interface RouterEvents {
  /** A worker may be given requests from now on, or said after a while what it is. */
  workerJoined: [worker: string, details: WorkerDetails];
  workerLeft: [worker: string, reason: LeaveReason];
  /** The first heartbeat of a node, or its first after it was lost. */
  peerConnected: [identity: string];
  /** A node missed too many heartbeats. */
  peerLost: [identity: string];
  /** Something an operator should know. */
  notice: [notice: RouterNotice];
}

/** The options that the sockets need, with the defaults filled in. */
export interface SocketSettings {
  readonly maxMessageSize: number;
  readonly classicConcurrency: number;
  readonly classicEvents: ClassicEvents;
  readonly helloGrace: number;
  readonly curve: CurveServer | undefined;
  readonly clientLimits: Required<ClientLimits>;
}

/** @throws ZeroMQConfigError naming the option that is not acceptable. */
export function socketSettings(options: ZeroMQRouterOptions): SocketSettings {
  const { classicConcurrency = 1, helloGrace = 100 } = options;
  const classicEvents = new ClassicEvents(options.classicEvents);
  const { maxMessageSize = MAX_MESSAGE_BYTES } = options;
  const curve = options.curve && new CurveServer(options.curve);
  checkCount('classicConcurrency', classicConcurrency);
  checkCount('maxMessageSize', maxMessageSize);
  if (!(helloGrace >= 0)) {
    throw new ZeroMQConfigError(`helloGrace must be at least 0 ms, got ${String(helloGrace)}`);
  }
  const clientLimits = resolveClientLimits(options.clientLimits);
  return { maxMessageSize, classicConcurrency, classicEvents, helloGrace, curve, clientLimits };
}
