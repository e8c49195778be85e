/** A page of the gateway itself: what is asked of it, and the headers that all of them have. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type GatewayCore, startHeaders } from './core.ts';

/** A page of the gateway itself. */
export interface Page {
  readonly kind: 'page';
  /** Its path as it is declared. */
  readonly path: string;
  /** Methods of `Allow`. */
  readonly allow: string;
  readonly serve: PageHandler;
}

/** Answers a request for a page. */
export type PageHandler = (request: PageRequest) => void;

/** A request for a page. */
export interface PageRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  /** Path that the gateway is mounted under; empty at the root. */
  readonly baseUrl: string;
}

/** Headers of a page: those of every reply, the request's id, and what cross-origin requests need. */
export function pageHeaders(
  core: GatewayCore,
  { req, requestId }: PageRequest,
  base = core.baseHeaders,
): string[] {
  const headers = startHeaders(core, base, requestId);
  if (core.cors !== undefined) headers.push(...core.cors.headersFor(req.headers));
  return headers;
}
