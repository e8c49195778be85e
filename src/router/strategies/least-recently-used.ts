import type { WorkerView, ZeroMQRoutingStrategy } from './strategy.ts';

/** The worker that has gone longest without being given a request, of whatever event. */
export class LeastRecentlyUsedStrategy implements ZeroMQRoutingStrategy {
  readonly name = 'least-recently-used';

  pick(candidates: readonly WorkerView[]): WorkerView | undefined {
    let best: WorkerView | undefined;
    for (const worker of candidates) {
      if (best === undefined || worker.lastPicked < best.lastPicked) best = worker;
    }
    return best;
  }
}
