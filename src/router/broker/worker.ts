/**
 * A worker as the broker sees it: the events that it serves, its credit, and the requests that it
 * holds.
 */

import { hashOf } from '../../core/collections/hash.ts';
import { LinkedList } from '../../core/collections/linked-list.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import { DEFAULT_MAX_STREAMS } from '../../core/messages/stream.ts';
import type { WorkerReport } from '../../core/observability/reports.ts';
import type { WorkerView } from '../strategies/strategy.ts';
import type { Breaker } from './breaker-state.ts';
import type { Lending } from './lending.ts';
import type { Release, ReleaseInfo } from './releases.ts';
import type { RouterRequest } from './request.ts';
import type { TimerEntry } from './timers.ts';

/** The connection to a worker. Its methods must not call the broker back before they return. */
export interface WorkerPort {
  /**
   * Sends the worker a request under `request.id` and `request.generation`.
   * `request.message.timeLeft` is set to `timeLeft`, in whole milliseconds from 1.
   *
   * @returns false if the request could not be sent: it returns to its queue, and the worker
   *   receives none until `Broker.unblock`.
   */
  dispatch(request: RouterRequest, timeLeft: number): boolean;
  /** Cancels a request whose caller no longer waits. Called for workers with `cancels`. */
  cancel(id: number, generation: number, why: CancelReason): void;
  /** Lets the worker send `bytes` more of the reply to a request. Called for requests with a stream. */
  sendWindow?(id: number, generation: number, bytes: number): void;
  /** Sends a chunk of the body of a request. Called once the worker has granted. */
  sendChunk?(id: number, generation: number, body: Buffer, end: boolean): void;
  /** Describes the worker, for operators. */
  describe?(): WorkerDescription;
  /** Asks for more credit because requests are queued. Called for workers with `sharesCredit`. */
  requestCredit?(): void;
}

/** Description of a worker; see `WorkerReport`. */
export type WorkerDescription = Pick<
  WorkerReport,
  'host' | 'pid' | 'package' | 'contract' | 'version' | 'key' | 'zone'
>;

/** Properties of a worker. */
export interface WorkerInfo {
  /** Identity of the worker. */
  readonly id: string;
  /** Name for people. Default: the identity. */
  readonly name?: string;
  /**
   * Events that it serves; undefined: events that no worker ever announced, as for a classic worker
   * without configured events.
   */
  readonly events: readonly string[] | undefined;
  /**
   * Maximum number of requests that it may hold; from 1, or from 0 for a worker with
   * `sharesCredit`.
   */
  readonly concurrency: number;
  /**
   * Maximum number of streams that use no credit after their first chunk. Default:
   * `DEFAULT_MAX_STREAMS`.
   */
  readonly maxStreams?: number;
  /** Whether it shares its credit with other routers and may be asked for more. Default: false. */
  readonly sharesCredit?: boolean;
  /**
   * Whether it accepts cancellations, and replies once its handler has ended. Classic workers do
   * not. Default: true for workers that announce events.
   */
  readonly cancels?: boolean;
  /**
   * Rank of the version of its contract, by event. Workers of the highest rank receive requests
   * first. Events not listed have rank 0. Default: none.
   */
  readonly ranks?: ReadonlyMap<string, number>;
  /** Version of its contract, if it announces one. Default: none. */
  readonly release?: ReleaseInfo;
  /** Its zone, if it has one. */
  readonly zone?: string | undefined;
}

/** The group of a worker, as the worker and its breakers see it; implemented by `Group`. */
export interface WorkerGroup {
  readonly workers: ReadonlySet<Worker>;
  /** Number of its workers with a breaker that is not closed. */
  tripped: number;
  /** Adds the worker to the ready list or removes it, as its state requires. */
  refresh(worker: Worker): void;
  /** Asks each worker that has credit at other routers for more of it, once. */
  askForCredit(): void;
  /** Allows the worker to be asked for more credit again. */
  allowCreditRequest(worker: Worker): void;
  /** Its workers with handlers that wait on calls. */
  readonly lenders: Set<Worker>;
}

