/**
 * diff: what differs between two versions of a document, for the HTTP clients that use it.
 *
 * This file has the vocabulary of changes.
 */
import type { HttpMethod } from '../model/operation.ts';

/**
 * What a change means for clients of the earlier version. `breaking`: a request that was valid is
 * rejected, or a response does not conform to the earlier document. `warning`: some clients may
 * fail, such as those that know the values of an enum. `info`: clients are not affected.
 */
export type ChangeLevel = 'breaking' | 'warning' | 'info';

/** One change of an operation. */
export interface ContractChange {
  /** What the change means for clients. */
  readonly level: ChangeLevel;
  /** Stable name of the kind of change, such as `request-value-removed`. */
  readonly rule: string;
  /** Method of the operation, in lower case. */
  readonly method: HttpMethod;
  /** Path of the operation in the earlier document; in the later one if it is new. */
  readonly path: string;
  /** What changed, such as `the query parameter limit: maximum is tighter`. */
  readonly text: string;
}

/** Levels, from the worst. */
export const CHANGE_LEVELS: readonly ChangeLevel[] = ['breaking', 'warning', 'info'];

/** Receives the changes of one operation. */
export type Report = (level: ChangeLevel, rule: string, text: string) => void;
