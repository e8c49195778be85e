/** Messages between the primary of a cluster and its members. */

import type { LogLevel } from '../../core/logging/log-level.ts';
import type { Health } from '../../core/observability/health.ts';
import type { ActionOutcome, Snapshot } from '../../gateway/admin/index.ts';
import type { Readings } from '../../metrics/index.ts';

/** Questions that the primary can ask a member, with their answers. */
export interface Questions {
  readonly readings: () => Promise<Readings>;
  readonly health: () => Health;
  readonly snapshot: () => Promise<Snapshot>;
  readonly contract: (name: string) => unknown;
  readonly drainWorker: (id: string, drain: boolean) => Promise<ActionOutcome>;
  readonly pauseEvent: (name: string, pause: boolean) => Promise<ActionOutcome>;
}

/** Name of a question. */
export type Question = keyof Questions;

/** The answer to a question. */
export type Answer<What extends Question> = Awaited<ReturnType<Questions[What]>>;

/** Message from the primary to a member. */
export type ToMember =
  | 'stop'
  | { readonly ask: number; readonly what: Question; readonly about: readonly unknown[] }
  | { readonly level: LogLevel | 'silent' };

/** Message from a member: it is ready, it failed to start, or it answers a question. */
export type FromMember =
  | { readonly ready: string }
  | { readonly failed: string }
  | { readonly answer: number; readonly value: unknown };
