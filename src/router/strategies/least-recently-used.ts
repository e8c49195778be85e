import type { WorkerView, ZeroMQRoutingStrategy } from './strategy.ts';

/** Chooses the worker that received its last request, of any event, the longest time ago. */
export class LeastRecentlyUsedStrategy implements ZeroMQRoutingStrategy {
  /** Name of the strategy in reports. */
  readonly name = 'least-recently-used';

  pick(candidates: readonly WorkerView[]): WorkerView | undefined {
    let best: WorkerView | undefined;
    for (const worker of candidates) {
      if (best === undefined || worker.lastPicked < best.lastPicked) best = worker;
    }
    return best;
  }
}
