/**
 * The ways to run a gateway: on its own server, or in another Express app. Test suites run with
 * both. Requests may take as long as a gateway allows by default, unless
 * options set a timeout.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createGateway, type Gateway, type GatewayOptions } from '../../../src/gateway/index.ts';
import type { Cleanup } from '../scope.ts';

/** Timeout of requests, in ms: the default `maxTimeout`. A busy machine may need more than 5 s. */
export const REQUEST_TIMEOUT = 60_000;

/** A gateway that listens at a URL. */
export interface Hosted {
  readonly gateway: Gateway;
  /** URL of its root, without a slash at the end. */
  readonly url: string;
  readonly port: number;
}

export type Host = (cleanup: Cleanup, options: GatewayOptions) => Promise<Hosted>;

/** Starts a gateway on its own server. */
export const ownServer: Host = async (cleanup, options) => {
  const gateway = createGateway({ port: 0, timeout: REQUEST_TIMEOUT, ...options });
  cleanup.after(() => gateway.close({ deadline: 0 }));
  const { url, port } = await gateway.listen();
  return { gateway, url, port };
};

/** Mounts a gateway in another Express app, after a middleware of that app. */
export const foreignApp: Host = async (cleanup, options) => {
  const gateway = createGateway({ timeout: REQUEST_TIMEOUT, ...options });
  const app = express();
  app.disable('x-powered-by');
  app.use((_req, res, next) => {
    res.setHeader('X-Theirs', 'yes');
    next();
  });
  app.get('/theirs', (_req, res) => {
    res.send('theirs');
  });
  app.use('/api', gateway.middleware);
  app.get('/api/behind', (_req, res) => {
    res.send('behind');
  });
  const server = createServer(app);
  cleanup.after(() => gateway.close({ deadline: 0 }));
  cleanup.after(() => closeServer(server));
  const port = await listenOnFreePort(server);
  return { gateway, url: `http://127.0.0.1:${port}/api`, port };
};

/** All hosts. Suites run once with each. */
export const HOSTS: readonly (readonly [name: string, host: Host])[] = [
  ['own server', ownServer],
  ['another Express app', foreignApp],
];

export function listenOnFreePort(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** The members of a problem document that tests read. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  dispatched?: boolean;
  requestId: string;
  errors?: { pointer: string; detail: string }[];
  details?: unknown;
}

/** Reads a problem document. Throws if the response is not one. */
export async function problemOf(response: Response): Promise<ProblemBody> {
  const type = response.headers.get('content-type');
  if (type !== 'application/problem+json')
    throw new Error(`expected a problem document, got ${type}: ${await response.text()}`);
  const problem = (await response.json()) as ProblemBody;
  if (problem.status !== response.status)
    throw new Error(`the response has status ${response.status}, its problem document ${problem.status}`);
  if (problem.requestId !== response.headers.get('request-id'))
    throw new Error('the request ids of the header and the problem document differ');
  return problem;
}
