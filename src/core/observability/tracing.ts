/**
 * Tracing with the OpenTelemetry API: the spans of a request, and W3C trace context between nodes.
 *
 * | span | kind | created by | from | to |
 * |---|---|---|---|---|
 * | `gateway` | server | gateway | HTTP request | HTTP response |
 * | `queue` | internal | router | arrival | dispatched or rejected |
 * | `handler` | consumer | worker, server | call of the handler | its reply |
 * | `call` | client | worker, server | a handler calls an event | its reply |
 *
 * Tracing is off without an OpenTelemetry SDK. A node checks once, when it is created, whether a
 * tracer provider is registered. The SDK must therefore be set up first, for example with `node
 * --import`; in worker threads the worker module sets it up. Context travels in the extras of a
 * request, so that no propagator is needed.
 */
import {
  type Attributes,
  type Context,
  createTraceState,
  context as otel,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { RequestExtras } from '../messages/message.ts';

/** Name of the instrumentation scope. */
const INSTRUMENTATION = 'zeromq-gateway';

const TRACEPARENT = /^(?!ff)[\da-f]{2}-((?!0{32})[\da-f]{32})-((?!0{16})[\da-f]{16})-([\da-f]{2})(?:-.*)?$/;

const KINDS = {
  gateway: SpanKind.SERVER,
  queue: SpanKind.INTERNAL,
  handler: SpanKind.CONSUMER,
  call: SpanKind.CLIENT,
} as const;
export type SpanName = keyof typeof KINDS;

/** W3C trace context as it travels in the extras. */
export type TraceContext = Pick<RequestExtras, 'traceparent' | 'tracestate'>;

/** Outcome of the work that a span covers. */
export interface SpanEnd {
  /** Empty on success. */
  readonly code: string;
  /** HTTP status. */
  readonly status: number;
}

/** A span in progress. Times are those of `performance.now()`. */
export class TracedSpan {
  constructor(
    private readonly span: Span,
    private readonly parent: Context,
  ) {}

  /** Trace context for the next node. */
  get context(): TraceContext {
    const { traceId, spanId, traceFlags, traceState } = this.span.spanContext();
    const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
    const tracestate = traceState?.serialize();
    return tracestate ? { traceparent, tracestate } : { traceparent };
  }

  /** Calls `fn` with this span as the current span, if the SDK has a context manager. */
  run<T>(fn: () => T): T {
    return otel.with(trace.setSpan(this.parent, this.span), fn);
  }

  /** @param at end time; now if omitted. */
  end({ code, status }: SpanEnd, at?: number): void {
    this.span.setAttribute('http.response.status_code', status);
    if (code !== '') this.span.setAttribute('error.type', code);
    // A client error (4xx) is not an error of the server (OpenTelemetry semantic conventions for
    // HTTP).
    if (code !== '' && status >= 500) this.span.setStatus({ code: SpanStatusCode.ERROR, message: code });
    this.span.end(at);
  }
}

/** Creates spans. */
export class Tracing {
  constructor(private readonly tracer: Tracer) {}

  /**
   * Starts a span.
   *
   * @param parent trace context of the request; without it, the current span is the parent, if any.
   * @param at start time; now if omitted.
   */
  begin(name: SpanName, parent: TraceContext | undefined, attributes: Attributes, at?: number): TracedSpan {
    const around = parentContext(name, parent);
    const span = this.tracer.startSpan(name, { kind: KINDS[name], attributes, startTime: at }, around);
    return new TracedSpan(span, around);
  }
}

/** Returns the tracing of this process if a tracer provider is registered, else undefined. */
export function activeTracing(): Tracing | undefined {
  const provider = trace.getTracerProvider();
  // The API always has a proxy provider, which delegates to the real provider once one is
  // registered.
  const { getDelegateTracer } = provider as { getDelegateTracer?: (name: string) => Tracer | undefined };
  const registered = getDelegateTracer === undefined || getDelegateTracer.call(provider, INSTRUMENTATION);
  return registered ? new Tracing(provider.getTracer(INSTRUMENTATION)) : undefined;
}

/** Reads the trace context from the extras of a request. */
export function traceContextIn(extras: Buffer): TraceContext | undefined {
  if (extras.length === 0) return undefined;
  try {
    const { traceparent, tracestate } = JSON.parse(extras.toString()) as TraceContext;
    return typeof traceparent === 'string' ? { traceparent, tracestate } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The parent of a span. If HTTP instrumentation has already started a span for the request, or a
 * handler one of its own around a call, that span is the closer parent.
 */
function parentContext(name: SpanName, parent: TraceContext | undefined): Context {
  const active = otel.active();
  if ((name === 'gateway' || name === 'call') && trace.getSpan(active) !== undefined) return active;
  return contextOf(parent) ?? active;
}

function contextOf(parent: TraceContext | undefined): Context | undefined {
  const [, traceId, spanId, flags = '00'] = TRACEPARENT.exec(parent?.traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  const state = parent?.tracestate;
  const traceState = typeof state === 'string' ? createTraceState(state) : undefined;
  const traceFlags = Number.parseInt(flags, 16);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, traceState, isRemote: true });
}
