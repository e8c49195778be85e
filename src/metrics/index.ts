/**
 * metrics: what a process counts and measures, for Prometheus and the admin listener. It subscribes
 * to the diagnostics channels and reads the routers and gateways registered with it. No other layer
 * depends on it, except the ones that create it.
 *
 * Counters are kept in plain objects and converted to the form of prom-client on each scrape, so
 * that a request costs the same whether metrics are scraped or not.
 */
import type * as PromClient from 'prom-client';
import type { Registry } from 'prom-client';
import { lazyPackage } from '../core/identity/lazy-package.ts';
import type { Health } from '../core/observability/health.ts';
import type { RouterView } from '../core/observability/reports.ts';
import type { MetricReading } from './family.ts';
import { type GatewayView, GaugeMetrics } from './gauges.ts';
import { HttpMetrics } from './http.ts';
import { NodeMetrics } from './nodes.ts';
import { RequestMetrics } from './requests.ts';
import { ServiceMetrics, type ServiceView } from './services.ts';
import { Subscriptions } from './subscriptions.ts';

const promClient = lazyPackage<typeof PromClient>('prom-client');

export type { GatewayView, ServiceView };

/** Metrics of one process, as plain data that can be sent to another process. */
export type Readings = readonly MetricReading[];

/** Media type of `Metrics.text`. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export class Metrics {
  readonly requests: RequestMetrics;
  private readonly registry: Registry;
  private readonly subscriptions = new Subscriptions();
  private readonly gauges: GaugeMetrics;
  private readonly services: ServiceMetrics;

  /** Starts counting, until `close()`. @param version version of the package. */
  constructor(version: string) {
    const { collectDefaultMetrics, Registry } = promClient();
    this.registry = new Registry();
    this.gauges = new GaugeMetrics(version);
    this.requests = new RequestMetrics(this.subscriptions);
    const http = new HttpMetrics(this.subscriptions);
    const nodes = new NodeMetrics(this.subscriptions);
    this.services = new ServiceMetrics(this.subscriptions, this.requests);
    this.gauges.held = () => this.services.held();
    for (const part of [http, this.requests, nodes, this.gauges, this.services]) {
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

  watchService(service: ServiceView): void {
    this.services.watch(service);
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
  return promClient()
    .AggregatorRegistry.aggregate([...processes])
    .metrics();
}
