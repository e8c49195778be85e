/**
 * Export of traces and metrics to an OpenTelemetry collector, with the optional packages of the
 * OpenTelemetry SDK.
 */
import { hostname } from 'node:os';
import type { MetricProducer, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { withResolvers } from '../../core/collections/deferred.ts';
import { PACKAGE_VERSION } from '../../core/identity/package-version.ts';
import { onExportFailure, sdk, signalUrl, startSpanExport } from '../../core/observability/span-export.ts';
import type { Readings } from '../../metrics/index.ts';
import { scopeMetrics } from './metric-points.ts';

/** How long the last export may take when the command ends, in ms. */
const LAST_EXPORT = 800;

/** Reads the metrics of the process. */
type ReadMetrics = () => Promise<Readings>;

/** An export of traces and metrics. */
export class Telemetry {
  private readMetrics: ReadMetrics | undefined;

  private constructor(private readonly closers: (() => Promise<void>)[]) {}

  /**
   * Starts an export. Nodes that are created afterwards have spans.
   *
   * @param url URL of the collector.
   * @param command name of the command; part of the default of `service.name`.
   * @param warn receives a line if the collector cannot be reached.
   * @throws {ZeroMQConfigError} when a package of the SDK is not installed.
   */
  static async start(
    url: string,
    command: string,
    env: Readonly<Record<string, string | undefined>>,
    warn: (line: string) => void,
  ): Promise<Telemetry> {
    const closers: (() => Promise<void>)[] = [];
    const telemetry = new Telemetry(closers);
    const resource = resourceOf(command, env);
    closers.push(onExportFailure((message) => warn(`cannot export telemetry to ${url}: ${message}`)));
    const { OTEL_METRIC_EXPORT_INTERVAL: interval } = env;
    closers.push(await telemetry.exportMetrics(url, resource, Number(interval) || 60_000));
    closers.push(await startSpanExport({ url, resource }));
    return telemetry;
  }

  /** Exports the metrics that a function reads. */
  watchMetrics(read: ReadMetrics): void {
    this.readMetrics = read;
  }

  /** Exports what is left, and ends the export. */
  async close(): Promise<void> {
    const { promise, resolve } = withResolvers();
    const timer = setTimeout(resolve, LAST_EXPORT);
    const closed = Promise.allSettled(this.closers.map((close) => close()));
    await Promise.race([closed, promise]);
    clearTimeout(timer);
  }

  private async exportMetrics(
    url: string,
    attributes: Readonly<Record<string, string>>,
    exportIntervalMillis: number,
  ): Promise<() => Promise<void>> {
    const [metrics, { resourceFromAttributes }, { OTLPMetricExporter }] = await sdk(() =>
      Promise.all([
        import('@opentelemetry/sdk-metrics'),
        import('@opentelemetry/resources'),
        import('@opentelemetry/exporter-metrics-otlp-http'),
      ]),
    );
    const resource = resourceFromAttributes(attributes);
    const since = Date.now() - process.uptime() * 1000;
    const producer: MetricProducer = {
      collect: async () => {
        const readings = (await this.readMetrics?.()) ?? [];
        const resourceMetrics: ResourceMetrics = {
          resource,
          scopeMetrics: readings.length === 0 ? [] : [scopeMetrics(readings, metrics, since, Date.now())],
        };
        return { resourceMetrics, errors: [] };
      },
    };
    const reader = new metrics.PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: signalUrl(url, 'metrics') }),
      exportIntervalMillis,
      exportTimeoutMillis: Math.min(30_000, exportIntervalMillis),
      metricProducers: [producer],
    });
    const provider = new metrics.MeterProvider({ resource, readers: [reader] });
    return () => provider.shutdown();
  }
}

/** The attributes of a process (semantic conventions of resources, and OTEL_RESOURCE_ATTRIBUTES). */
function resourceOf(
  command: string,
  { OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES = '' }: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const given = OTEL_RESOURCE_ATTRIBUTES.split(',').flatMap((pair) => {
    const [name = '', value] = pair.split('=');
    return value === undefined ? [] : [[name.trim(), decodeURIComponent(value.trim())] as const];
  });
  return {
    'service.name': `zeromq-gateway-${command}`,
    'service.version': PACKAGE_VERSION,
    'service.instance.id': `${hostname()}-${process.pid}`,
    'host.name': hostname(),
    'process.pid': String(process.pid),
    ...Object.fromEntries(given),
    ...(OTEL_SERVICE_NAME && { 'service.name': OTEL_SERVICE_NAME }),
  };
}
