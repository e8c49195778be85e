/** The span of an operation request at the gateway. */
import type { IncomingMessage } from 'node:http';
import { toError } from '../../core/messages/errors.ts';
import type { TraceContext, TracedSpan, Tracing } from '../../core/observability/tracing.ts';
import { clientOf } from '../context/access-log.ts';
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
  const { req, entry, segments, route, requestId } = exchange;
  const { method = 'GET', httpVersion, socket, headers } = req;
  const host = hostOf(headers.host);
  return tracing.beginHttp(`${method} ${entry.path}`, parent, {
    'http.request.method': method,
    'http.route': entry.path,
    'url.path': `/${segments.join('/')}`,
    'url.scheme': 'encrypted' in socket ? 'https' : 'http',
    'server.address': host?.hostname,
    'server.port': host?.port === '' ? undefined : Number(host?.port),
    'client.address': clientOf(req),
    'network.protocol.version': httpVersion,
    'user_agent.original': headers['user-agent'],
    'zeromq_gateway.event': route.operation.eventName,
    'zeromq_gateway.request_id': requestId,
  });
}

function hostOf(host: string | undefined): URL | undefined {
  const url = `http://${host ?? ''}`;
  return URL.canParse(url) ? new URL(url) : undefined;
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
