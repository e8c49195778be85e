import { checkZone } from '../../core/identity/zone.ts';
import { LeastLoadedStrategy } from './least-loaded.ts';
import type { RequestView, WorkerView, ZeroMQRoutingStrategy } from './strategy.ts';

/**
 * Lets another strategy choose among the workers of the router's own zone, and among all workers
 * while none of them may take a request.
 */
export class ZoneStrategy implements ZeroMQRoutingStrategy {
  readonly name: string;
  readonly onReply: ZeroMQRoutingStrategy['onReply'];
  readonly onLeave: ZeroMQRoutingStrategy['onLeave'];
  private readonly near: WorkerView[] = [];

  /**
   * @param zone zone of the router.
   * @param among chooses among the workers of a zone.
   */
  constructor(
    private readonly zone: string,
    private readonly among: ZeroMQRoutingStrategy,
  ) {
    this.name = among.name;
    this.onReply = among.onReply?.bind(among);
    this.onLeave = among.onLeave?.bind(among);
  }

  pick(candidates: readonly WorkerView[], request: RequestView, now: number): WorkerView | undefined {
    const { near } = this;
    near.length = 0;
    for (const candidate of candidates) if (candidate.zone === this.zone) near.push(candidate);
    if (near.length === 1) return near[0];
    return this.among.pick(near.length === 0 ? candidates : near, request, now);
  }
}

/**
 * The strategy of a router with a zone.
 *
 * @param zone zone of the router; undefined: the strategy chooses among all workers.
 * @param strategy undefined: the default strategy.
 * @throws {ZeroMQConfigError} when the name of the zone is not valid.
 */
export function withZone(
  zone: string | undefined,
  strategy: ZeroMQRoutingStrategy | undefined,
): ZeroMQRoutingStrategy | undefined {
  checkZone(zone);
  return zone === undefined ? strategy : new ZoneStrategy(zone, strategy ?? new LeastLoadedStrategy());
}
