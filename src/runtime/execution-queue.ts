/**
 * Requests of an executor that wait for their turn: bounded by number and bytes. Only requests that can still be answered
 * leave it to run (`core/time/lateness.ts`); the others are settled here.
 */

import { ServingList } from '../core/collections/serving-list.ts';
import { failure, type ReplyMessage } from '../core/messages/message.ts';
import { cannotFinish } from '../core/time/lateness.ts';
import { Pace } from '../core/time/pace.ts';
import type { HandlerExecution } from './execution.ts';

/** Built once: they are for floods. */
const TOO_MANY = failure('BUSY', 'too many requests wait for their turn');
const EXPIRED = failure('EXPIRED', 'too little time was left before the request ran');

/** What a request that waits takes beside its data, in bytes, rounded up. */
const OVERHEAD = 512;

/** Bounds of the queue. */
export interface ExecutionQueueLimits {
  /** Requests that may wait for their turn, and the bytes of their data. */
  readonly maxQueue: number;
  readonly maxQueueBytes: number;
}

export class ExecutionQueue {
  private readonly list = new ServingList<HandlerExecution>();
  private bytes = 0;
  /** How long handlers take while requests wait; `''`: those of all events without a handler of their own. */
  private readonly paces = new Map<string, Pace>();

  /**
   * @param named whether an event has a handler of its own.
   * @param settle settles a request that is not run; it is out of the queue already.
   */
  constructor(
    private readonly limits: ExecutionQueueLimits,
    private readonly named: (eventName: string) => boolean,
    private readonly settle: (execution: HandlerExecution, reply: ReplyMessage) => void,
  ) {}

  get length(): number {
    return this.list.length;
  }

  /** Queues a request, or settles it when there is no room. */
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

  /** Takes the request that is to run next. */
  take(): HandlerExecution | undefined {
    if (this.list.length === 0) return undefined;
    const now = performance.now();
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

  /** Takes a request out, wherever it stands. */
  remove(execution: HandlerExecution): void {
    this.list.remove(execution);
    this.bytes -= sizeOf(execution);
  }

  /** Takes all out, to be settled. */
  *drain(): Generator<HandlerExecution> {
    for (let { first } = this.list; first !== undefined; { first } = this.list) {
      this.remove(first);
      yield first;
    }
  }

  /** Its time ran out, and its caller says so. */
  expire(execution: HandlerExecution): void {
    this.remove(execution);
    this.settle(execution, EXPIRED);
  }

  /** A handler took that long, while requests waited. */
  learn(execution: HandlerExecution, time: number): void {
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

  /** Makes room for a request: those that were passed over give way. False when there is not enough. */
  private makeRoom(size: number): boolean {
    const { maxQueue, maxQueueBytes } = this.limits;
    while (this.list.length >= maxQueue || this.bytes + size > maxQueueBytes) {
      const late = this.list.passedOver;
      if (late === undefined) return false;
      this.remove(late);
      this.settle(late, cannotFinish(late, performance.now()) ? EXPIRED : TOO_MANY);
    }
    return true;
  }

  /** Expires requests that were passed over until their time ran out. */
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
