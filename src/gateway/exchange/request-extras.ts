/** The metadata that travels with the event of a request. */
import type { IncomingMessage } from 'node:http';
import type { Caller, RequestExtras } from '../../core/messages/message.ts';
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
