/** The metadata that travels with the event of a request. */
import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Caller, OutgoingRequest, RequestExtras } from '../../core/messages/message.ts';
import type { TraceContext } from '../../core/observability/tracing.ts';
import { essenceOf, isJsonType } from '../common/media-type.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { sendsTiming } from '../response/server-timing.ts';
import type { Route } from '../routing/route.ts';

/** The part of an exchange that its metadata comes from. */
interface RequestSource {
  readonly gateway: GatewayContext;
  readonly req: IncomingMessage;
  readonly caller: Caller | undefined;
  readonly trace: TraceContext | undefined;
  readonly started: number;
  readonly route: Route;
}

/**
 * The metadata of a request; undefined if there is none.
 * @param key value of the sticky key.
 * @param type media type of the body; empty without a body.
 * @param timeout in ms.
 */
export function extrasOf(
  { req, gateway, caller, trace, started, route }: RequestSource,
  key: string | undefined,
  type: string,
  timeout: number,
): RequestExtras | undefined {
  const contentType = type === '' || isJsonType(type) ? undefined : essenceOf(type);
  const timing = started !== 0 && sendsTiming(gateway.settings, req) ? timeout : undefined;
  const version = route.versionHeader === undefined ? undefined : req.headers[route.versionHeader];
  const isEmpty =
    trace === undefined && caller === undefined && key === undefined && contentType === undefined;
  if (isEmpty && timing === undefined && version === undefined) return undefined;
  const extras = { ...trace, caller, key, contentType, timing };
  return version === undefined ? extras : { ...extras, version: String(version) };
}

/** Adds the headers that concern streams to the metadata of a request. */
export function withStreamExtras(
  outgoing: OutgoingRequest,
  {
    req,
    headers,
    route,
  }: { readonly req: IncomingMessage; readonly headers: IncomingHttpHeaders; readonly route: Route },
): OutgoingRequest {
  if (!route.operation.streamsReply) return outgoing;
  const { method } = req;
  const extras: RequestExtras = { ...outgoing.extras };
  // Only GET and HEAD have ranges (RFC 9110, 14.2), and HEAD has no body that one could apply to.
  if (method === 'HEAD') extras.method = 'HEAD';
  else if (method === 'GET' && headers.range !== undefined) {
    extras.range = headers.range;
    const condition = headers['if-range'];
    if (condition !== undefined) extras.ifRange = String(condition);
  }
  const lastEventId = lastEventIdOf(req);
  if (lastEventId !== undefined) extras.lastEventId = lastEventId;
  return { ...outgoing, extras };
}

/**
 * The id of the last event that a client has received (HTML Standard, 9.2.4). Clients encode it in
 * UTF-8, and Node decodes headers as Latin-1.
 */
export function lastEventIdOf({ headers }: IncomingMessage): string | undefined {
  const given = headers['last-event-id'];
  if (given === undefined || given === '') return undefined;
  const bytes = Buffer.from(String(given), 'latin1');
  return isUtf8(bytes) ? bytes.toString() : String(given);
}
