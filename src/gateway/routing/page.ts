/** The pages of the gateway in the route table. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A page of the gateway itself. */
export interface Page {
  readonly kind: 'page';
  /** Declared path. */
  readonly path: string;
  /** Value of the Allow header. */
  readonly allow: string;
  readonly serve: PageHandler;
}

/** Responds to a request for a page. */
export type PageHandler = (request: PageRequest) => void;

/** A request for a page. */
export interface PageRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  /** Path at which the gateway is mounted; empty at the root. */
  readonly baseUrl: string;
}
