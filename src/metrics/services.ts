/** Metrics of the workers or the server of a process. */
import { diagnostics } from '../core/observability/diagnostics.ts';
import { family, type Sample } from './family.ts';
import type { RequestMetrics } from './requests.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Workers or a server, as the metrics see them. */
export interface ServiceView {
  readonly kind: 'worker' | 'server';
  /** Number of requests that they hold. */
  readonly load: number;
  /** Maximum number of requests that run at a time. */
  readonly concurrency: number;
  /** State of each connection to a router, and how often that router has rejected the worker. */
  readonly routers: readonly { readonly state: string; readonly refusals: number }[];
}

/** States of a connection to a router, all of which are reported. */
const ROUTER_STATES = ['connecting', 'connected', 'accepted', 'rejected'];

export class ServiceMetrics {
  private readonly services = new Set<ServiceView>();

  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly requests: RequestMetrics,
  ) {}

  /** Includes workers or a server, whose requests are counted from now on. */
  watch(service: ServiceView): void {
    if (this.services.size === 0) {
      this.subscriptions.add(diagnostics.executionSettled, (settled) => this.requests.executed(settled));
    }
    this.services.add(service);
  }

  /** Requests that are held, by kind of node. */
  *held(): IterableIterator<Sample> {
    yield* this.byKind(({ load }) => load);
  }

  /** The metrics. */
  families() {
    return [
      family('concurrency', () => this.byKind(({ concurrency }) => concurrency)),
      family('router_connections', () => this.connections()),
      family('refusals_total', () => this.refusals()),
    ];
  }

  private *byKind(of: (service: ServiceView) => number): IterableIterator<Sample> {
    const sums = new Map<string, number>();
    for (const service of this.services) {
      sums.set(service.kind, (sums.get(service.kind) ?? 0) + of(service));
    }
    for (const [kind, sum] of sums) yield [{ kind }, sum];
  }

  private *connections(): IterableIterator<Sample> {
    const routers = this.routers();
    if (routers === undefined) return;
    for (const state of ROUTER_STATES) {
      yield [{ state }, routers.filter((router) => router.state === state).length];
    }
  }

  private *refusals(): IterableIterator<Sample> {
    const routers = this.routers();
    if (routers !== undefined) yield [{}, routers.reduce((sum, { refusals }) => sum + refusals, 0)];
  }

  /** The connections of all workers; undefined if the process has none. */
  private routers(): ServiceView['routers'] | undefined {
    const workers = [...this.services].filter(({ kind }) => kind === 'worker');
    return workers.length === 0 ? undefined : workers.flatMap(({ routers }) => routers);
  }
}
