/** What is no request, or not one that may be served: answered with a problem like everything else. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { isLast } from '../common/pipeline.ts';
import { encodeProblem, httpProblem, type Problem } from '../common/problem.ts';
import { NO_OPERATION, publishAnswer } from '../context/access-log.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { hostError } from './target.ts';

const CLOSE = ['Connection', 'close'];
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ [^\s]+ HTTP\/(\d\.\d)\r\n/;

/** What Node lets through although it must not be served (RFC 9112, 2.5, 3.2 and 6.1); undefined: nothing. */
export function invalidMessage(req: IncomingMessage): Problem | undefined {
  if (req.httpVersionMajor !== 1) return wrongVersion(req.httpVersion);
  const coding = req.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    return httpProblem(
      'NOT_IMPLEMENTED',
      `The transfer coding ${JSON.stringify(coding)} is not known.`,
      CLOSE,
    );
  }
  const fault = hostError(req);
  return fault === undefined ? undefined : httpProblem('MALFORMED_HTTP', fault, CLOSE);
}

function wrongVersion(version: string): Problem {
  return httpProblem('VERSION_NOT_SUPPORTED', `HTTP ${version} is not spoken here; 1.1 is.`, CLOSE);
}

/** Answers what did not become a request, or the rest of one, once everything before it is answered (RFC 9112, 9.3.2). */
export function answerRaw(gateway: GatewayContext, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET') socket.destroy(error);
  else if (socket.writable) answerLast(gateway, socket, problemOf(error, gateway));
}

/** Gives the last answer of a connection: nothing behind it is processed. */
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

/** Answers CONNECT, for which Node makes no response. */
export function answerConnect(gateway: GatewayContext, socket: Socket): void {
  answerLast(gateway, socket, httpProblem('NOT_IMPLEMENTED', 'This is not a proxy: CONNECT is not known.'));
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
  // The rest of it may be on its way, or here already and not read yet: who was told that it did not come must not have it run.
  if (problem.code === 'REQUEST_TIMEOUT') socket.destroySoon();
}

/** What Node's parser says. */
interface ParseError extends NodeJS.ErrnoException {
  rawPacket?: Buffer;
  bytesParsed?: number;
}

/** The version in the request line at which the parser stopped: other requests may stand before it. */
function versionIn({ rawPacket, bytesParsed = 0 }: ParseError): string | undefined {
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
      return httpProblem('REQUEST_TIMEOUT', 'The request did not arrive in time.');
    case 'HPE_INVALID_METHOD':
      if (version !== undefined) return httpProblem('NOT_IMPLEMENTED', 'The method is not known.');
      break;
    case 'HPE_INVALID_VERSION':
      if (version !== undefined) return wrongVersion(version);
      break;
    // The preface of a client that takes this for HTTP/2 (RFC 9113, 3.4).
    case 'HPE_PAUSED_H2_UPGRADE':
      return wrongVersion('2');
  }
  return httpProblem('MALFORMED_HTTP', 'What was sent is no HTTP request.');
}
