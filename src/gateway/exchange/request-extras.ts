/** The metadata that travels with the event of a request. */
import type { IncomingMessage } from 'node:http';
import type { Caller, RequestExtras } from '../../core/messages/message.ts';
import type { TraceContext } from '../../core/observability/tracing.ts';
import { essenceOf, isJsonType } from '../common/media-type.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { sendsTiming } from '../response/server-timing.ts';

/** The part of an exchange that its metadata comes from. */
interface RequestSource {
  readonly gateway: GatewayContext;
  readonly req: IncomingMessage;
  readonly caller: Caller | undefined;
  readonly trace: TraceContext | undefined;
  readonly started: number;
}

/**
 * The metadata of a request; undefined if there is none.
 * @param key value of the sticky key.
 * @param type media type of the body; empty without a body.
 * @param timeout in ms.
 */
export function extrasOf(
  { req, gateway, caller, trace, started }: RequestSource,
  key: string | undefined,
  type: string,
  timeout: number,
): RequestExtras | undefined {
  const contentType = type === '' || isJsonType(type) ? undefined : essenceOf(type);
  const timing = started !== 0 && sendsTiming(gateway.settings, req) ? timeout : undefined;
  const isEmpty =
    trace === undefined && caller === undefined && key === undefined && contentType === undefined;
  return isEmpty && timing === undefined ? undefined : { ...trace, caller, key, contentType, timing };
}
