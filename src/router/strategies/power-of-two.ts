import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { RequestView, WorkerView, ZeroMQRoutingStrategy } from './strategy.ts';

/** Cost of a worker that holds requests but has never replied. */
const UNKNOWN = 1e9;

/** Options of {@link PowerOfTwoStrategy}. */
export interface PowerOfTwoOptions {
  /**
   * Time after which the weight of an old latency has fallen to about a third (1/e), in
   * milliseconds.
   *
   * @defaultValue 10000
   */
  readonly decay?: number;
  /**
   * Random source, from 0 to below 1.
   *
   * @defaultValue `Math.random`
   */
  readonly random?: () => number;
}

interface Estimate {
  latency: number;
  at: number;
}

/**
 * Takes two workers at random and chooses the one that is likely to reply sooner: estimated latency
 * times requests held.
 *
 * The estimate is a peak-sensitive moving average, as in Finagle: a slow reply raises it at once,
 * fast ones lower it over time. A failure counts as twice as slow, so that a worker that fails
 * quickly does not attract more requests. The cost of a choice is constant, whatever the number of
 * workers.
 */
export class PowerOfTwoStrategy implements ZeroMQRoutingStrategy {
  /** Name of the strategy in reports. */
  readonly name = 'power-of-two';
  private readonly estimates = new Map<WorkerView, Estimate>();
  private readonly decay: number;
  private readonly random: () => number;

  /** @throws {ZeroMQConfigError} when `decay` is not a number above 0. */
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
