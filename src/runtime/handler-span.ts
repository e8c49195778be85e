/** Spans of handlers and of their calls. */
import { toError } from '../core/messages/errors.ts';
import type { RequestMessage } from '../core/messages/message.ts';
import {
  type SpanEnd,
  type TracedSpan,
  type Tracing,
  traceContextIn,
} from '../core/observability/tracing.ts';

/** A request whose handler has a span. */
interface TracedExecution {
  readonly message: RequestMessage;
  span: TracedSpan | undefined;
}

/** Calls a handler within a span, which becomes the parent of spans that the handler starts. */
export function traced(tracing: Tracing, execution: TracedExecution, call: () => unknown): unknown {
  const { message } = execution;
  const span = tracing.beginMessaging('process', message, traceContextIn(message.extras));
  execution.span = span;
  return span.run(call);
}

/** Ends a span. A tracing SDK that throws must not prevent the reply. */
export function endSpan(span: TracedSpan | undefined, { code, status }: SpanEnd): void {
  try {
    span?.end({ code, status });
  } catch (error) {
    process.emitWarning(toError(error), { code: 'ZEROMQ_GATEWAY_TRACING' });
  }
}
