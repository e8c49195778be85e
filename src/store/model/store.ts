/** The interface of stores. `test/conformance/stores.ts` states what each implementation must do. */
import type { ClaimedRequest, Hold, NewRequest, Outcome, StoredRequest, StoredResult } from './request.ts';
import type { RequestState } from './states.ts';

/** Limits of what a store keeps, ended requests included. */
export interface StoreLimits {
  /** Maximum stored requests of one caller. */
  readonly requestsPerCaller: number;
  /** Maximum bytes of data and results of one caller. */
  readonly bytesPerCaller: number;
  /** Maximum stored requests of all callers. */
  readonly requests: number;
  /** Maximum bytes of data and results of all callers. */
  readonly bytes: number;
}

/** Limits of a store for which none are set. */
export const DEFAULT_LIMITS: StoreLimits = {
  requestsPerCaller: 1_000_000,
  bytesPerCaller: 1_073_741_824,
  requests: 10_000_000,
  bytes: 10_737_418_240,
};

/** What {@link RequestStore.create} found or did. */
export type Creation =
  /** The request is stored, durably. */
  | { readonly outcome: 'created'; readonly request: StoredRequest; readonly hold: Hold }
  /**
   * The caller used the key before, or the id is stored already; `request` is the former request,
   * whatever its data were.
   */
  | { readonly outcome: 'existing'; readonly request: StoredRequest }
  /** A limit of the caller, or of the store, is reached. Nothing is stored. */
  | { readonly outcome: 'full'; readonly limit: keyof StoreLimits };

/**
 * What {@link RequestStore.cancel} did: the request never runs, the gateway that holds it is asked to
 * stop it, it had ended already, or the caller has no such request.
 */
export type Cancellation = 'cancelled' | 'requested' | 'ended' | 'missing';

/** Answer to {@link RequestStore.renew}. */
export interface Renewal {
  /** Ids of requests that the gateway does not hold: another one took them over, or they ended. */
  readonly lost: readonly string[];
  /** Ids of requests whose callers asked to cancel them. */
  readonly cancelRequested: readonly string[];
}

/** Selects requests, newest first. */
export interface ListQuery {
  /** All callers if undefined. */
  readonly caller?: string | undefined;
  /** All states if undefined. */
  readonly state?: RequestState | undefined;
  /** Continues after the last request of the page before. */
  readonly after?: { readonly createdAt: number; readonly id: string } | undefined;
  /** Maximum number of requests. */
  readonly limit: number;
}

/** Numbers for metrics. */
export interface StoreStatistics {
  /** Stored requests, by state. */
  readonly states: Readonly<Record<RequestState, number>>;
  /** Bytes of data and results. */
  readonly bytes: number;
  /** Age of the oldest request that has not ended, in ms; undefined without one. */
  readonly oldest: number | undefined;
}

/**
 * Receives the id of a changed request, and whether the change may be a cancellation of a request
 * that is running.
 */
export type ChangeListener = (id: string, mayBeCancelled: boolean) => void;

/**
 * Durable requests and idempotency keys. A promise resolves after the change is on disk. It rejects
 * with a `StoreUnavailableError` if the database cannot be reached or written; then a change may
 * have happened or not.
 */
export interface RequestStore {
  /** Stores a request, unless its caller used its key for the event before or a limit is reached. */
  create(request: NewRequest): Promise<Creation>;
  /** Finds a request; with `caller`, only if the caller owns it. */
  get(id: string, caller?: string): Promise<StoredRequest | undefined>;
  /** Finds the result of an ended request; with `caller`, only if the caller owns it. */
  result(id: string, caller?: string): Promise<StoredResult | undefined>;
  /** accepted → running. To be called before the request is dispatched. False if the hold is lost. */
  start(hold: Hold): Promise<boolean>;
  /** running → accepted, for a request that was not dispatched. False if the hold is lost. */
  requeue(hold: Hold): Promise<boolean>;
  /** Ends a request. False if the hold is lost, or the state does not allow it. */
  finish(hold: Hold, outcome: Outcome): Promise<boolean>;
  /** Stores the JSON text of a progress. False if the hold is lost. */
  progress(hold: Hold, json: string): Promise<boolean>;
  /** Cancels a request, or asks its gateway to; with `caller`, only if the caller owns it. */
  cancel(id: string, caller?: string): Promise<Cancellation>;
  /** Extends the leases of requests by `lease` ms from now. */
  renew(holds: readonly Hold[], lease: number): Promise<Renewal>;
  /**
   * Takes over up to `limit` requests whose leases have ended. A request that is *running* may have
   * been dispatched: the caller runs it again only if it is idempotent, and else ends it as
   * *unknown*.
   */
  claim(owner: string, lease: number, limit: number): Promise<ClaimedRequest[]>;
  /** Ends leases, so that other gateways take the requests over at once. */
  release(holds: readonly Hold[]): Promise<void>;
  list(query: ListQuery): Promise<StoredRequest[]>;
  /** Deletes up to `limit` requests whose retention is over; returns their number. */
  expire(limit: number): Promise<number>;
  statistics(): Promise<StoreStatistics>;
  /**
   * Calls `listener` after each change of a request, in this process or another one.
   * Changes can be missed while the database is not reachable.
   *
   * @returns a function that stops it.
   */
  watch(listener: ChangeListener): () => void;
  /**
   * Rejects if the store cannot be used.
   *
   * @param isThorough whether to write as much as a large request, to see whether there is space.
   */
  check(isThorough: boolean): Promise<void>;
  /** Completes changes that were begun, and closes the database. */
  close(): Promise<void>;
}
