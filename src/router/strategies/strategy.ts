/**
 * Strategies choose among the workers that may take a request now. To write one, implement
 * `ZeroMQRoutingStrategy` and run it through the conformance suite in
 * `test/conformance/strategies.ts`.
 */
import type { RequestMessage } from '../../core/messages/message.ts';

/** A worker as a strategy sees it. The object stays the same while the worker is connected. */
export interface WorkerView {
  /** Identity of the worker. */
  readonly id: string;
  /** A 32-bit hash of `id`, computed once. */
  readonly hash: number;
  /** Maximum number of requests that it may hold. */
  readonly concurrency: number;
  /** Number of requests that it holds; below `concurrency` for every candidate. */
  readonly held: number;
  /**
   * Number of the last request that it received, counted over all workers: the larger, the more
   * recent. 0 if it received none.
   */
  readonly lastPicked: number;
  /** Position in the order of joining: the larger, the later. Unique. */
  readonly joined: number;
  /** Its zone, if it announced one. */
  readonly zone?: string | undefined;
}

/** A request as a strategy sees it. */
export type RequestView = Pick<RequestMessage, 'eventName' | 'requestId' | 'idempotent' | 'extras'>;

/**
 * Chooses the worker of a request.
 *
 * @example
 * const firstByName: ZeroMQRoutingStrategy = {
 *   name: 'first-by-name',
 *   pick: (candidates) => candidates.reduce((best, worker) => (worker.id < best.id ? worker : best)),
 * };
 */
export interface ZeroMQRoutingStrategy {
  /** Name of the strategy in reports. */
  readonly name: string;
  /** `proxy`: the router forwards messages without choosing; see {@link ZeroMQRoutingProxy}. */
  readonly kind?: 'proxy';
  /**
   * Chooses one of `candidates`. It is called for every request, so it must be cheap. If it throws,
   * or returns undefined or a worker that is not a candidate, the router takes the first candidate.
   *
   * @param candidates two or more workers that serve the event and have credit, in no particular
   *   order. The array belongs to the router and is valid during this call only.
   * @param request the request to route.
   * @param now monotonic time in milliseconds. Requests read in one turn of the event loop have the
   *   same `now`.
   * @returns the chosen worker, or undefined for no preference.
   */
  pick(candidates: readonly WorkerView[], request: RequestView, now: number): WorkerView | undefined;
  /**
   * Called when a worker replies or lets a request time out. Not called for late replies.
   *
   * @param latency time since the request was dispatched, in milliseconds.
   * @param ok whether the request succeeded.
   */
  onReply?(worker: WorkerView, latency: number, ok: boolean, now: number): void;
  /** Called when a worker left. */
  onLeave?(worker: WorkerView): void;
}
