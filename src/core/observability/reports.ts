/**
 * What a router tells of itself when it is asked: plain data, for metrics, the admin listener and `$router.…` events.
 * Nothing here is kept for the asker: the router puts it together at the call. All durations are ms.
 */
import type { LifecycleState } from './diagnostics.ts';
import type { RequestReport } from './request-stats.ts';

/**
 * What a worker can do now: `ready` for a request, `busy` (all its credit is used), `draining` (finishes what it holds),
 * `blocked` (its connection takes nothing), `resting` (it failed too often) or `unresponsive` (it let too much time out).
 */
export const WORKER_STATES = ['ready', 'busy', 'draining', 'blocked', 'resting', 'unresponsive'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

/** What a circuit breaker does: lets all requests pass, none, or one to see whether the worker recovered. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** A circuit breaker of a worker that is not closed. */
export interface BreakerReport {
  readonly event: string;
  readonly state: Exclude<BreakerState, 'closed'>;
}

/** A worker of a router. */
export interface WorkerReport {
  /** Its identity. */
  readonly id: string;
  readonly state: WorkerState;
  /** It speaks the original's protocol only. */
  readonly classic: boolean;
  /** Events it announced; null: it serves every event that no worker ever announced. */
  readonly events: readonly string[] | null;
  /** Requests it may hold, and those it holds. */
  readonly concurrency: number;
  readonly held: number;
  /** Time since it came. */
  readonly age: number;
  /** Its circuit breakers that are not closed. */
  readonly breakers: readonly BreakerReport[];
  /** Heartbeats, where it sends any: checks missed in a row, and time since its last sign of life. */
  readonly heartbeat: { readonly missed: number; readonly silentFor: number } | null;
}

/** An event of a router: announced, or with requests waiting. */
export interface EventReport {
  readonly name: string;
  /** Some worker announced it. */
  readonly announced: boolean;
  /** Requests that wait, and their bytes. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Workers that serve it. */
  readonly workers: number;
  /** An operator has it wait: nothing of it is given to workers. */
  readonly paused: boolean;
  /** Its circuit breaker, for all workers together. */
  readonly breaker: BreakerState;
  /** Workers whose circuit breaker for it is not closed. */
  readonly tripped: number;
}

/** What a router counted since its start, and how much it holds. */
export interface RouterTotals {
  readonly submitted: number;
  readonly ok: number;
  readonly replyErrors: number;
  /** By code of the catalogue. */
  readonly failures: Readonly<Partial<Record<string, number>>>;
  readonly redispatched: number;
  readonly redispatchesDenied: number;
  readonly queued: number;
  readonly queuedBytes: number;
  readonly dispatched: number;
  readonly clients: number;
}

/** A router as it is now. */
export interface RouterReport {
  /** Its identity; `router` before it is started. */
  readonly router: string;
  readonly state: LifecycleState;
  /** Time since it was made. */
  readonly age: number;
  /** Name of the strategy. */
  readonly strategy: string;
  /** Endpoints in use; empty before it is started. */
  readonly endpoints: Readonly<Partial<Record<'frontend' | 'backend' | 'heartbeat', string>>>;
  readonly totals: RouterTotals;
  readonly workers: readonly WorkerReport[];
  readonly events: readonly EventReport[];
}

/** A contract that workers announced. */
export interface ContractReport {
  readonly name: string;
  /** Whether any worker serves it now. */
  readonly available: boolean;
  /** OpenAPI fragment. */
  readonly fragment: unknown;
}

/** A router that tells of itself, and lets an operator act. */
export interface RouterConsole extends RouterView {
  /** How its requests went lately. */
  requestStats(): RequestReport;
  contractReports(): readonly ContractReport[];
  /** Gives a worker nothing more, or again; what it holds it finishes. False: there is no such worker. */
  drainWorker(id: string, drain: boolean): boolean;
  /** Has all requests of an event wait, or go on. False: there is no such event. */
  pauseEvent(name: string, pause: boolean): boolean;
}

/** Something that reports on a router. */
export interface RouterView {
  readonly state: LifecycleState;
  inspect(): RouterReport;
}
