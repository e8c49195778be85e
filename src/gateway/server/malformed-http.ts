/** Responds with a problem document to malformed HTTP and to requests that must not be served. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { isLast } from '../common/pipeline.ts';
import { encodeProblem, httpProblem, type Problem } from '../common/problem.ts';
import { NO_OPERATION, publishAnswer } from '../context/access-log.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { hostError } from './target.ts';

const CLOSE = ['Connection', 'close'];
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ [^\s]+ HTTP\/(\d\.\d)\r\n/;

/**
 * Checks what Node accepts although RFC 9112 (2.5, 3.2 and 6.1) requires the server to reject it.
 * @returns the problem; undefined if the request may be served.
 */
export function invalidMessage(req: IncomingMessage): Problem | undefined {
  if (req.httpVersionMajor !== 1) return wrongVersion(req.httpVersion);
  const coding = req.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    return httpProblem(
      'NOT_IMPLEMENTED',
      `The transfer coding ${JSON.stringify(coding)} is not supported.`,
      CLOSE,
    );
  }
  const problem = hostError(req);
  return problem === undefined ? undefined : httpProblem('MALFORMED_HTTP', problem, CLOSE);
}

function wrongVersion(version: string): Problem {
  return httpProblem('VERSION_NOT_SUPPORTED', `HTTP ${version} is not supported; use HTTP/1.1.`, CLOSE);
}

/**
 * Responds to bytes that Node could not parse as a request or as the rest of one. The response
 * follows those to all earlier requests of the connection (RFC 9112, 9.3.2).
 */
export function answerRaw(gateway: GatewayContext, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isStreaming(gateway, socket)) return;
  const isHandshake =
    error.code?.startsWith('ERR_SSL_') === true || error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT';
  if (error.code === 'ECONNRESET' || isHandshake) socket.destroy(error);
  else if (socket.writable) answerLast(gateway, socket, problemOf(error, gateway));
}

/**
 * Whether the body of the last request is sent as a stream, which may take longer than the time that
 * Node allows for a request. Streams have their own timeouts.
 */
function isStreaming({ pipelines, bodies }: GatewayContext, socket: Socket): boolean {
  const last = pipelines.lastOn(socket);
  return last !== undefined && !last.req.complete && bodies.isWatched(last.req);
}

/** Sends the last response of a connection. Nothing that follows on it is processed. */
function answerLast(gateway: GatewayContext, socket: Socket, problem: Problem): void {
  if (!gateway.pipelines.close(socket)) return;
  const last = gateway.pipelines.lastOn(socket);
  if (last === undefined) {
    sendRaw(gateway, socket, problem);
    return;
  }
  const isBody = !last.req.complete;
  if (isBody) gateway.bodies.fail(last.req, { ...problem, headers: [...(problem.headers ?? []), ...CLOSE] });
  last.once('finish', () => {
    if (isLast(last)) return;
    if (isBody) socket.destroySoon();
    else sendRaw(gateway, socket, problem);
  });
}

/** Responds to CONNECT, for which Node creates no response object. */
export function answerConnect(gateway: GatewayContext, socket: Socket): void {
  answerLast(
    gateway,
    socket,
    httpProblem('NOT_IMPLEMENTED', 'CONNECT is not supported: the gateway is not a proxy.'),
  );
}

function sendRaw(gateway: GatewayContext, socket: Socket, problem: Problem): void {
  const requestId = gateway.ids.next(undefined);
  publishAnswer(gateway, undefined, {
    ...NO_OPERATION,
    requestId,
    status: problem.status,
    code: problem.code,
  });
  const body = encodeProblem(problem, gateway.settings.problemType, requestId);
  const lines = [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`];
  const headers = [...gateway.baseHeaders, 'Content-Type', 'application/problem+json', ...CLOSE];
  headers.push('Cache-Control', 'no-store');
  headers.push('Content-Length', String(body.length), 'Date', new Date().toUTCString());
  for (let index = 0; index < headers.length; index += 2)
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body.toString('latin1')}`, 'latin1');
  // The rest of the request may still arrive, or wait unread in the socket. A request that was
  // answered with 408 must not run.
  if (problem.code === 'REQUEST_TIMEOUT') socket.destroySoon();
}

/** An error of Node's HTTP parser. */
interface ParseError extends NodeJS.ErrnoException {
  rawPacket?: Buffer;
  bytesParsed?: number;
}

/** The HTTP version in the request line at which the parser stopped. */
function versionIn({ rawPacket, bytesParsed = 0 }: ParseError): string | undefined {
  // Other requests may precede that line in the packet.
  const text = rawPacket?.toString('latin1') ?? '';
  const start = bytesParsed === 0 ? 0 : text.lastIndexOf('\n', bytesParsed - 1) + 1;
  return REQUEST_LINE.exec(text.slice(start))?.[1];
}

function problemOf(error: ParseError, gateway: GatewayContext): Problem {
  const { limits } = gateway.settings;
  const code = error.code ?? '';
  const version = versionIn(error);
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return httpProblem('HEADERS_TOO_LARGE', `The headers are larger than ${limits.headers} bytes.`);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return httpProblem('PAYLOAD_TOO_LARGE', 'The chunk extensions of the body are too large.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return httpProblem('REQUEST_TIMEOUT', 'The request did not arrive within its timeout.');
    case 'HPE_INVALID_METHOD':
      if (version !== undefined) return httpProblem('NOT_IMPLEMENTED', 'The method is not supported.');
      break;
    case 'HPE_INVALID_VERSION':
      if (version !== undefined) return wrongVersion(version);
      break;
    // The connection preface of HTTP/2 (RFC 9113, 3.4).
    case 'HPE_PAUSED_H2_UPGRADE':
      return wrongVersion('2');
  }
  return httpProblem('MALFORMED_HTTP', 'The bytes are not an HTTP request.');
}
