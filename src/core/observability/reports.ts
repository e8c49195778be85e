/**
 * Reports of a router about itself: plain data for metrics, the admin listener and `$router.…`
 * events. The router compiles a report when it is asked and keeps nothing for it. All durations are
 * in milliseconds.
 */
import type { LifecycleState } from './diagnostics.ts';
import type { RequestReport } from './request-stats.ts';

/**
 * State of a worker: `ready` for a request, `busy` (no credit left), `draining` (finishes what it
 * holds), `blocked` (its connection accepts no messages), `suspended` (its circuit breaker is open, or it replied that it is busy)
 * or `unresponsive` (too many of its requests timed out).
 */
export const WORKER_STATES = ['ready', 'busy', 'draining', 'blocked', 'suspended', 'unresponsive'] as const;
/** State of a worker; one of {@link WORKER_STATES}. */
export type WorkerState = (typeof WORKER_STATES)[number];

/**
 * State of a circuit breaker: passes all requests, none, or one that tests whether the worker
 * recovered.
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** A circuit breaker of a worker that is open or half-open. */
export interface BreakerReport {
  /** Name of the event whose requests it counts. */
  readonly event: string;
  /** Whether it passes no requests, or a single test request. */
  readonly state: Exclude<BreakerState, 'closed'>;
}

/** A worker of a router. */
export interface WorkerReport {
  /** Its identity. */
  readonly id: string;
  /**
   * Name for people: contract, file, host and a short id. Missing from routers of earlier versions.
   */
  readonly name?: string;
  /** Whether it may receive requests, and if not, why. */
  readonly state: WorkerState;
  /** Whether it speaks only the original protocol. */
  readonly classic: boolean;
  /** Events it announced; null if it serves all unannounced events. */
  readonly events: readonly string[] | null;
  /** Maximum requests it may hold. */
  readonly concurrency: number;
  /** Number of requests that it holds, including those whose callers no longer wait. */
  readonly inFlight: number;
  /** Milliseconds since it connected. */
  readonly age: number;
  /** Its circuit breakers that are open or half-open. */
  readonly breakers: readonly BreakerReport[];
  /**
   * Heartbeat state: consecutive missed checks, and milliseconds since the last message. Null if it
   * sends none.
   */
  readonly heartbeat: { readonly missed: number; readonly silentFor: number } | null;
  /**
   * The request that it holds for the longest time, with the milliseconds since it was dispatched;
   * null if it holds none. Missing from routers of earlier versions.
   */
  readonly oldest?: {
    readonly event: string;
    readonly requestId: string;
    readonly heldFor: number;
  } | null;
  /** Name of its host, if it sent it. */
  readonly host?: string;
  /** Id of its process, if it sent it. */
  readonly pid?: number;
  /** Version of its zeromq-gateway package, if it sent it. */
  readonly package?: string;
  /** Name of its contract, if it announced one. */
  readonly contract?: string;
  /** Version of its contract, if it announced one. */
  readonly version?: string;
  /** Its zone, if it has one. */
  readonly zone?: string;
  /** Name of its key in the allow list, if the router has one. */
  readonly key?: string;
}

/** A version of a contract at an event. */
export interface VersionReport {
  /** Name of the contract. */
  readonly contract: string;
  /** The version; null for workers that announce none. */
  readonly version: string | null;
  /** Number of workers that serve the event in this version. */
  readonly workers: number;
  /** Share of the requests in percent; null if requests are not split between versions. */
  readonly share: number | null;
}

/** An event of a router: announced now or before, or with queued requests. */
export interface EventReport {
  /** Name of the event. */
  readonly name: string;
  /** Whether a worker announced it. */
  readonly announced: boolean;
  /**
   * Whether workers announced it before and all of them have left. Missing from routers of earlier
   * versions.
   */
  readonly left?: boolean;
  /** Number of queued requests. */
  readonly queued: number;
  /** Size of the queued requests, in bytes. */
  readonly queuedBytes: number;
  /** Number of workers that serve it. */
  readonly workers: number;
  /** Whether an operator paused it: its requests stay queued. */
  readonly paused: boolean;
  /** State of its circuit breaker over all workers. */
  readonly breaker: BreakerState;
  /** Number of workers whose circuit breaker for this event is open or half-open. */
  readonly tripped: number;
  /** Its versions; empty if no worker announces one. Missing from routers of earlier versions. */
  readonly versions?: readonly VersionReport[];
}

/** Counters of a router since its start, and what it holds now. */
export interface RouterTotals {
  /** Requests submitted to the router. */
  readonly submitted: number;
  /** Of these, calls of workers; absent in reports of routers of earlier versions. */
  readonly calls?: number;
  /** Requests that succeeded. */
  readonly ok: number;
  /** Requests that ended with an error code of a handler. */
  readonly replyErrors: number;
  /** Failures by outcome code. */
  readonly failures: Readonly<Partial<Record<string, number>>>;
  /** Requests redispatched after their worker was lost. */
  readonly redispatched: number;
  /** Redispatches that the retry budget denied. */
  readonly redispatchesDenied: number;
  /** Requests that are queued now. */
  readonly queued: number;
  /** Size of the queued requests, in bytes. */
  readonly queuedBytes: number;
  /** Requests at workers whose callers still wait. */
  readonly dispatched: number;
  /** Of these, streams; absent in reports of routers of earlier versions. */
  readonly openStreams?: number;
  /** Number of connected clients that sent a message. */
  readonly clients: number;
}

/** A snapshot of a router. */
export interface RouterReport {
  /** Its identity; `router` before it starts. */
  readonly router: string;
  /** Its lifecycle state. */
  readonly state: LifecycleState;
  /** Milliseconds since it was created. */
  readonly age: number;
  /** Name of its routing strategy. */
  readonly strategy: string;
  /** Endpoints in use; empty before it starts. */
  readonly endpoints: Readonly<Partial<Record<'frontend' | 'backend' | 'heartbeat', string>>>;
  /** Counters since its start, and what it holds now. */
  readonly totals: RouterTotals;
  /** Its workers, in the order in which they joined. */
  readonly workers: readonly WorkerReport[];
  /** Its events, sorted by name. */
  readonly events: readonly EventReport[];
}

/** A contract that workers announced. */
export interface ContractReport {
  readonly name: string;
  /** Whether a worker serves it now. */
  readonly available: boolean;
  /** OpenAPI fragment. */
  readonly fragment: unknown;
}

/** A router that reports on itself and accepts operator commands. */
export interface RouterConsole extends RouterView {
  /** Statistics of its recent requests. */
  requestStats(): RequestReport;
  contractReports(): readonly ContractReport[];
  /**
   * Stops or resumes sending requests to a worker, which finishes those it holds. Returns false for
   * an unknown worker.
   */
  drainWorker(id: string, drain: boolean): boolean;
  /**
   * Pauses or resumes an event; the requests of a paused event stay queued. Returns false for an
   * unknown event.
   */
  pauseEvent(name: string, pause: boolean): boolean;
  /**
   * Sets the share of the requests that a version of a contract receives, in percent; null for the
   * weight that its workers announce. Returns false for an unknown version.
   */
  setVersionWeight(contract: string, version: string, weight: number | null): boolean;
}

/** A router that reports on itself. */
export interface RouterView {
  readonly state: LifecycleState;
  inspect(): RouterReport;
}
