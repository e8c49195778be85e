import type { RequestView, WorkerView, ZeroMQRoutingStrategy } from './strategy.ts';

/** Loads are compared in quarters of a worker's concurrency. */
const QUANTA = 4;

/**
 * Chooses the worker with the lowest load, as the share of its concurrency that it holds. The
 * default strategy.
 *
 * Loads are compared in quarters. Requests of one turn of the event loop stay with one worker for a
 * quarter of its concurrency before the next worker is used, because one batch costs far less than
 * many. Across turns, equally loaded workers are used in the order of their last use. With a
 * concurrency of up to 4, each request goes to the least loaded worker.
 */
export class LeastLoadedStrategy implements ZeroMQRoutingStrategy {
  /** Name of the strategy in reports. */
  readonly name = 'least-loaded';
  private turn = Number.NaN;
  private latest: WorkerView | undefined = undefined;
  /** Index of `latest` among the candidates, and its load when it was chosen. */
  private index = 0;
  private level = 0;

  pick(candidates: readonly WorkerView[], _request: RequestView, now: number): WorkerView | undefined {
    const sameTurn = now === this.turn;
    if (sameTurn) {
      const again = candidates[this.index];
      if (again !== undefined && again === this.latest && levelOf(again) <= this.level) return again;
    }
    this.turn = now;
    return this.choose(candidates, sameTurn ? this.latest : undefined);
  }

  private choose(
    candidates: readonly WorkerView[],
    preferred: WorkerView | undefined,
  ): WorkerView | undefined {
    let best: WorkerView | undefined;
    let bestLevel = QUANTA;
    let bestUse = 0;
    for (let index = 0; index < candidates.length; index++) {
      const worker = candidates[index];
      if (worker === undefined) continue;
      const level = levelOf(worker);
      if (level > bestLevel) continue;
      const use = worker === preferred ? -1 : worker.lastPicked;
      if (level === bestLevel && use >= bestUse) continue;
      best = worker;
      bestLevel = level;
      bestUse = use;
      this.index = index;
    }
    this.latest = best;
    this.level = bestLevel;
    return best;
  }
}

function levelOf(worker: WorkerView): number {
  return ((worker.held * QUANTA) / worker.concurrency) | 0;
}
