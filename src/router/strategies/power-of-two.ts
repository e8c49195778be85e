import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { RequestView, WorkerView, ZeroMQRoutingStrategy } from './strategy.ts';

/** Cost of a worker that holds requests but has never replied to any. */
const UNKNOWN = 1e9;

/** Options of `PowerOfTwoStrategy`. */
export interface PowerOfTwoOptions {
  /** How fast old latencies are forgotten: after so many ms a third is left. Default 10,000. */
  readonly decay?: number;
  /** Source of chance, from 0 to below 1. Default Math.random. */
  readonly random?: () => number;
}

interface Estimate {
  latency: number;
  at: number;
}

/**
 * Of two workers taken at random, the one that is likely to reply sooner: estimated latency times requests held.
 *
 * The estimate is a peak-sensitive moving average (as in Finagle): a slow reply raises it at once, quick ones lower it with
 * time. A failure counts as twice as slow, so that a worker that fails quickly does not draw more requests. Work is
 * constant, however many workers there are.
 */
export class PowerOfTwoStrategy implements ZeroMQRoutingStrategy {
  readonly name = 'power-of-two';
  private readonly estimates = new Map<WorkerView, Estimate>();
  private readonly decay: number;
  private readonly random: () => number;

  /** @throws ZeroMQConfigError when `decay` is no number above 0. */
  constructor(options: PowerOfTwoOptions = {}) {
    this.decay = options.decay ?? 10_000;
    this.random = options.random ?? Math.random;
    if (!(this.decay > 0))
      throw new ZeroMQConfigError(`power-of-two: decay must be above 0, got ${this.decay}`);
  }

  pick(candidates: readonly WorkerView[], _request: RequestView, now: number): WorkerView | undefined {
    const count = candidates.length;
    if (count < 2) return candidates[0];
    const firstIndex = Math.floor(this.random() * count);
    const step = 1 + Math.floor(this.random() * (count - 1));
    const first = candidates[firstIndex];
    const second = candidates[(firstIndex + step) % count];
    if (first === undefined || second === undefined) return first;
    return this.cost(second, now) < this.cost(first, now) ? second : first;
  }

  onReply(worker: WorkerView, latency: number, ok: boolean, now: number): void {
    const estimate = this.estimates.get(worker);
    if (estimate === undefined) {
      this.estimates.set(worker, { latency: ok ? latency : latency * 2, at: now });
      return;
    }
    const observed = ok ? latency : Math.max(latency, estimate.latency) * 2;
    const weight = Math.exp((estimate.at - now) / this.decay);
    estimate.latency = Math.max(observed, estimate.latency * weight + observed * (1 - weight));
    estimate.at = now;
  }

  onLeave(worker: WorkerView): void {
    this.estimates.delete(worker);
  }

  private cost(worker: WorkerView, now: number): number {
    const estimate = this.estimates.get(worker);
    if (estimate === undefined) return worker.held === 0 ? 0 : UNKNOWN * worker.held;
    const latency = estimate.latency * Math.exp((estimate.at - now) / this.decay);
    return (latency + Number.EPSILON) * (worker.held + 1);
  }
}
