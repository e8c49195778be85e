import { hashOf, mix } from '../../core/collections/hash.ts';
import type { RequestExtras } from '../../core/messages/message.ts';
import { LeastLoadedStrategy } from './least-loaded.ts';
import type { RequestView, WorkerView, ZeroMQRoutingStrategy } from './strategy.ts';

/** Options of {@link StickyStrategy}. */
export interface StickyOptions {
  /**
   * Returns the key of a request, or undefined if it has none.
   *
   * @defaultValue returns `key` of the request's extras
   */
  readonly key?: (request: RequestView) => string | undefined;
  /**
   * Strategy for requests without a key.
   *
   * @defaultValue `new LeastLoadedStrategy()`
   */
  readonly fallback?: ZeroMQRoutingStrategy;
}

/**
 * Chooses the same worker for the same key, by rendezvous hashing: when a worker joins or leaves,
 * only the keys that it gains or loses move. If the worker of a key has no credit, the request goes
 * to the next one in the order of that key. Requests do not wait while a worker is free, so use it
 * for cache locality and not for correctness.
 */
export class StickyStrategy implements ZeroMQRoutingStrategy {
  /** Name of the strategy in reports. */
  readonly name = 'sticky';
  private readonly key: (request: RequestView) => string | undefined;
  private readonly fallback: ZeroMQRoutingStrategy;

  constructor(options: StickyOptions = {}) {
    this.key = options.key ?? keyOfExtras;
    this.fallback = options.fallback ?? new LeastLoadedStrategy();
  }

  pick(candidates: readonly WorkerView[], request: RequestView, now: number): WorkerView | undefined {
    const key = this.key(request);
    if (key === undefined) return this.fallback.pick(candidates, request, now);
    const hash = hashOf(key);
    let best: WorkerView | undefined;
    let bestScore = -1;
    for (const worker of candidates) {
      const score = mix(worker.hash ^ hash);
      if (score < bestScore || (score === bestScore && best !== undefined && worker.id > best.id)) continue;
      best = worker;
      bestScore = score;
    }
    return best;
  }

  onReply(worker: WorkerView, latency: number, ok: boolean, now: number): void {
    this.fallback.onReply?.(worker, latency, ok, now);
  }

  onLeave(worker: WorkerView): void {
    this.fallback.onLeave?.(worker);
  }
}

const KEY = Buffer.from('"key"');

/** The key in the request's metadata. */
function keyOfExtras(request: RequestView): string | undefined {
  if (request.extras.length === 0 || !request.extras.includes(KEY)) return undefined;
  try {
    const extras = JSON.parse(request.extras.toString()) as RequestExtras | null;
    return typeof extras?.key === 'string' ? extras.key : undefined;
  } catch {
    return undefined;
  }
}
