/**
 * The queue of an executor, bounded by number and bytes. A request leaves it to run only if it can
 * still be answered in time (`core/time/lateness.ts`); the queue settles all others.
 */

import { ServingList } from '../core/collections/serving-list.ts';
import { failure, type ReplyMessage } from '../core/messages/message.ts';
import type { Clock } from '../core/time/clock.ts';
import { cannotFinish } from '../core/time/lateness.ts';
import { Pace } from '../core/time/pace.ts';
import type { HandlerExecution } from './execution.ts';

/** Built once, because a flood of requests needs many of them. */
const TOO_MANY = failure('BUSY', 'too many requests wait for their turn');
const EXPIRED = failure('EXPIRED', 'too little time was left before the request ran');

/** Memory of a queued request beside its data, in bytes, rounded up. */
const OVERHEAD = 512;

/** Limits of the queue. */
export interface ExecutionQueueLimits {
  /** Maximum number of queued requests, and maximum bytes of their data. */
  readonly maxQueue: number;
  readonly maxQueueBytes: number;
}

export class ExecutionQueue {
  private readonly list = new ServingList<HandlerExecution>();
  private bytes = 0;
  /** How long handlers take under load; `''` is for all events without a handler of their own. */
  private readonly paces = new Map<string, Pace>();

  /**
   * @param named whether an event has a handler of its own.
   * @param settle settles a request that will not run, after its removal from the queue.
   */
  constructor(
    private readonly limits: ExecutionQueueLimits,
    private readonly named: (eventName: string) => boolean,
    private readonly settle: (execution: HandlerExecution, reply: ReplyMessage) => void,
    private readonly clock: Clock,
  ) {}

  get length(): number {
    return this.list.length;
  }

  /** Queues a request, or settles it when the queue is full. */
  add(execution: HandlerExecution): void {
    const size = sizeOf(execution);
    if (!this.makeRoom(size)) {
      this.settle(execution, TOO_MANY);
      return;
    }
    execution.detach();
    execution.pace = this.paceOf(execution);
    execution.state = 'waiting';
    this.list.push(execution);
    this.bytes += size;
  }

  /** Removes and returns the request to run next. */
  take(): HandlerExecution | undefined {
    if (this.list.length === 0) return undefined;
    const now = this.clock.now();
    for (let next = this.list.next(now); next !== undefined; next = this.list.next(now)) {
      this.remove(next);
      this.expireOverdue(now);
      if (!cannotFinish(next, now)) {
        this.list.turns++;
        return next;
      }
      this.settle(next, EXPIRED);
    }
    return undefined;
  }

  /** Removes a request at any position. */
  remove(execution: HandlerExecution): void {
    this.list.remove(execution);
    this.bytes -= sizeOf(execution);
  }

  /** Removes all requests, for the caller to settle. */
  *drain(): Generator<HandlerExecution> {
    for (let { first } = this.list; first !== undefined; { first } = this.list) {
      this.remove(first);
      yield first;
    }
  }

  /** Settles a request whose deadline passed, after its caller reported it. */
  expire(execution: HandlerExecution): void {
    this.remove(execution);
    this.settle(execution, EXPIRED);
  }

  /** Records how long a handler took while requests were queued. */
  record(execution: HandlerExecution, time: number): void {
    this.paceOf(execution).record(time);
  }

  private paceOf({ message: { eventName } }: HandlerExecution): Pace {
    const key = this.named(eventName) ? eventName : '';
    let pace = this.paces.get(key);
    if (pace === undefined) {
      pace = new Pace();
      this.paces.set(key, pace);
    }
    return pace;
  }

  /**
   * Makes room for a request by settling those that were passed over. Returns false if there is not
   * enough room.
   */
  private makeRoom(size: number): boolean {
    const { maxQueue, maxQueueBytes } = this.limits;
    while (this.list.length >= maxQueue || this.bytes + size > maxQueueBytes) {
      const late = this.list.passedOver;
      if (late === undefined) return false;
      this.remove(late);
      this.settle(late, cannotFinish(late, this.clock.now()) ? EXPIRED : TOO_MANY);
    }
    return true;
  }

  /** Settles requests that were passed over until their deadline passed. */
  private expireOverdue(now: number): void {
    for (let late = this.list.passedOver; late !== undefined; late = this.list.passedOver) {
      if (!cannotFinish(late, now)) return;
      this.expire(late);
    }
  }
}

function sizeOf({ message }: HandlerExecution): number {
  return OVERHEAD + message.body.length + message.extras.length;
}
