/**
 * Tracing with the OpenTelemetry API: the spans of a request, and W3C trace context between nodes.
 *
 * | span | kind | created by | from | to |
 * |---|---|---|---|---|
 * | METHOD ROUTE | server | gateway | HTTP request | HTTP response |
 * | `queue` EVENT | internal | router | arrival | dispatched or rejected |
 * | `process` EVENT | consumer | worker, server | call of the handler | its reply |
 * | `send` EVENT | producer | worker, server | a handler calls an event | its reply |
 *
 * Names and attributes follow the semantic conventions of OpenTelemetry for HTTP and for messaging.
 *
 * Tracing is off without an OpenTelemetry SDK. A node checks once, when it is created, whether a
 * tracer provider is registered. The SDK must therefore be set up first, for example with `node
 * --import`; in worker threads the worker module sets it up. Context travels in the extras of a
 * request, so that no propagator is needed.
 */
import type * as OpenTelemetry from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import { lazyPackage } from '../identity/lazy-package.ts';
import type { RequestExtras } from '../messages/message.ts';

const api = lazyPackage<typeof OpenTelemetry>('@opentelemetry/api');

/** The property of the global object in which every version 1 of the API keeps what an SDK registers. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

/** Name of the instrumentation scope. */
const INSTRUMENTATION = 'zeromq-gateway';

const TRACEPARENT = /^(?!ff)[\da-f]{2}-((?!0{32})[\da-f]{32})-((?!0{16})[\da-f]{16})-([\da-f]{2})(?:-.*)?$/;

/** Kinds of spans by the operation that they cover: of HTTP, or of messaging. */
const KINDS = { http: 'SERVER', queue: 'INTERNAL', process: 'CONSUMER', send: 'PRODUCER' } as const;
type Operation = keyof typeof KINDS;

/** W3C trace context as it travels in the extras. */
export type TraceContext = Pick<RequestExtras, 'traceparent' | 'tracestate'>;

/** The event of a request, and its id. */
export interface TracedEvent {
  readonly eventName: string;
  readonly requestId: string;
}

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
    private readonly operation: Operation,
  ) {}

  /** Id of the trace, 32 hexadecimal digits. */
  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  /** Trace context for the next node. */
  get context(): TraceContext {
    const { traceId, spanId, traceFlags, traceState } = this.span.spanContext();
    const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
    const tracestate = traceState?.serialize();
    return tracestate ? { traceparent, tracestate } : { traceparent };
  }

  /** Calls `fn` with this span as the current span, if the SDK has a context manager. */
  run<T>(fn: () => T): T {
    const { context, trace } = api();
    return context.with(trace.setSpan(this.parent, this.span), fn);
  }

  /** @param at end time; now if omitted. */
  end({ code, status }: SpanEnd, at?: number): void {
    const name = this.operation === 'http' ? 'http.response.status_code' : 'zeromq_gateway.status';
    this.span.setAttribute(name, status);
    if (code !== '') this.span.setAttribute('error.type', code);
    // A client error (4xx) is not an error of the server (OpenTelemetry semantic conventions for
    // HTTP).
    if (code !== '' && status >= 500)
      this.span.setStatus({ code: api().SpanStatusCode.ERROR, message: code });
    this.span.end(at);
  }
}

/** Creates spans. */
export class Tracing {
  constructor(private readonly tracer: Tracer) {}

  /**
   * Starts the span of an HTTP request.
   *
   * @param name its method and route.
   * @param parent trace context of the request; without it, the current span is the parent, if any.
   */
  beginHttp(name: string, parent: TraceContext | undefined, attributes: Attributes): TracedSpan {
    return this.begin('http', name, parent, attributes);
  }

  /**
   * Starts the span of an operation on a request with an event.
   *
   * @param parent trace context of the request; without it, the current span is the parent, if any.
   * @param at start time; now if omitted.
   */
  beginMessaging(
    operation: Exclude<Operation, 'http'>,
    { eventName, requestId }: TracedEvent,
    parent: TraceContext | undefined,
    at?: number,
  ): TracedSpan {
    const attributes = {
      'messaging.system': 'zeromq',
      'messaging.destination.name': eventName,
      'messaging.operation.name': operation,
      // The conventions have no type for what a broker does.
      ...(operation !== 'queue' && { 'messaging.operation.type': operation }),
      'messaging.message.id': requestId,
      'zeromq_gateway.event': eventName,
      'zeromq_gateway.request_id': requestId,
    };
    return this.begin(operation, `${operation} ${eventName}`, parent, attributes, at);
  }

  private begin(
    operation: Operation,
    name: string,
    parent: TraceContext | undefined,
    attributes: Attributes,
    startTime?: number,
  ): TracedSpan {
    const around = parentContext(operation, parent);
    const kind = api().SpanKind[KINDS[operation]];
    const span = this.tracer.startSpan(name, { kind, attributes, startTime }, around);
    return new TracedSpan(span, around, operation);
  }
}

/** Returns the tracing of this process if a tracer provider is registered, else undefined. */
export function activeTracing(): Tracing | undefined {
  if (!Object.hasOwn(globalThis, REGISTERED)) return undefined;
  const provider = api().trace.getTracerProvider();
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

/** The trace id in a `traceparent`; undefined if it is not valid. */
export function traceIdOf(traceparent: unknown): string | undefined {
  return typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
}

/**
 * The parent of a span. If HTTP instrumentation has already started a span for the request, or a
 * handler one of its own around a call, that span is the closer parent.
 */
function parentContext(operation: Operation, parent: TraceContext | undefined): Context {
  const { context, trace } = api();
  const active = context.active();
  if ((operation === 'http' || operation === 'send') && trace.getSpan(active) !== undefined) return active;
  return contextOf(parent) ?? active;
}

function contextOf(parent: TraceContext | undefined): Context | undefined {
  const [, traceId, spanId, flags = '00'] = TRACEPARENT.exec(parent?.traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  const state = parent?.tracestate;
  const { createTraceState, ROOT_CONTEXT, trace } = api();
  const traceState = typeof state === 'string' ? createTraceState(state) : undefined;
  const traceFlags = Number.parseInt(flags, 16);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, traceState, isRemote: true });
}
