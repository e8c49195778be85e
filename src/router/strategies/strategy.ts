/**
 * Strategies choose among the workers that could take a request now. One object each; write your own by
 * implementing `ZeroMQRoutingStrategy` and run it through the conformance suite in `test/conformance/strategies.ts`.
 */
import type { RequestMessage } from '../../core/messages/message.ts';

/** A worker as a strategy sees it. The same object for as long as the worker is connected. */
export interface WorkerView {
  /** Identity of the worker. */
  readonly id: string;
  /** A 32-bit hash of `id`, for hashing without work. */
  readonly hash: number;
  /** How many requests it may hold. */
  readonly concurrency: number;
  /** How many it holds; a candidate always holds fewer than `concurrency`. */
  readonly held: number;
  /** Grows with each request given to any worker: the larger, the more recently this one was given one. 0: never. */
  readonly lastPicked: number;
  /** The order in which workers joined: the larger, the later. No two are equal. */
  readonly joined: number;
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
  readonly name: string;
  /** `proxy`: the router does not choose at all, but forwards blindly; see `ZeroMQRoutingProxy`. */
  readonly kind?: 'proxy';
  /**
   * One of `candidates`: two or more workers that serve the event and have credit, in no particular order. The array
   * belongs to the router and is valid for this call only. Must be cheap: it runs for every request. A result that is no
   * candidate, undefined or an exception means no preference.
   *
   * @param now monotonic milliseconds. Requests that the router reads in one turn of the event loop have the same `now`.
   */
  pick(candidates: readonly WorkerView[], request: RequestView, now: number): WorkerView | undefined;
  /**
   * A worker replied to a request it was given `latency` ms ago, or let it time out. `ok` is false when it failed. Not
   * called for late replies.
   */
  onReply?(worker: WorkerView, latency: number, ok: boolean, now: number): void;
  /** A worker left. */
  onLeave?(worker: WorkerView): void;
}
