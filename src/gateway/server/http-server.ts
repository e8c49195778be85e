/** Creates the HTTP server: header and time limits, and responses to malformed HTTP. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { clientSilence, GRACE } from '../common/client-silence.ts';
import { httpProblem, type Problem } from '../common/problem.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import type { Dispatcher, Next } from '../exchange/dispatcher.ts';
import { respondWithProblem } from '../exchange/plain-problem.ts';
import type { ExpressApp } from './express-app.ts';
import { answerConnect, answerRaw, invalidMessage } from './malformed-http.ts';
import { type Certificate, newTlsServer } from './tls.ts';

/** The signature of an Express app that is called with a final handler. */
type App = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

/**
 * Creates the server. It does not listen yet.
 * @param certificate makes it an HTTPS server.
 */
export function newServer(
  gateway: GatewayContext,
  expressApp: ExpressApp,
  dispatcher: Dispatcher,
  certificate: Certificate | undefined,
): Server {
  const { limits, clientTimeouts } = gateway.settings;
  const app = expressApp.app as unknown as App;
  const reject = (req: IncomingMessage, res: ServerResponse, problem: Problem): void => {
    const requestId = gateway.ids.next(undefined);
    respondWithProblem(gateway, { req, res, requestId, route: '' }, problem);
  };
  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    const problem = invalidMessage(req);
    if (problem !== undefined) reject(req, res, problem);
    else app(req, res, (error) => dispatcher.finish(req, res, error));
  };
  /** Calls `start` when the request may run on its connection: in most cases at once. */
  const schedule = (req: IncomingMessage, res: ServerResponse, start: () => void): void => {
    const isCurrent = res.socket !== null && req.socket.writable;
    if (isCurrent || !gateway.pipelines.defer(req, res, start)) start();
  };
  const options = {
    IncomingMessage: expressApp.IncomingMessage,
    ServerResponse: expressApp.ServerResponse,
    maxHeaderSize: limits.headers,
    connectionsCheckingInterval: Math.min(1000, clientTimeouts.headers),
    noDelay: true,
    // The gateway checks the header itself and responds with a problem document.
    requireHostHeader: false,
  };
  const listener = (req: IncomingMessage, res: ServerResponse): void =>
    schedule(req, res, () => serve(req, res));
  const server =
    certificate === undefined
      ? createServer(options, listener)
      : newTlsServer(certificate, { ...options, handshakeTimeout: clientTimeouts.headers }, listener);
  applyTimeouts(server, gateway);
  // Without this listener, Node would send 100 Continue for bodies that the gateway may reject.
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    gateway.expecting.add(req);
    // The client may send the body or not until it receives 100 Continue, so the connection cannot
    // be kept alive.
    res.setHeader('Connection', 'close');
    schedule(req, res, () => serve(req, res));
  });
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    const problem = httpProblem(
      'EXPECTATION_FAILED',
      'The gateway supports only the expectation 100-continue.',
    );
    schedule(req, res, () => reject(req, res, problem));
  });
  server.on('connect', (_req: IncomingMessage, socket: Socket) => answerConnect(gateway, socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    answerRaw(gateway, error, socket),
  );
  return server;
}

/** Gives the server the timeouts of the settings. Connections that are open keep their silence. */
export function applyTimeouts(server: Server, { settings, bodies }: GatewayContext): void {
  const { headers, body, keepAlive } = settings.clientTimeouts;
  server.headersTimeout = headers;
  server.requestTimeout = headers + body + GRACE;
  server.keepAliveTimeout = keepAlive;
  server.timeout = clientSilence(settings);
  bodies.bounds = { ...bodies.bounds, timeout: body };
}
