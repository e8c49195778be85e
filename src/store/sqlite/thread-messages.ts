/**
 * Messages between a process and the thread of its SQLite store. A message has all calls or results
 * of one turn of an event loop.
 */
import type { RequestStore, StoreLimits } from '../model/store.ts';

/** What the thread needs to open its file. */
export interface ThreadSetup {
  readonly file: string;
  readonly limits: StoreLimits;
}

/** The methods of a store that a process calls in the thread. */
export type StoreMethod = Exclude<keyof RequestStore, 'watch'>;

/** `opened` is answered if the file is open. */
type Call = readonly [number: number, method: StoreMethod | 'opened', args: readonly unknown[]];

export type Calls = readonly Call[];

/** The result of a call, or the reason for its failure. */
export type Result = readonly [number: number, value: unknown, reason?: string];

/** A changed request, and whether the change was a cancellation. */
export type Changed = readonly [id: string, isCancelled: boolean];

/** What the thread sends. */
export type FromThread =
  | { readonly results: readonly Result[]; readonly changed: readonly Changed[] }
  /** The file cannot be opened, and the thread ends. */
  | { readonly failed: string };
