/** Publishes how an exchange ended: trace, diagnostics and access log. */
import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../core/messages/message.ts';
import type { TracedSpan } from '../../core/observability/tracing.ts';
import { hasObservers, publishAnswer, type StreamTraffic } from '../context/access-log.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import type { Route } from '../routing/route.ts';
import type { PathEntry } from '../routing/route-table.ts';
import { endSpan } from './span.ts';

/** The part of an exchange that is published. */
interface PublishedExchange {
  readonly gateway: GatewayContext;
  readonly req: IncomingMessage;
  readonly entry: PathEntry;
  readonly route: Route;
  readonly segments: readonly string[];
  readonly requestId: string;
  /** When the request arrived, by `performance.now()`; 0 if that is not known. */
  readonly started: number;
  readonly caller: Caller | undefined;
}

/** How an exchange ended. */
interface ExchangeOutcome {
  readonly status: number;
  /** Empty on success. */
  readonly code: string;
  readonly dispatched: boolean;
  readonly detail: string | undefined;
  /** Undefined unless the request or the reply may be a stream. */
  readonly traffic: StreamTraffic | undefined;
}

export function publishOutcome(
  exchange: PublishedExchange,
  span: TracedSpan | undefined,
  { status, code, dispatched, detail, traffic }: ExchangeOutcome,
): void {
  const { gateway, requestId, started } = exchange;
  if (span !== undefined) endSpan(exchange, span, status, code);
  if (!hasObservers(gateway)) return;
  publishAnswer(gateway, exchange.req, {
    requestId,
    route: exchange.entry.path,
    status,
    code,
    detail,
    eventName: exchange.route.operation.eventName,
    dispatched,
    duration: started === 0 ? 0 : performance.now() - started,
    caller: exchange.caller?.id ?? '',
    traceId: span?.traceId,
    stream: traffic,
  });
}
