/**
 * Export of spans to an OpenTelemetry collector (OTLP over HTTP, JSON). The SDK consists of optional
 * packages, which are loaded when an export starts.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type * as OpenTelemetry from '@opentelemetry/api';
import { lazyPackage } from '../identity/lazy-package.ts';
import { ZeroMQConfigError } from '../messages/errors.ts';

const api = lazyPackage<typeof OpenTelemetry>('@opentelemetry/api');

/** Where spans are exported to. Everything in it can be cloned. */
export interface SpanExport {
  /** URL of the collector, without `/v1/traces`. */
  readonly url: string;
  /** Attributes of the process: `service.name` and others. */
  readonly resource: Readonly<Record<string, string>>;
}

/** The packages of the SDK that an export needs. */
export const SDK_PACKAGES = [
  '@opentelemetry/sdk-trace-node',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/resources',
  '@opentelemetry/exporter-trace-otlp-http',
  '@opentelemetry/exporter-metrics-otlp-http',
] as const;

/** How long spans are gathered before they are exported, in ms. */
const GATHER_TIME = 1000;

/** How long the last export may take, in ms. */
const LAST_EXPORT = 400;

/** Minimum time between two reports about failed exports, in ms. */
const REPORT_AGAIN_AFTER = 60_000;

let active: SpanExport | undefined;

/** The export of this process, which its worker threads continue; undefined if there is none. */
export function activeSpanExport(): SpanExport | undefined {
  return active;
}

/**
 * Starts to export the spans of this process or thread. Nodes that were created before have none.
 *
 * @returns a function that exports the remaining spans and ends the export.
 * @throws {ZeroMQConfigError} when a package of the SDK is not installed.
 */
export async function startSpanExport(options: SpanExport): Promise<() => Promise<void>> {
  const [{ BatchSpanProcessor, NodeTracerProvider }, { resourceFromAttributes }, { OTLPTraceExporter }] =
    await sdk(() =>
      Promise.all([
        import('@opentelemetry/sdk-trace-node'),
        import('@opentelemetry/resources'),
        import('@opentelemetry/exporter-trace-otlp-http'),
      ]),
    );
  const exporter = new OTLPTraceExporter({ url: signalUrl(options.url, 'traces') });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes(options.resource),
    spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: GATHER_TIME })],
  });
  provider.register();
  active = options;
  return async () => {
    await Promise.race([
      provider.shutdown().catch(() => undefined),
      delay(LAST_EXPORT, undefined, { ref: false }),
    ]);
  };
}

/**
 * Loads packages of the SDK.
 *
 * @throws {ZeroMQConfigError} when one is not installed; the message has the command that installs
 *   all of them.
 */
export async function sdk<Modules>(load: () => Promise<Modules>): Promise<Modules> {
  try {
    return await load();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ZeroMQConfigError(
      `otlp: the optional packages of OpenTelemetry are not installed; run npm install ${SDK_PACKAGES.join(' ')}`,
      { cause: error },
    );
  }
}

/** The URL for one kind of data (OpenTelemetry protocol exporter, endpoint URLs for OTLP/HTTP). */
export function signalUrl(url: string, signal: 'traces' | 'metrics'): string {
  return `${url.replace(/\/+$/, '')}/v1/${signal}`;
}

/**
 * Reports failed exports, which the SDK repeats: the first, and one a minute.
 *
 * @returns a function that stops it.
 */
export function onExportFailure(report: (message: string) => void): () => Promise<void> {
  let reportedAt = -Infinity;
  const error = (message: string): void => {
    const now = performance.now();
    if (now - reportedAt < REPORT_AGAIN_AFTER) return;
    reportedAt = now;
    report(message.slice(0, 500));
  };
  const ignore = (): void => undefined;
  const { DiagLogLevel, diag } = api();
  diag.setLogger(
    { error, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
  return () => Promise.resolve(diag.disable());
}

/** The type of the values of metrics. */
export function typeOfValues(): OpenTelemetry.ValueType {
  return api().ValueType.DOUBLE;
}