/**
 * A worker and its credit. While it is `eligible`, it is in the ready list of its group and may
 * receive requests.
 *
 * A request uses one credit from dispatch until the worker replies, even if the reply is late. If
 * the caller stops waiting before that (timeout or cancellation), the rule depends on the worker. The
 * credit of a stream returns with its first chunk, for up to `maxStreams` streams.
 *
 * - A worker with `cancels` receives a cancellation. The credit returns with its late reply, or
 *   when the worker is lost. A handler that ignores its signal is really busy, and its credit
 *   reflects that.
 * - A classic worker accepts no cancellations, and does not reply if its handler failed. Its credit
 *   returns at the deadline of the request. After `unresponsiveAfter` consecutive timeouts without
 *   any reply it is unresponsive and receives no requests until it replies to any request, or until
 *   `unresponsiveRetry` has passed, when one more timeout is risked. An unresponsive worker
 *   therefore costs only the requests it received, and a slow one never holds more than
 *   `unresponsiveAfter` requests beyond its concurrency.
 */
export class Worker implements WorkerView {
  readonly id: string;
  name: string;
  readonly hash: number;
  readonly port: WorkerPort;
  cancels: boolean;
  events: readonly string[] | undefined;
  ranks: ReadonlyMap<string, number> | undefined;
  release: Release | undefined = undefined;
  concurrency: number;
  readonly maxStreams: number;
  readonly zone: string | undefined;
  /** Number of streams that use no credit. */
  creditless = 0;
  sharesCredit: boolean;
  /** Whether it was asked for more credit and has not reported its credit since. */
  creditRequested = false;
  group: WorkerGroup | undefined = undefined;
  /** Index in the ready list of its group; -1 if it is in none. */
  readyIndex = -1;
  readonly holding = new LinkedList<RouterRequest>();
  /** The calls that it holds and waits on; set with the first one. */
  lending: Lending | undefined = undefined;

  /** Whether it was removed. */
  removed = false;
  /** Whether it finishes the requests that it holds and receives no more. */
  draining = false;
  /** Whether an operator drains it. */
  drainedByOperator = false;
  /** Whether its connection accepts no more messages. */
  blocked = false;
  /**
   * Whether it is suspended because it failed at too many events, or replied that it is busy. It
   * resumes later.
   */
  suspended = false;
  /** Whether too many consecutive requests timed out without a reply. */
  unresponsive = false;

  /** Timeouts since its last reply; counted for workers without `cancels`. */
  timeouts = 0;
  /** Ends the unresponsive state. */
  retryTimer: TimerEntry | undefined = undefined;
  /** Its breakers by event, while any counts failures. */
  breakers: Map<string, Breaker> | undefined = undefined;
  /** Number of its breakers that are not closed. */
  tripped = 0;
  onDrained: (() => void) | undefined = undefined;

  lastPicked = 0;
  readonly joined: number;

  /**
   * @param joined position in the order of joining.
   * @param since time at which it joined, in ms.
   */
  constructor(
    port: WorkerPort,
    info: WorkerInfo,
    joined: number,
    readonly since: number,
  ) {
    this.joined = joined;
    this.id = info.id;
    this.name = info.name ?? info.id;
    this.hash = hashOf(info.id);
    this.port = port;
    this.events = info.events;
    this.ranks = info.ranks;
    this.concurrency = info.concurrency;
    this.maxStreams = info.maxStreams ?? DEFAULT_MAX_STREAMS;
    this.zone = info.zone;
    this.sharesCredit = info.sharesCredit ?? false;
    this.cancels = info.cancels ?? info.events !== undefined;
  }

  /** Number of requests that it holds, including those whose callers no longer wait. */
  get held(): number {
    return this.holding.length;
  }

  /** Whether all its credit is used. */
  get isFull(): boolean {
    return this.holding.length - this.creditless >= this.concurrency;
  }

  /** Whether it may be given a request. */
  get eligible(): boolean {
    return !this.isFull && !this.paused;
  }

  /** Whether it may be given a call of a depth without credit, in a slot that a handler lends. */
  mayTakeCall(depth: number): boolean {
    const { lending, concurrency } = this;
    if (lending === undefined || lending.lent === 0) return false;
    // A worker that drains still finishes its requests, which may wait for the call.
    if (this.removed || this.blocked || this.suspended || this.unresponsive) return false;
    return this.held - this.creditless - lending.lent < concurrency && lending.heldAt(depth) < concurrency;
  }

  /** Whether it receives no requests, whatever its credit. */
  get paused(): boolean {
    return (
      this.removed ||
      this.draining ||
      this.drainedByOperator ||
      this.blocked ||
      this.suspended ||
      this.unresponsive
    );
  }
}
