/** The span of an operation request at the gateway. */
import type { IncomingMessage } from 'node:http';
import { toError } from '../../core/messages/errors.ts';
import type { TraceContext, TracedSpan, Tracing } from '../../core/observability/tracing.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import type { Route } from '../routing/route.ts';
import type { PathEntry } from '../routing/route-table.ts';

/** The part of an exchange that its span describes. */
interface TracedExchange {
  readonly gateway: GatewayContext;
  readonly req: IncomingMessage;
  readonly entry: PathEntry;
  readonly route: Route;
  readonly segments: readonly string[];
  readonly requestId: string;
}

/** Starts the span of a request. */
export function beginSpan(
  tracing: Tracing,
  exchange: TracedExchange,
  parent: TraceContext | undefined,
): TracedSpan {
  return tracing.begin('gateway', parent, {
    'http.request.method': exchange.req.method,
    'http.route': exchange.entry.path,
    'url.path': `/${exchange.segments.join('/')}`,
    'zeromq_gateway.event': exchange.route.operation.eventName,
    'zeromq_gateway.request_id': exchange.requestId,
  });
}

/** Ends a span. A tracing SDK that throws must not prevent the response. */
export function endSpan(
  { gateway, requestId }: TracedExchange,
  span: TracedSpan,
  status: number,
  code: string,
): void {
  try {
    span.end({ code, status });
  } catch (error) {
    gateway.logger.error({ err: toError(error), requestId }, 'cannot end the span of a request');
  }
}
