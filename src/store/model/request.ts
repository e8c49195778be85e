/** What a store keeps of a request. All times are wall time of the database, in ms since the epoch. */
import type { FinalState, RequestState } from './states.ts';

/** A request to store. */
export interface NewRequest {
  /** Identifies the request in URLs; it must not be guessable. */
  readonly id: string;
  /** The caller that owns the request; empty without authentication. */
  readonly caller: string;
  readonly event: string;
  /** The value of the header field Idempotency-Key; unique for caller and event. */
  readonly key?: string | undefined;
  /** Hash of the event data: the same key with other data is another request. */
  readonly fingerprint: Buffer;
  /** `running` for a request that the gateway dispatches at once and answers itself. */
  readonly state: 'accepted' | 'running';
  /** Whether it may run again after its reply was lost. */
  readonly idempotent: boolean;
  /** Event data, so that another gateway can run the request. Deleted when the request ends. */
  readonly data: Buffer;
  /** Metadata of the message, stored and deleted with the data. */
  readonly metadata: Buffer;
  /** Time that one execution may take, in ms. */
  readonly timeout: number;
  /** Time for which the ended request is kept, in ms. */
  readonly retention: number;
  /** The gateway that holds the request. */
  readonly owner: string;
  /** Time until another gateway may take the request over, in ms, unless the lease is renewed. */
  readonly lease: number;
}

/** A stored request, without its data and result. */
export interface StoredRequest {
  /** Identifies the request. */
  readonly id: string;
  /** The caller that owns the request; empty without authentication. */
  readonly caller: string;
  /** Name of the event. */
  readonly event: string;
  /** The idempotency key; undefined without one. */
  readonly key: string | undefined;
  /** Hash of the event data. */
  readonly fingerprint: Buffer;
  /** The state of the request. */
  readonly state: RequestState;
  /** Whether it may run again after its reply was lost. */
  readonly idempotent: boolean;
  /** Whether its caller asked to cancel it while it was running. */
  readonly cancelRequested: boolean;
  /** Number of gateways that have held it so far. */
  readonly attempt: number;
  /** When it was stored, in ms since the epoch. */
  readonly createdAt: number;
  /** When a gateway began to run it, in ms since the epoch. */
  readonly startedAt: number | undefined;
  /** When it ended, in ms since the epoch. */
  readonly finishedAt: number | undefined;
  /** When an ended request is deleted. */
  readonly expiresAt: number | undefined;
  /** JSON text of the last progress that the handler reported. */
  readonly progress: string | undefined;
  /** Status of the result. */
  readonly status: number | undefined;
  /** Outcome code, empty for a success. */
  readonly code: string | undefined;
}

/**
 * The right of a gateway to change a request. A gateway that lost its lease has a smaller `attempt`
 * than the stored one, and the store ignores its changes.
 */
export interface Hold {
  readonly id: string;
  readonly owner: string;
  readonly attempt: number;
}

/** A request that a gateway took over, with everything that it needs to run it. */
export interface ClaimedRequest {
  readonly request: StoredRequest;
  readonly hold: Hold;
  readonly data: Buffer;
  readonly metadata: Buffer;
  readonly timeout: number;
}

/** How a request ended. */
export interface Outcome {
  readonly state: FinalState;
  /** Outcome code, empty for a success. */
  readonly code: string;
  /** Undefined if there is nothing to replay. */
  readonly result?: StoredResult | undefined;
  /**
   * Replaces the retention of the request, in ms. 0 for a request that did not run, so that its key
   * can be used again at once.
   */
  readonly retention?: number | undefined;
}

/** The reply of a request, as the gateway sends it. */
export interface StoredResult {
  readonly status: number;
  /** Names and values in alternation, in the order sent. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}
