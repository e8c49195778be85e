/**
 * process: the process of a command. Several processes for one gateway (`cluster.ts`), the package
 * and its memory, and samples in Python.
 *
 * Messages between the primary of a cluster and its members.
 */

import type { LogLevel } from '../../core/logging/log-level.ts';
import type { Health } from '../../core/observability/health.ts';
import type { ActionOutcome, RequestsAnswer, RequestsCommand, Snapshot } from '../../gateway/admin/index.ts';
import type { Readings } from '../../metrics/index.ts';

/** Queries that the primary can send to a member, with their results. */
export interface Queries {
  readonly readings: () => Promise<Readings>;
  readonly health: () => Health;
  readonly snapshot: () => Promise<Snapshot>;
  readonly contract: (name: string) => unknown;
  readonly drainWorker: (id: string, drain: boolean) => Promise<ActionOutcome>;
  readonly pauseEvent: (name: string, pause: boolean) => Promise<ActionOutcome>;
  readonly requests: (command: RequestsCommand) => Promise<RequestsAnswer>;
}

/** Name of a query. */
export type QueryName = keyof Queries;

/** Result of a query. */
export type QueryResult<Name extends QueryName> = Awaited<ReturnType<Queries[Name]>>;

/**
 * Message from the primary to a member: to stop, to read its settings again, to apply the settings
 * that it has read or to forget them, a query, or a log level.
 */
export type ToMember =
  | 'stop'
  | { readonly prepareReload: number }
  | { readonly applyReload: boolean }
  | { readonly query: QueryName; readonly id: number; readonly args: readonly unknown[] }
  | { readonly level: LogLevel | 'silent' };

/** Message from a member: it is ready, it failed to start, or it replies to a query. */
export type FromMember =
  | { readonly ready: string }
  | { readonly failed: string }
  | { readonly reply: number; readonly value: unknown };
