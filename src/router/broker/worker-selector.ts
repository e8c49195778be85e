/** Collects the workers that may take a request now, and lets the strategy choose among them. */

import type { RequestView, ZeroMQRoutingStrategy } from '../strategies/strategy.ts';
import type { Breakers } from './breaker.ts';
import type { Group } from './event-state.ts';
import type { RouterNotice } from './limits.ts';
import { drawRelease, sharesOf } from './releases.ts';
import type { Counters } from './stats.ts';
import { Worker } from './worker.ts';

export class WorkerSelector {
  private gathered: Worker[] = [];

  constructor(
    private readonly strategy: ZeroMQRoutingStrategy,
    private readonly breakers: Breakers | undefined,
    private readonly counters: Counters,
    private readonly notify: ((notice: RouterNotice) => void) | undefined,
    private readonly random: () => number = Math.random,
  ) {}

  /**
   * Chooses a worker with credit, of the highest rank that has any; undefined if there is none.
   *
   * @param fresh whether the request may be the one that a half-open breaker admits.
   * @param least lower ranks are excluded while there are workers of this rank.
   * @param pin version whose workers alone are candidates.
   */
  choose(
    groups: readonly Group[],
    request: RequestView,
    fresh: boolean,
    now: number,
    least = -Infinity,
    pin: string | undefined = undefined,
  ): Worker | undefined {
    const candidates =
      pin !== undefined || (groups.length > 1 && least === -Infinity)
        ? this.ofVersion(groups, request.eventName, fresh, pin)
        : this.candidates(groups, request.eventName, fresh, least);
    if (candidates.length <= 1) return candidates[0];
    let error: unknown;
    try {
      const picked = this.strategy.pick(candidates, request, now);
      if (picked === undefined) return candidates[0];
      if (
        picked instanceof Worker &&
        (candidates[picked.readyIndex] === picked || candidates.includes(picked))
      ) {
        return picked;
      }
      error = new Error('it picked a worker that is not a candidate');
    } catch (thrown) {
      error = thrown;
    }
    this.reportFault(error);
    return candidates[0];
  }

  /** Reports a reply or a timeout to the strategy. */
  replied(worker: Worker, latency: number, ok: boolean, now: number): void {
    if (this.strategy.onReply === undefined) return;
    try {
      this.strategy.onReply(worker, latency, ok, now);
    } catch (thrown) {
      this.reportFault(thrown);
    }
  }

  /** Reports to the strategy that a worker left. */
  left(worker: Worker): void {
    try {
      this.strategy.onLeave?.(worker);
    } catch (thrown) {
      this.reportFault(thrown);
    }
  }

  private reportFault(error: unknown): void {
    this.counters.strategyFaults++;
    this.notify?.({ type: 'strategy-fault', strategy: this.strategy.name, error });
  }

  /**
   * The candidates of a version: the named one, or one by its share of the requests. If the workers
   * of the latter have no credit, the workers of the other versions are candidates.
   */
  private ofVersion(
    groups: readonly Group[],
    eventName: string,
    fresh: boolean,
    pin: string | undefined,
  ): readonly Worker[] {
    const of = (chosen: readonly Group[]): readonly Worker[] =>
      this.candidates(chosen, eventName, fresh, -Infinity);
    if (pin !== undefined) return of(groups.filter(({ release }) => release?.version === pin));
    const shares = sharesOf(groups);
    if (shares === undefined) return of(groups);
    const drawn = drawRelease(shares, this.random());
    const first = of(groups.filter(({ release }) => release === drawn));
    return first.length > 0 ? first : of(groups.filter(({ release }) => shares.get(release) !== 0));
  }

  /**
   * Returns the group's own ready list if there is a single group without open breakers, which
   * avoids a copy.
   */
  private candidates(
    groups: readonly Group[],
    eventName: string,
    fresh: boolean,
    least: number,
  ): readonly Worker[] {
    const { breakers } = this;
    if (breakers?.blocksEvent(eventName, fresh) === true) return NO_CANDIDATES;
    const first = groups[0];
    if (first === undefined) return NO_CANDIDATES;
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
        if (!filter || breakers?.blocks(worker, eventName, fresh) !== true) gathered.push(worker);
      }
    }
    return gathered;
  }
}

const NO_CANDIDATES: readonly Worker[] = [];
