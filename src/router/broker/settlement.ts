/** Ends requests: the one place that gives a request its outcome, and counts it. */

import type { ReplyMessage } from '../../core/messages/message.ts';
import { outcomeOf } from '../../core/messages/outcome.ts';
import { Deadlines } from '../../core/time/timing-wheel.ts';
import { type RouterFailure, routerFailure } from './failures.ts';
import type { CoreObserver } from './observer.ts';
import type { Pending } from './request.ts';
import type { Counters } from './stats.ts';

export class Settler {
  readonly deadlines: Deadlines<Pending>;
  /** Requests that have no outcome yet. */
  live = 0;
  /** New requests are refused. */
  draining = false;
  private onIdle: (() => void) | undefined = undefined;

  constructor(
    readonly counters: Counters,
    now: number,
    readonly observer?: CoreObserver,
  ) {
    this.deadlines = new Deadlines<Pending>(now);
  }

  /** A request is there, and its time runs. */
  open(pending: Pending): void {
    this.live++;
    this.deadlines.add(pending, pending.deadline);
  }

  /** Gives a request its reply. It is in no queue any more. */
  settle(pending: Pending, reply: ReplyMessage): void {
    this.end(pending, reply.code, reply.status);
    pending.origin.settle(pending, reply);
    this.tellIdle();
  }

  /** Settles a request with a failure; one that a worker held before never pretends otherwise. */
  fail(pending: Pending, code: RouterFailure): void {
    this.settle(pending, routerFailure(code, pending.attempts > 0));
  }

  /** Ends a request that nobody waits for. */
  cancel(pending: Pending): void {
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

  private end(pending: Pending, code: string, status: number): void {
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
