/** Ends requests: the one place that gives a request its outcome, and counts it. */

import type { ReplyMessage } from '../../core/messages/message.ts';
import { outcomeOf } from '../../core/messages/outcome.ts';
import { TimingWheel } from '../../core/time/timing-wheel.ts';
import { type RouterFailure, routerFailure } from './failures.ts';
import type { BrokerObserver } from './observer.ts';
import type { RouterRequest } from './request.ts';
import type { Counters } from './stats.ts';

export class Settlement {
  readonly deadlines: TimingWheel<RouterRequest>;
  /** Requests that have no outcome yet. */
  live = 0;
  /** New requests are refused. */
  draining = false;
  private onIdle: (() => void) | undefined = undefined;

  constructor(
    readonly counters: Counters,
    now: number,
    readonly observer?: BrokerObserver,
  ) {
    this.deadlines = new TimingWheel<RouterRequest>(now);
  }

  /** A request is there, and its time runs. */
  open(pending: RouterRequest): void {
    this.live++;
    this.deadlines.add(pending, pending.deadline);
  }

  /** Gives a request its reply. It is in no queue any more. */
  settle(pending: RouterRequest, reply: ReplyMessage): void {
    this.end(pending, reply.code, reply.status);
    pending.origin.settle(pending, reply);
    this.tellIdle();
  }

  /** Settles a request with a failure; one that a worker held before never pretends otherwise. */
  fail(pending: RouterRequest, code: RouterFailure): void {
    this.settle(pending, routerFailure(code, pending.attempts > 0));
  }

  /** Ends a request that nobody waits for. */
  cancel(pending: RouterRequest): void {
    pending.cancelled = true;
    this.end(pending, 'CANCELLED', outcomeOf('CANCELLED').status);
    this.tellIdle();
  }

  /** From now on `onIdle` is called as soon as no request is left; possibly at once. */
  drain(onIdle: (() => void) | undefined): void {
    this.draining = true;
    this.onIdle = onIdle;
    this.tellIdle();
  }

  private end(pending: RouterRequest, code: string, status: number): void {
    this.observer?.settled(pending, code, status);
    pending.enter('settled');
    this.deadlines.cancel(pending);
    this.live--;
    this.counters.settled(code);
  }

  private tellIdle(): void {
    const { onIdle } = this;
    if (!this.draining || this.live > 0 || onIdle === undefined) return;
    this.onIdle = undefined;
    onIdle();
  }
}
