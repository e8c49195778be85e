/** The HTTP server: limits on headers and on time, and an answer even to what is no HTTP. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { httpProblem } from '../common/problem.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import type { Dispatcher, Next } from '../exchange/dispatcher.ts';
import { sendPlainProblem } from '../response/reply.ts';
import type { ExpressApp } from './express-app.ts';
import { answerConnect, answerRaw, invalidMessage } from './malformed-http.ts';

/** How an Express app is called when somebody waits behind it. */
type App = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

/** Time beyond that for headers and body, in ms, after which a request is cut off even if nobody reads it. */
const GRACE = 5000;

/** Makes the server; it does not listen yet. */
export function newServer(gateway: GatewayContext, expressApp: ExpressApp, dispatcher: Dispatcher): Server {
  const { limits, clientTimeouts } = gateway.settings;
  const app = expressApp.app as unknown as App;
  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    const fault = invalidMessage(req);
    if (fault !== undefined) sendPlainProblem(gateway, req, res, gateway.ids.next(undefined), fault);
    else app(req, res, (error) => dispatcher.finish(req, res, error));
  };
  /** Serves a request when its turn on the connection has come; in most cases that is now. */
  const schedule = (req: IncomingMessage, res: ServerResponse, start: () => void): void => {
    const isCurrent = res.socket !== null && req.socket.writable;
    if (isCurrent || !gateway.pipelines.defer(req, res, start)) start();
  };
  const server = createServer(
    {
      IncomingMessage: expressApp.IncomingMessage,
      ServerResponse: expressApp.ServerResponse,
      maxHeaderSize: limits.headers,
      headersTimeout: clientTimeouts.headers,
      requestTimeout: clientTimeouts.headers + clientTimeouts.body + GRACE,
      keepAliveTimeout: clientTimeouts.keepAlive,
      connectionsCheckingInterval: Math.min(1000, clientTimeouts.headers),
      noDelay: true,
      // We say so ourselves, with a problem.
      requireHostHeader: false,
    },
    (req, res) => schedule(req, res, () => serve(req, res)),
  );
  // A client that reads nothing for as long as any operation may take is gone, even if its connection is not.
  server.timeout = gateway.settings.maxTimeout + clientTimeouts.body + GRACE;
  // Without this, Node would ask for a body that we may refuse.
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    gateway.expecting.add(req);
    // Until it is asked to go on, nobody knows whether the client will send the body: the connection cannot be kept.
    res.setHeader('Connection', 'close');
    schedule(req, res, () => serve(req, res));
  });
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    const problem = httpProblem('EXPECTATION_FAILED', 'The only expectation that is known is 100-continue.');
    schedule(req, res, () => sendPlainProblem(gateway, req, res, gateway.ids.next(undefined), problem));
  });
  server.on('connect', (_req: IncomingMessage, socket: Socket) => answerConnect(gateway, socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    answerRaw(gateway, error, socket),
  );
  return server;
}
