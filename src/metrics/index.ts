/**
 * metrics: what a process counts and measures, for Prometheus and the admin listener. It subscribes to the diagnostics
 * channels and looks at the parts it is shown; nothing else knows of it.
 *
 * Counters are kept in plain objects and put into the form of prom-client when they are scraped, so that a request costs
 * the same whether they are scraped or not.
 */
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client';
import type { Health } from '../core/observability/health.ts';
import type { RouterView } from '../core/observability/reports.ts';
import type { MetricReading } from './family.ts';
import { type GatewayView, GaugeMetrics } from './gauges.ts';
import { HttpMetrics } from './http.ts';
import { NodeMetrics } from './nodes.ts';
import { RequestMetrics } from './requests.ts';
import { Subscriptions } from './subscriptions.ts';

/** What is read of one process. Plain data: it may travel between processes. */
export type Readings = readonly MetricReading[];

/** Media type of `Metrics.text`. */
export const METRICS_TYPE: string = Registry.PROMETHEUS_CONTENT_TYPE;

export class Metrics {
  readonly requests: RequestMetrics;
  private readonly registry = new Registry();
  private readonly subscriptions = new Subscriptions();
  private readonly gauges: GaugeMetrics;

  /** Counts from now on, until `close()`. @param version of the package. */
  constructor(version: string) {
    this.gauges = new GaugeMetrics(version);
    this.requests = new RequestMetrics(this.subscriptions);
    const http = new HttpMetrics(this.subscriptions);
    const nodes = new NodeMetrics(this.subscriptions);
    for (const part of [http, this.requests, nodes, this.gauges]) {
      for (const metric of part.families()) this.registry.registerMetric(metric);
    }
    // Process, memory, garbage collection, and the delay of the event loop.
    collectDefaultMetrics({ register: this.registry });
  }

  watchRouter(router: RouterView): void {
    this.gauges.routers.add(router);
  }

  watchGateway(gateway: GatewayView): void {
    this.gauges.gateways.add(gateway);
  }

  /** @param health says whether the process can serve. */
  watchHealth(health: () => Health): void {
    this.gauges.health = health;
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** All metrics as data. */
  async read(): Promise<Readings> {
    return (await this.registry.getMetricsAsJSON()) as unknown as Readings;
  }

  close(): void {
    this.subscriptions.close();
    this.registry.clear();
  }
}

/** Readings of several processes as one, in Prometheus' text format. */
export function aggregated(processes: readonly Readings[]): Promise<string> {
  return AggregatorRegistry.aggregate([...processes]).metrics();
}
