/** What is no request, or not one that may be served: answered with a problem like everything else. */
import type { ServerResponse } from 'node:http';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { GatewayCore } from './core.ts';
import { encodeProblem, httpProblem, type Problem } from './problem.ts';
import { NO_OPERATION, tellAnswer } from './telling.ts';

const CLOSE = ['Connection', 'close'];
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ [^\s]+ HTTP\/(\d\.\d)\r\n/;

/** What Node lets through although it must not be served (RFC 9112, 3.2 and 6.1); undefined: nothing. */
export function messageFault(req: IncomingMessage): Problem | undefined {
  const coding = req.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    return httpProblem(
      'NOT_IMPLEMENTED',
      `The transfer coding ${JSON.stringify(coding)} is not known.`,
      CLOSE,
    );
  }
  const hosts = countHosts(req.rawHeaders);
  if (hosts === 1 || (hosts === 0 && req.httpVersionMinor === 0)) return undefined;
  return httpProblem('MALFORMED_HTTP', `A request must have one Host header; this one has ${hosts}.`, CLOSE);
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

/** Answers a request that did not become one. */
export function answerRaw(core: GatewayCore, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) socket.destroy(error);
  else sendRaw(core, socket, problemOf(error, core));
}

/** Answers CONNECT, for which Node makes no response. */
export function answerConnect(core: GatewayCore, socket: Socket): void {
  sendRaw(core, socket, httpProblem('NOT_IMPLEMENTED', 'This is no proxy: CONNECT is not known.'));
}

function sendRaw(core: GatewayCore, socket: Socket, problem: Problem): void {
  const requestId = core.ids.next(undefined);
  tellAnswer(core, undefined, { ...NO_OPERATION, requestId, status: problem.status, code: problem.code });
  const body = encodeProblem(problem, core.settings.problemType, requestId);
  const lines = [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`];
  const headers = [...core.baseHeaders, 'Content-Type', 'application/problem+json', ...CLOSE];
  headers.push('Cache-Control', 'no-store');
  headers.push('Content-Length', String(body.length), 'Date', new Date().toUTCString());
  for (let index = 0; index < headers.length; index += 2)
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body.toString('latin1')}`, 'latin1');
  // The rest of it may be on its way, or here already and not read yet: who was told that it did not come must not have it run.
  if (problem.code === 'REQUEST_TIMEOUT') socket.destroySoon();
}

/** Whether part of a response is under way, so that nothing may be written between. Node keeps it on the socket. */
function isAnswering(socket: Socket): boolean {
  const { _httpMessage: response } = socket as { _httpMessage?: ServerResponse | null };
  return response?.headersSent === true && !response.writableFinished;
}

function problemOf(error: NodeJS.ErrnoException & { rawPacket?: Buffer }, core: GatewayCore): Problem {
  const { limits } = core.settings;
  const code = error.code ?? '';
  const version = REQUEST_LINE.exec(error.rawPacket?.toString('latin1') ?? '')?.[1];
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
      if (version !== undefined)
        return httpProblem('VERSION_NOT_SUPPORTED', `HTTP ${version} is not spoken here; 1.1 is.`);
  }
  return httpProblem('MALFORMED_HTTP', 'What was sent is no HTTP request.');
}
