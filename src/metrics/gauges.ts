/** Gauges read on each scrape: queues, workers and requests in flight. */
import type { Health } from '../core/observability/health.ts';
import type { RouterReport, RouterView } from '../core/observability/reports.ts';
import { family, type Sample } from './family.ts';
import { BoundedTable } from './labels.ts';
import { loads } from './load.ts';
import { type StoreView, storeFamilies } from './stored.ts';
import { type StreamsView, streamFamilies } from './streams.ts';

/** Maximum number of events with a label of their own. */
const MAX_EVENTS = 500;

/** Event label of workers that serve every unannounced event. */
const ANY_EVENT = '*';

/** A gateway, as the gauges see it. */
export interface GatewayView {
  readonly inFlight: number;
  readonly streams: StreamsView;
  readonly store?: StoreView | undefined;
}

/** Gauges of the routers and gateways of a process. */
export class GaugeMetrics {
  readonly routers = new Set<RouterView>();
  readonly gateways = new Set<GatewayView>();
  /** Returns whether the process can serve requests. */
  health: () => Health = () => ({ status: 'ok', reasons: [] });
  /** Returns the requests that workers and servers hold. */
  held: () => Iterable<Sample> = () => [];
  private readonly events = new BoundedTable<string>(MAX_EVENTS, () => '');
  /** Reports of one scrape. Each router is inspected once for all its metrics. */
  private reports: readonly RouterReport[] | undefined;

  constructor(private readonly version: string) {}

  /** The metrics. */
  families() {
    return [
      family('in_flight', () => this.inFlight()),
      family('streams', () => this.streams()),
      ...streamFamilies(this.gateways),
      ...storeFamilies(this.gateways),
      family('queue_depth', () => this.queues()),
      family('queue_bytes', () => this.ofRouters(({ totals }) => totals.queuedBytes)),
      family('workers', () => this.workers()),
      family('oldest_request_seconds', () => this.oldest()),
      family('load', () => loads(this.routerReports(), (name) => this.labelOf(name, true))),
      family('breakers', () => this.breakers()),
      family('clients', () => this.ofRouters(({ totals }) => totals.clients)),
      family('redispatches_total', () => this.redispatches()),
      family('ready', () => [[{}, this.health().status === 'unavailable' ? 0 : 1]]),
      family('processes', () => [[{}, 1]]),
      family('build_info', () => [[{ version: this.version }, 1]]),
    ];
  }

  /** Reports of all routers, cached for the current turn of the event loop. */
  private routerReports(): readonly RouterReport[] {
    if (this.reports === undefined) {
      this.reports = Array.from(this.routers, (router) => router.inspect());
      queueMicrotask(() => {
        this.reports = undefined;
      });
    }
    return this.reports;
  }

  private *ofRouters(of: (report: RouterReport) => number): IterableIterator<Sample> {
    if (this.routers.size > 0) yield [{}, this.routerReports().reduce((sum, report) => sum + of(report), 0)];
  }

  private *inFlight(): IterableIterator<Sample> {
    let requests = 0;
    for (const { inFlight } of this.gateways) requests += inFlight;
    if (this.gateways.size > 0) yield [{ kind: 'gateway' }, requests];
    for (const [, count] of this.ofRouters(({ totals }) => totals.dispatched))
      yield [{ kind: 'router' }, count];
    yield* this.held();
  }

  private *streams(): IterableIterator<Sample> {
    let open = 0;
    for (const { streams } of this.gateways) open += streams.inFlight;
    if (this.gateways.size > 0) yield [{ kind: 'gateway' }, open];
    for (const [, count] of this.ofRouters(({ totals }) => totals.openStreams ?? 0))
      yield [{ kind: 'router' }, count];
  }

  private *queues(): IterableIterator<Sample> {
    const depths = new Map<string, number>();
    for (const { events } of this.routerReports()) {
      for (const { name, announced, left = false, queued } of events)
        this.add(depths, this.labelOf(name, announced || left), queued);
    }
    for (const [event, depth] of depths) yield [{ event }, depth];
  }

  private *workers(): IterableIterator<Sample> {
    const counts = new Map<string, number>();
    for (const { workers } of this.routerReports()) {
      for (const { state, events } of workers) {
        const labels = new Set(events?.map((name) => this.labelOf(name, true)) ?? [ANY_EVENT]);
        for (const event of labels) this.add(counts, `${state} ${event}`, 1);
      }
    }
    // An event without workers is still reported, with the value 0.
    for (const [event] of this.events) this.add(counts, `ready ${event}`, 0);
    for (const [key, count] of counts) {
      const space = key.indexOf(' ');
      yield [{ event: key.slice(space + 1), state: key.slice(0, space) }, count];
    }
  }

  /** Only the oldest request of each worker is known, which is enough to see one that hangs. */
  private *oldest(): IterableIterator<Sample> {
    const ages = new Map<string, number>();
    for (const { workers } of this.routerReports()) {
      for (const { oldest } of workers) {
        if (oldest === undefined || oldest === null) continue;
        const label = this.labelOf(oldest.event, false);
        ages.set(label, Math.max(ages.get(label) ?? 0, oldest.heldFor / 1000));
      }
    }
    for (const [event, age] of ages) yield [{ event }, age];
  }

  private *breakers(): IterableIterator<Sample> {
    const counts = new Map<string, number>();
    for (const { workers, events } of this.routerReports()) {
      for (const { name, announced, left = false, breaker = 'closed' } of events)
        if (breaker !== 'closed')
          this.add(counts, `event ${breaker} ${this.labelOf(name, announced || left)}`, 1);
      for (const { breakers = [] } of workers)
        for (const { event, state } of breakers)
          this.add(counts, `worker ${state} ${this.labelOf(event, false)}`, 1);
    }
    for (const [key, count] of counts) {
      const [scope = '', state = '', ...event] = key.split(' ');
      yield [{ event: event.join(' '), scope, state }, count];
    }
  }

  private *redispatches(): IterableIterator<Sample> {
    for (const [, count] of this.ofRouters(({ totals }) => totals.redispatched))
      yield [{ result: 'sent' }, count];
    for (const [, count] of this.ofRouters(({ totals }) => totals.redispatchesDenied)) {
      yield [{ result: 'denied' }, count];
    }
  }

  private add(counts: Map<string, number>, key: string, count: number): void {
    counts.set(key, (counts.get(key) ?? 0) + count);
  }

  /** Unannounced events have no label of their own. */
  private labelOf(name: string, announced: boolean): string {
    if (announced) this.events.at(name);
    return this.events.labelOf(name);
  }
}
