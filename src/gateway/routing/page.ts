/** Pages that the gateway serves itself, as the route table holds them. */
import type { IncomingMessage, ServerResponse } from 'node:http';

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
