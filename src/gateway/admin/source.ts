/**
 * The interface through which the admin listener reads and controls a process. The CLI implements
 * it.
 */

import type { LogLevel } from '../../core/logging/log-level.ts';
import type { Health } from '../../core/observability/health.ts';
import type { RouterReport } from '../../core/observability/reports.ts';
import type { RequestReport } from '../../core/observability/request-stats.ts';
import type { RequestsAnswer, RequestsCommand } from './requests.ts';

/** A gateway, in one process. */
export interface GatewaySnapshot {
  /** Process id. */
  readonly process: number;
  readonly inFlight: number;
  /** Those in flight whose request or reply may be a stream. */
  readonly streams: number;
  readonly requests: RequestReport;
}

/** A router, with statistics of its recent requests and its contracts. */
export interface RouterSnapshot extends RouterReport {
  readonly requests: RequestReport;
  readonly contracts: readonly { readonly name: string; readonly available: boolean }[];
}

/** A worker that left or was lost recently. */
export interface DepartedWorker {
  readonly id: string;
  /** Its name for people, if the router reported one. */
  readonly name?: string | undefined;
  readonly reason: string;
  /** Number of requests that it held. */
  readonly held: number;
  /** Wall time, ms since the epoch. */
  readonly at: number;
}

/** A remote router that does not report to this process. Its contracts are known all the same. */
export interface UnavailableRouter {
  /** Address of the router. */
  readonly router: string;
  readonly reason: string;
  readonly contracts: RouterSnapshot['contracts'];
}

/** Everything that the dashboard shows at one moment. */
export interface Snapshot {
  /** Wall time, ms since the epoch. */
  readonly at: number;
  readonly version: string;
  readonly health: Health;
  readonly gateways: readonly GatewaySnapshot[];
  readonly routers: readonly RouterSnapshot[];
  /** Routers that do not report to this process. */
  readonly unavailable: readonly UnavailableRouter[];
  readonly departed: readonly DepartedWorker[];
}

/** The result of an action: done, unknown worker or event, or rejected with an HTTP status. */
export type ActionOutcome = 'done' | 'unknown' | { readonly status: number; readonly detail: string };

/** Reads and controls a process. */
export interface AdminSource {
  /** All metrics, in the text format of Prometheus. */
  metrics(): Promise<string>;
  /** Whether the process, with all its nodes, can serve. */
  health(): Promise<Health>;
  /** Log level of the console. */
  logLevel: LogLevel | 'silent';
  snapshot(): Promise<Snapshot>;
  /** OpenAPI fragment of a contract; undefined if there is none of this name. */
  contract(name: string): Promise<unknown>;
  /** Stops sending requests to a worker, or resumes. */
  drainWorker(id: string, drain: boolean): Promise<ActionOutcome>;
  /** Holds the requests of an event in the queue, or resumes. */
  pauseEvent(name: string, pause: boolean): Promise<ActionOutcome>;
  /** Lists, shows or cancels stored requests. */
  requests(command: RequestsCommand): Promise<RequestsAnswer>;
  /**
   * Calls `listener` after changes that the dashboard must show at once.
   * @returns a function that removes the listener.
   */
  onChange(listener: () => void): () => void;
}
