/** Settles requests: the only place that assigns and counts an outcome. */

import type { ReplyMessage } from '../../core/messages/message.ts';
import { outcomeOf } from '../../core/messages/outcome.ts';
import { TimingWheel } from '../../core/time/timing-wheel.ts';
import { type RouterFailure, routerFailure } from './failures.ts';
import type { BrokerObserver } from './observer.ts';
import type { RouterRequest } from './request.ts';
import type { Counters } from './stats.ts';

export class Settlement {
  readonly deadlines: TimingWheel<RouterRequest>;
  /** Requests that are not settled. */
  live = 0;
  /** Whether new requests are rejected. */
  draining = false;
  private onIdle: (() => void) | undefined = undefined;

  constructor(
    readonly counters: Counters,
    now: number,
    readonly observer?: BrokerObserver,
  ) {
    this.deadlines = new TimingWheel<RouterRequest>(now);
  }

  /** Registers a request and its deadline. */
  open(request: RouterRequest): void {
    this.live++;
    this.deadlines.add(request, request.deadline);
  }

  /** Settles a request that is in no queue with a reply. */
  settle(request: RouterRequest, reply: ReplyMessage): void {
    this.end(request, reply.code, reply.status);
    request.origin.settle(request, reply);
    this.notifyIdle();
  }

  /**
   * Settles a request with a failure. The failure of a request that was dispatched says that it may
   * have run.
   */
  fail(request: RouterRequest, code: RouterFailure): void {
    this.settle(request, routerFailure(code, request.attempts > 0));
  }

  /** Settles a request whose caller no longer waits. */
  cancel(request: RouterRequest): void {
    request.cancelled = true;
    this.end(request, 'CANCELLED', outcomeOf('CANCELLED').status);
    this.notifyIdle();
  }

  /**
   * Rejects new requests from now on; `onIdle` is called once no request is left, possibly before
   * this returns.
   */
  drain(onIdle: (() => void) | undefined): void {
    this.draining = true;
    this.onIdle = onIdle;
    this.notifyIdle();
  }

  private end(request: RouterRequest, code: string, status: number): void {
    this.observer?.settled(request, code, status);
    request.transition('settled');
    this.deadlines.cancel(request);
    this.live--;
    this.counters.settled(code);
    if (request.stream?.open === true) this.counters.openStreams--;
  }

  private notifyIdle(): void {
    const { onIdle } = this;
    if (!this.draining || this.live > 0 || onIdle === undefined) return;
    this.onIdle = undefined;
    onIdle();
  }
}
