/** The HTTP server: limits on headers and on time, and an answer even to what is no HTTP. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import type { BornApp } from './app.ts';
import type { GatewayCore } from './core.ts';
import type { Dispatcher, Next } from './dispatcher.ts';
import { encodeProblem, httpProblem, type Problem } from './problem.ts';
import { answerBare } from './reply.ts';
import { NO_OPERATION, tellAnswer } from './telling.ts';

/** How an Express app is called when somebody waits behind it. */
type App = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

/** Time beyond that for headers and body, in ms, after which a request is cut off even if nobody reads it. */
const GRACE = 5000;

/** Makes the server; it does not listen yet. */
export function newServer(core: GatewayCore, born: BornApp, dispatcher: Dispatcher): Server {
  const { limits, clientTimeouts } = core.settings;
  const app = born.app as unknown as App;
  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    app(req, res, (error) => dispatcher.finish(req, res, error));
  };
  const server = createServer(
    {
      IncomingMessage: born.IncomingMessage,
      ServerResponse: born.ServerResponse,
      maxHeaderSize: limits.headers,
      headersTimeout: clientTimeouts.headers,
      requestTimeout: clientTimeouts.headers + clientTimeouts.body + GRACE,
      keepAliveTimeout: clientTimeouts.keepAlive,
      connectionsCheckingInterval: Math.min(1000, clientTimeouts.headers),
      noDelay: true,
    },
    serve,
  );
  // A client that reads nothing for as long as any operation may take is gone, even if its connection is not.
  server.timeout = core.settings.maxTimeout + clientTimeouts.body + GRACE;
  // Without this, Node would ask for a body that we may refuse.
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    core.expecting.add(req);
    // Until it is asked to go on, nobody knows whether the client will send the body: the connection cannot be kept.
    res.setHeader('Connection', 'close');
    serve(req, res);
  });
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    const problem = httpProblem('EXPECTATION_FAILED', 'The only expectation that is known is 100-continue.');
    answerBare(core, req, res, core.ids.next(undefined), problem);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => answerRaw(core, error, socket));
  return server;
}

/** Answers a request that did not become one. */
function answerRaw(core: GatewayCore, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy(error);
    return;
  }
  const problem = problemOf(error, core);
  const requestId = core.ids.next(undefined);
  tellAnswer(core, undefined, { ...NO_OPERATION, requestId, status: problem.status, code: problem.code });
  const body = encodeProblem(problem, core.settings.problemType, requestId);
  const lines = [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`];
  const headers = [...core.baseHeaders, 'Content-Type', 'application/problem+json', 'Connection', 'close'];
  headers.push('Content-Length', String(body.length), 'Date', new Date().toUTCString());
  for (let index = 0; index < headers.length; index += 2)
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body.toString('latin1')}`, 'latin1');
}

/** Whether part of a response is under way, so that nothing may be written between. Node keeps it on the socket. */
function isAnswering(socket: Socket): boolean {
  const { _httpMessage: response } = socket as { _httpMessage?: ServerResponse | null };
  return response?.headersSent === true && !response.writableFinished;
}

function problemOf(error: NodeJS.ErrnoException, core: GatewayCore): Problem {
  const { limits } = core.settings;
  const code = error.code ?? '';
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return httpProblem('HEADERS_TOO_LARGE', `The headers are larger than ${limits.headers} bytes.`);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return httpProblem('PAYLOAD_TOO_LARGE', 'The chunk extensions of the body are too large.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return httpProblem('REQUEST_TIMEOUT', 'The request did not arrive in time.');
    default:
      return httpProblem('MALFORMED_HTTP', 'What was sent is no HTTP request.');
  }
}
