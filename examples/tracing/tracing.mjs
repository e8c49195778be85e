/**
 * Sets OpenTelemetry up before anything else is loaded: `node --import ./tracing.mjs …`. Threads of the process are set up
 * by it too. Spans go to the collector at OTEL_EXPORTER_OTLP_ENDPOINT, by default http://localhost:4318.
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

// What is not sent yet is sent before the process ends.
process.once('beforeExit', () => void provider.shutdown());
