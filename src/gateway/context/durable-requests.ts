/** The asynchronous requests of a gateway, as its exchanges see them. */
import type { OutgoingRequest, ReplyMessage, Requester } from '../../core/messages/message.ts';
import type { Operation } from '../../openapi/model/operation.ts';
import type { Creation, StoredRequest, StoredResult } from '../../store/index.ts';
import type { Problem } from '../common/problem.ts';

/** A request to store before it runs. */
export interface AcceptedRequest {
  readonly operation: Operation;
  readonly outgoing: OutgoingRequest;
  /** Its idempotency key. */
  readonly key: string | undefined;
}

/** Whose request it is, and how long to wait for its end. */
export interface RequestQuery {
  readonly id: string;
  /** Id of the authenticated caller; empty without authentication. */
  readonly caller: string;
  /** How long to wait for the end of the request, in seconds. */
  readonly wait: number | undefined;
  readonly signal: AbortSignal;
}

/** A stored result, and the code of its request. */
export interface ResultAnswer {
  readonly result: StoredResult;
  readonly code: string;
}

/**
 * Shows and cancels stored requests. All methods reject with a `StoreUnavailableError` if the store
 * cannot be used.
 */
export interface RequestOperations {
  show(query: RequestQuery): Promise<ReplyMessage | Problem>;
  result(query: RequestQuery): Promise<ResultAnswer | Problem>;
  /** Cancels a request down to its handler. A request that has ended is not changed. */
  cancel(query: RequestQuery): Promise<ReplyMessage | Problem>;
  /** The reply with the state of a request. */
  statusReply(request: StoredRequest, status: number, headers: Record<string, string>): ReplyMessage;
}

/** Stores and runs requests, and shows their state. */
export interface DurableRequests {
  /** Path of the requests, such as `/requests`. */
  readonly path: string;
  readonly pages: RequestOperations;
  /** Serves the events of the states of requests, in place of a worker. */
  readonly events: Requester;
  /**
   * Stores a request, durably, and runs it.
   *
   * @throws {StoreUnavailableError} when it cannot be stored; then it does not run.
   */
  accept(request: AcceptedRequest): Promise<Creation>;
  /**
   * Waits for the requests in flight until the deadline, in ms. The store keeps the others, which
   * another gateway runs. Clients that wait get the current state at once.
   */
  close(deadline: number): Promise<void>;
}
