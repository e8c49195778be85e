/** Gathers the workers that could take a request now, and asks the strategy. */

import type { RequestView, ZeroMQRoutingStrategy } from '../strategies/strategy.ts';
import type { Breakers } from './breaker.ts';
import type { Group } from './event-table.ts';
import type { RouterNotice } from './limits.ts';
import type { Counters } from './stats.ts';
import { Worker } from './worker.ts';

export class WorkerSelector {
  private gathered: Worker[] = [];

  constructor(
    private readonly strategy: ZeroMQRoutingStrategy,
    private readonly breakers: Breakers | undefined,
    private readonly counters: Counters,
    private readonly notify: ((notice: RouterNotice) => void) | undefined,
  ) {}

  /**
   * A worker with credit for the request, of the highest rank that has any; undefined when there is none.
   *
   * @param fresh the request may be the one that a half-open breaker lets pass.
   * @param least workers of a lower rank are left out, while there are some of that rank.
   */
  choose(
    groups: readonly Group[],
    request: RequestView,
    fresh: boolean,
    now: number,
    least = -Infinity,
  ): Worker | undefined {
    const candidates = this.candidates(groups, request.eventName, fresh, least);
    if (candidates.length <= 1) return candidates[0];
    let error: unknown;
    try {
      const picked = this.strategy.pick(candidates, request, now);
      if (picked === undefined) return candidates[0];
      if (picked instanceof Worker && (candidates[picked.place] === picked || candidates.includes(picked))) {
        return picked;
      }
      error = new Error('it picked a worker that is no candidate');
    } catch (thrown) {
      error = thrown;
    }
    this.fault(error);
    return candidates[0];
  }

  /** Tells the strategy of a reply, or of a timeout. */
  replied(worker: Worker, latency: number, ok: boolean, now: number): void {
    if (this.strategy.onReply === undefined) return;
    try {
      this.strategy.onReply(worker, latency, ok, now);
    } catch (thrown) {
      this.fault(thrown);
    }
  }

  /** Tells the strategy that a worker left. */
  left(worker: Worker): void {
    try {
      this.strategy.onLeave?.(worker);
    } catch (thrown) {
      this.fault(thrown);
    }
  }

  private fault(error: unknown): void {
    this.counters.strategyFaults++;
    this.notify?.({ type: 'strategy-fault', strategy: this.strategy.name, error });
  }

  /** The ready list itself where it is all there is to it. */
  private candidates(
    groups: readonly Group[],
    eventName: string,
    fresh: boolean,
    least: number,
  ): readonly Worker[] {
    const { breakers } = this;
    if (breakers?.eventRests(eventName, fresh) === true) return NOBODY;
    const first = groups[0];
    if (first === undefined) return NOBODY;
    if (groups.length === 1 && first.tripped === 0) return first.ready;
    const gathered = this.gathered;
    gathered.length = 0;
    let rank = first.rankOf(eventName);
    for (const group of groups) {
      const own = group.rankOf(eventName);
      if (own < rank && (gathered.length > 0 || own < least)) break;
      rank = own;
      const filter = group.tripped > 0;
      for (const worker of group.ready) {
        if (!filter || breakers?.rests(worker, eventName, fresh) !== true) gathered.push(worker);
      }
    }
    return gathered;
  }
}

const NOBODY: readonly Worker[] = [];
