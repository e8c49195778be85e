/** What the admin listener shows and does, as an interface: the command line puts it together. */

import type { LogLevel } from '../../core/logging/log-level.ts';
import type { Health } from '../../core/observability/health.ts';
import type { RouterReport } from '../../core/observability/reports.ts';
import type { RequestReport } from '../../core/observability/request-stats.ts';

/** The gateway of a process. */
export interface GatewaySnapshot {
  /** Process id. */
  readonly process: number;
  readonly inFlight: number;
  readonly requests: RequestReport;
}

/** A router, how its requests went lately, and the contracts that it knows. */
export interface RouterSnapshot extends RouterReport {
  readonly requests: RequestReport;
  readonly contracts: readonly { readonly name: string; readonly available: boolean }[];
}

/** A worker that went a short while ago. */
export interface DepartedWorker {
  readonly id: string;
  readonly reason: string;
  /** Requests that it held. */
  readonly held: number;
  /** Wall time, ms since the epoch. */
  readonly at: number;
}

/** A router elsewhere that does not tell this process of itself; contracts it tells to all. */
export interface SilentRouter {
  /** Where it is. */
  readonly router: string;
  readonly why: string;
  readonly contracts: RouterSnapshot['contracts'];
}

/** Everything that the dashboard shows, at one moment. */
export interface Snapshot {
  /** Wall time, ms since the epoch. */
  readonly at: number;
  readonly version: string;
  readonly health: Health;
  readonly gateways: readonly GatewaySnapshot[];
  readonly routers: readonly RouterSnapshot[];
  /** Routers that should be here, and are not. */
  readonly silent: readonly SilentRouter[];
  readonly departed: readonly DepartedWorker[];
}

/** What became of an operator's wish: done, about nothing that is there, or refused with an HTTP status. */
export type ActionOutcome = 'done' | 'unknown' | { readonly status: number; readonly detail: string };

export interface AdminSource {
  /** All metrics in Prometheus' text format. */
  metrics(): Promise<string>;
  /** Whether the process, with all its members, can serve. */
  health(): Promise<Health>;
  /** Least level of the log on the console. */
  logLevel: LogLevel | 'silent';
  snapshot(): Promise<Snapshot>;
  /** OpenAPI fragment of a contract; undefined where there is none of the name. */
  contract(name: string): Promise<unknown>;
  /** Gives a worker nothing more, or again. */
  drainWorker(id: string, drain: boolean): Promise<ActionOutcome>;
  /** Has requests of an event wait, or go on. */
  pauseEvent(name: string, pause: boolean): Promise<ActionOutcome>;
  /** Calls `listener` when something happened that should be seen at once; gives what ends that. */
  onChange(listener: () => void): () => void;
}
