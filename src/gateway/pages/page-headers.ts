/** Headers of the gateway's own pages. */
import { type GatewayContext, startHeaders } from '../context/gateway-context.ts';
import type { PageRequest } from '../routing/page.ts';

/** Headers of a page: those of every reply, the request's id, and what cross-origin requests need. */
export function pageHeaders(
  gateway: GatewayContext,
  { req, requestId }: PageRequest,
  base = gateway.baseHeaders,
): string[] {
  const headers = startHeaders(gateway, base, requestId);
  if (gateway.cors !== undefined) headers.push(...gateway.cors.headersFor(req.headers));
  return headers;
}
