/** Headers of the gateway's own pages. */
import { type GatewayContext, startHeaders } from '../context/gateway-context.ts';
import type { PageRequest } from '../routing/page.ts';

/** Headers of a page: those of every reply, the request's id, and what cross-origin requests need. */
export function pageHeaders(
  core: GatewayContext,
  { req, requestId }: PageRequest,
  base = core.baseHeaders,
): string[] {
  const headers = startHeaders(core, base, requestId);
  if (core.cors !== undefined) headers.push(...core.cors.headersFor(req.headers));
  return headers;
}
