/**
 * Sets up OpenTelemetry before other modules are loaded: `node --import ./tracing.mjs …`. This also
 * applies to the threads of the process. Spans are exported to the collector at
 * OTEL_EXPORTER_OTLP_ENDPOINT (default: http://localhost:4318).
 */
import process from 'node:process';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME ?? 'zeromq-gateway' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: 1000 })],
});
provider.register();

// Exports the remaining spans before the process ends.
process.once('beforeExit', () => void provider.shutdown());
