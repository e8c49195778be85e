/**
 * metrics: what a process counts and measures, for Prometheus and the admin listener. It subscribes
 * to the diagnostics channels and reads the routers and gateways registered with it. No other layer
 * depends on it, except the ones that create it.
 *
 * Counters are kept in plain objects and converted to the form of prom-client on each scrape, so
 * that a request costs the same whether metrics are scraped or not.
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

export type { GatewayView };

/** Metrics of one process, as plain data that can be sent to another process. */
export type Readings = readonly MetricReading[];

/** Media type of `Metrics.text`. */
export const METRICS_TYPE: string = Registry.PROMETHEUS_CONTENT_TYPE;

export class Metrics {
  readonly requests: RequestMetrics;
  private readonly registry = new Registry();
  private readonly subscriptions = new Subscriptions();
  private readonly gauges: GaugeMetrics;

  /** Starts counting, until `close()`. @param version version of the package. */
  constructor(version: string) {
    this.gauges = new GaugeMetrics(version);
    this.requests = new RequestMetrics(this.subscriptions);
    const http = new HttpMetrics(this.subscriptions);
    const nodes = new NodeMetrics(this.subscriptions);
    for (const part of [http, this.requests, nodes, this.gauges]) {
      for (const metric of part.families()) this.registry.registerMetric(metric);
    }
    // Metrics of the process, its memory, garbage collection and event loop delay.
    collectDefaultMetrics({ register: this.registry });
  }

  watchRouter(router: RouterView): void {
    this.gauges.routers.add(router);
  }

  watchGateway(gateway: GatewayView): void {
    this.gauges.gateways.add(gateway);
  }

  /** @param health returns whether the process can serve requests. */
  watchHealth(health: () => Health): void {
    this.gauges.health = health;
  }

  /** Returns all metrics in the Prometheus text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Returns all metrics as data. */
  async read(): Promise<Readings> {
    return (await this.registry.getMetricsAsJSON()) as unknown as Readings;
  }

  close(): void {
    this.subscriptions.close();
    this.registry.clear();
  }
}

/** Combines the metrics of several processes and returns them in the Prometheus text format. */
export function aggregated(processes: readonly Readings[]): Promise<string> {
  return AggregatorRegistry.aggregate([...processes]).metrics();
}
