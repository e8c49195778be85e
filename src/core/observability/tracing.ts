/**
 * Tracing by the OpenTelemetry API: the spans of a request, and W3C trace context between nodes.
 *
 * | span | kind | made by | from | to |
 * |---|---|---|---|---|
 * | `gateway` | server | gateway | HTTP request | HTTP reply |
 * | `queue` | internal | router | arrival | given to a worker, or refused |
 * | `handler` | consumer | worker, server | the handler's call | its reply |
 *
 * Without an SDK the API does nothing, and neither do we: a node looks once, when it is made, whether a tracer provider
 * is registered, and has no tracer otherwise. So the SDK is set up first, such as by `node --import`; worker threads
 * are set up by the worker module. Context travels in the extras of a request, so that no propagator is needed.
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

/** Name under which our spans are made. */
const INSTRUMENTATION = 'zeromq-gateway';

const TRACEPARENT = /^(?!ff)[\da-f]{2}-((?!0{32})[\da-f]{32})-((?!0{16})[\da-f]{16})-([\da-f]{2})(?:-.*)?$/;

const KINDS = { gateway: SpanKind.SERVER, queue: SpanKind.INTERNAL, handler: SpanKind.CONSUMER } as const;
export type SpanName = keyof typeof KINDS;

/** Trace context as it travels. */
export type TraceContext = Pick<RequestExtras, 'traceparent' | 'tracestate'>;

/** How the work of a span ended. */
export interface SpanEnd {
  /** Empty on success. */
  readonly code: string;
  /** HTTP-like. */
  readonly status: number;
}

/** A span under way. Times are those of `performance.now()`. */
export class TracedSpan {
  constructor(
    private readonly span: Span,
    private readonly parent: Context,
  ) {}

  /** What the next node needs to continue the trace. */
  get context(): TraceContext {
    const { traceId, spanId, traceFlags, traceState } = this.span.spanContext();
    const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
    const tracestate = traceState?.serialize();
    return tracestate ? { traceparent, tracestate } : { traceparent };
  }

  /** Calls `fn` with this span as the current one, where the SDK keeps such a thing. */
  run<T>(fn: () => T): T {
    return otel.with(trace.setSpan(this.parent, this.span), fn);
  }

  /** @param at when it ended; default: now. */
  end({ code, status }: SpanEnd, at?: number): void {
    this.span.setAttribute('http.response.status_code', status);
    if (code !== '') this.span.setAttribute('error.type', code);
    // A caller's own mistake is no failure of ours (semantic conventions for servers).
    if (code !== '' && status >= 500) this.span.setStatus({ code: SpanStatusCode.ERROR, message: code });
    this.span.end(at);
  }
}

/** Makes spans. */
export class Tracing {
  constructor(private readonly tracer: Tracer) {}

  /**
   * Begins a span.
   *
   * @param parent context that came with the request; without one the current span is the parent, if there is any.
   * @param at when it began; default: now.
   */
  begin(name: SpanName, parent: TraceContext | undefined, attributes: Attributes, at?: number): TracedSpan {
    const around = parentContext(name, parent);
    const span = this.tracer.startSpan(name, { kind: KINDS[name], attributes, startTime: at }, around);
    return new TracedSpan(span, around);
  }
}

/** Makes spans, where a tracer provider is registered by now; else undefined. */
export function activeTracing(): Tracing | undefined {
  const provider = trace.getTracerProvider();
  // The API always has a provider of its own, which passes calls on once there is a real one.
  const { getDelegateTracer } = provider as { getDelegateTracer?: (name: string) => Tracer | undefined };
  const registered = getDelegateTracer === undefined || getDelegateTracer.call(provider, INSTRUMENTATION);
  return registered ? new Tracing(provider.getTracer(INSTRUMENTATION)) : undefined;
}

/** Trace context in the extras of a request, unread so far. */
export function traceContextIn(extras: Buffer): TraceContext | undefined {
  if (extras.length === 0) return undefined;
  try {
    const { traceparent, tracestate } = JSON.parse(extras.toString()) as TraceContext;
    return typeof traceparent === 'string' ? { traceparent, tracestate } : undefined;
  } catch {
    return undefined;
  }
}

/** HTTP instrumentation, where there is any, has made a span for the request already: that one is nearer. */
function parentContext(name: SpanName, parent: TraceContext | undefined): Context {
  const active = otel.active();
  if (name === 'gateway' && trace.getSpan(active) !== undefined) return active;
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
