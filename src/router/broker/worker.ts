/**
 * A worker as the router sees it: what it serves, how much it may hold, and what it holds.
 */

import { hashOf } from '../../core/collections/hash.ts';
import { LinkedList } from '../../core/collections/linked-list.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import type { WorkerView } from '../strategies/strategy.ts';
import type { Breaker } from './breaker-state.ts';
import type { RouterRequest } from './request.ts';
import type { TimerEntry } from './timers.ts';

/** The way to a worker. Its methods must not call the core back before they return. */
export interface WorkerPort {
  /**
   * Gives the worker a request, under `pending.id` and `pending.generation`; `pending.message.timeLeft` is set to `timeLeft`,
   * in whole milliseconds from 1.
   *
   * @returns false when it could not be sent: the request goes back to its queue, and the worker gets none until
   *   `Broker.unblock`.
   */
  dispatch(pending: RouterRequest, timeLeft: number): boolean;
  /** Nobody waits for this request any more. Called for workers that `cancels`. */
  cancel(id: number, generation: number, why: CancelReason): void;
  /** Requests wait that the worker could take, had it more credit. Called for workers that `shares`. */
  want?(): void;
}

/** What a worker is able to do. */
export interface WorkerInfo {
  /** Name of the worker: its identity. */
  readonly id: string;
  /** Events it serves; undefined: those that no worker ever announced, as for a classic worker that is not bound. */
  readonly events: readonly string[] | undefined;
  /** How many requests it may hold at a time; from 1, or from 0 for one that shares. */
  readonly concurrency: number;
  /** It shares its credit with other routers, and may be asked for more of it. Default false. */
  readonly shares?: boolean;
  /**
   * Whether it can be told that nobody waits, and then replies when its handler has ended. A classic worker cannot.
   * Default: true for workers that announce events.
   */
  readonly cancels?: boolean;
  /**
   * By event: which version of its contract it serves. Requests go to workers with the highest rank first. An event that
   * is not in it has rank 0. Default: none.
   */
  readonly ranks?: ReadonlyMap<string, number>;
}

/** The group of a worker, as far as the worker's side knows it. `Group` is the only class of it. */
export interface WorkerGroup {
  readonly workers: ReadonlySet<Worker>;
  /** How many of its workers have a breaker that is not closed. */
  tripped: number;
  /** Puts the worker into the ready list, or takes it out, as it is eligible. */
  refresh(worker: Worker): void;
  /** Asks the workers that have credit at other routers for more of it, once each. */
  askForCredit(): void;
  /** The worker may be asked for more credit again. */
  mayAsk(worker: Worker): void;
}

/**
 * A worker and its credit. It may be given a request while it is `eligible`; then it stands in the ready list of its group.
 *
 * A request takes one credit from being sent until the worker replies to it, be it late. Where the caller stops
 * waiting before (timeout, cancel), the rule depends on the worker:
 *
 * - One that `cancels` is told so; the credit comes back with its late reply, or when it is lost. A handler that ignores
 *   its signal really is busy, and its credit says so.
 * - A classic worker cannot be told, and one whose handler failed never replies. So its credit comes back at the
 *   deadline of the request. After `unresponsiveAfter` timeouts in a row without any reply it is unresponsive: it gets no more until it
 *   replies to anything at all, or until `unresponsiveRetry` has passed, when one timeout more is risked. So a mute
 *   worker costs only the requests it was given, and a slow one never has more than `unresponsiveAfter` too many.
 */
export class Worker implements WorkerView {
  readonly id: string;
  readonly hash: number;
  readonly port: WorkerPort;
  cancels: boolean;
  events: readonly string[] | undefined;
  ranks: ReadonlyMap<string, number> | undefined;
  concurrency: number;
  shares: boolean;
  /** It was asked for more credit, and did not say yet what comes of it. */
  asked = false;
  group: WorkerGroup | undefined = undefined;
  /** Place in the ready list of its group; -1 while it stands in none. */
  place = -1;
  readonly holding = new LinkedList<RouterRequest>();

  /** It left, or was removed. */
  gone = false;
  /** It finishes what it holds and gets no more. */
  draining = false;
  /** An operator has it drain. */
  suspended = false;
  /** Its socket has no room. */
  blocked = false;
  /** It failed at too many events at once, or said it was busy; it is tried again later. */
  resting = false;
  /** It let too many requests time out in a row without a reply. */
  unresponsive = false;

  /** Timeouts since its last reply; counted for workers that cannot cancel. */
  timeouts = 0;
  /** When it is tried again, while it is unresponsive. */
  muteAlarm: TimerEntry | undefined = undefined;
  /** Its failures by event, while there are any. */
  breakers: Map<string, Breaker> | undefined = undefined;
  /** How many of its breakers are not closed. */
  tripped = 0;
  onDrained: (() => void) | undefined = undefined;

  lastPicked = 0;
  readonly joined: number;

  /** @param since when it came, in ms. */
  constructor(
    port: WorkerPort,
    info: WorkerInfo,
    joined: number,
    readonly since: number,
  ) {
    this.joined = joined;
    this.id = info.id;
    this.hash = hashOf(info.id);
    this.port = port;
    this.events = info.events;
    this.ranks = info.ranks;
    this.concurrency = info.concurrency;
    this.shares = info.shares ?? false;
    this.cancels = info.cancels ?? info.events !== undefined;
  }

  /** Requests it holds, those nobody waits for any more included. */
  get held(): number {
    return this.holding.length;
  }

  /** Whether it may be given a request. */
  get eligible(): boolean {
    return this.holding.length < this.concurrency && !this.paused;
  }

  /** Whether it gets nothing, however much credit it has. */
  get paused(): boolean {
    return this.gone || this.draining || this.suspended || this.blocked || this.resting || this.unresponsive;
  }
}
