/** What the primary of a fleet and its members say to each other. */
import type { Health } from '../core/health.ts';
import type { LogLevel } from '../core/log-level.ts';
import type { Snapshot } from '../gateway/admin/index.ts';
import type { Readings } from '../metrics/index.ts';

/** What a member can be asked, and what it answers. */
export interface Answers {
  readonly readings: Readings;
  readonly health: Health;
  readonly snapshot: Snapshot;
}

/** What a member answers with. */
export type Answering = { readonly [What in keyof Answers]: () => Answers[What] | Promise<Answers[What]> };

/** From the primary. */
export type ToMember =
  | 'stop'
  | { readonly ask: number; readonly what: keyof Answers }
  | { readonly level: LogLevel | 'silent' };

/** From a member: it serves, it could not start, or it answers. */
export type FromMember =
  | { readonly ready: string }
  | { readonly failed: string }
  | { readonly answer: number; readonly value: Answers[keyof Answers] };
