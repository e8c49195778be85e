/** Response headers of the gateway's own pages. */
import { type GatewayContext, startHeaders } from '../context/gateway-context.ts';
import type { PageRequest } from '../routing/page.ts';

/** The base headers, the request id and the CORS headers of a page. */
export function pageHeaders(
  gateway: GatewayContext,
  { req, requestId }: PageRequest,
  base = gateway.baseHeaders,
): string[] {
  const headers = startHeaders(gateway, base, requestId);
  if (gateway.cors !== undefined) headers.push(...gateway.cors.headersFor(req.headers));
  return headers;
}
