import type { RequestView, WorkerView, ZeroMQRoutingStrategy } from './strategy.ts';

/** Maximum number of events whose turn is stored; beyond it, all turns start again. */
const MAX_EVENTS = 10_000;

/**
 * Chooses the workers of an event in turn, in the order in which they joined. Workers without
 * credit miss their turn.
 */
export class RoundRobinStrategy implements ZeroMQRoutingStrategy {
  /** Name of the strategy in reports. */
  readonly name = 'round-robin';
  /** Position (`joined`) of the worker that had the last turn, by event. */
  private readonly turns = new Map<string, number>();

  pick(candidates: readonly WorkerView[], request: RequestView): WorkerView | undefined {
    const last = this.turns.get(request.eventName) ?? 0;
    let first: WorkerView | undefined;
    let next: WorkerView | undefined;
    for (const worker of candidates) {
      if (first === undefined || worker.joined < first.joined) first = worker;
      if (worker.joined > last && (next === undefined || worker.joined < next.joined)) next = worker;
    }
    const picked = next ?? first;
    if (picked === undefined) return undefined;
    if (this.turns.size >= MAX_EVENTS && !this.turns.has(request.eventName)) this.turns.clear();
    this.turns.set(request.eventName, picked.joined);
    return picked;
  }
}
