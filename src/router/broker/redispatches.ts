/** Requests of workers that are lost or silent, which other workers may run instead. */
import { cannotFinish } from '../../core/time/lateness.ts';
import type { EventTable } from './event-table.ts';
import type { BrokerLimits } from './limits.ts';
import type { RouterRequest } from './request.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Scheduler } from './scheduler.ts';
import type { Settlement } from './settlement.ts';
import type { Counters } from './stats.ts';
import type { Worker } from './worker.ts';

interface RedispatchParts {
  readonly limits: BrokerLimits;
  readonly counters: Counters;
  readonly eventTable: EventTable;
  readonly budget: RetryBudget | undefined;
  readonly settlement: Settlement;
  readonly scheduler: Scheduler;
}

export class Redispatches {
  constructor(private readonly parts: RedispatchParts) {}

  /** Redispatches a request of a lost worker if that is safe and useful, or settles it. */
  orFail(request: RouterRequest, now: number): void {
    const { counters, budget, settlement } = this.parts;
    const wanted = this.isWanted(request, now);
    if (wanted && (budget === undefined || budget.take(now))) {
      this.redispatch(request, now);
      return;
    }
    if (wanted) counters.redispatchesDenied++;
    settlement.fail(request, 'WORKER_LOST');
  }

  /**
   * Redispatches the requests of a worker that is silent, where that is safe and useful, and cancels
   * them there. It keeps the others.
   */
  fromSilent(worker: Worker, now: number): void {
    const { budget, scheduler } = this.parts;
    let next: RouterRequest | undefined;
    for (let held = worker.holding.last; held !== undefined; held = next) {
      next = held.before;
      if (held.state !== 'dispatched' || !this.isWanted(held, now)) continue;
      if (budget !== undefined && !budget.take(now)) return;
      worker.port.cancel(held.id, held.generation, 'cancelled');
      scheduler.release(held, worker);
      this.redispatch(held, now);
    }
  }

  private isWanted(request: RouterRequest, now: number): boolean {
    const { limits, scheduler, eventTable } = this.parts;
    const { eventName, idempotent } = request.message;
    return (
      idempotent &&
      request.stream?.mayRestart !== false &&
      request.attempts <= limits.redispatches &&
      !cannotFinish(request, now) &&
      scheduler.mayWait(eventName, eventTable.events.get(eventName), now)
    );
  }

  private redispatch(request: RouterRequest, now: number): void {
    this.parts.counters.redispatched++;
    request.stream?.body?.returned();
    this.parts.scheduler.requeue(request, now);
  }
}
