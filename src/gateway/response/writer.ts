/** Writes a response: status, headers and body at once. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import { toError } from '../../core/messages/errors.ts';
import { encodeProblem, httpProblem } from '../common/problem.ts';
import type { CompressionSettings } from '../common/settings.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { codingFor, compress, mayCompress } from './compress.ts';
import { sentTag } from './entity-tag.ts';
import { changeHeader, headerValue } from './header-list.ts';

/** Maximum size in bytes of a body that is written together with its headers. */
const ONE_WRITE = 16 * 1024;

/** A complete response. */
export interface Response {
  readonly status: number;
  /** Names and values in turn. The writer may change the list. */
  readonly headers: string[];
  readonly contentType: string;
  readonly body: Buffer;
}

/** A request and its response object. */
export interface ReplyTarget {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/**
 * Writes a response. For HEAD, it writes the headers with the content length of the body. It does
 * nothing if the response has begun or its connection is closed.
 *
 * A middleware of the host may have replaced methods of `res`, and these may throw. Then only this
 * request fails.
 * @returns the status that the client receives.
 */
export function write(gateway: GatewayContext, { req, res }: ReplyTarget, response: Response): number {
  if (res.headersSent || res.destroyed) return response.status;
  try {
    send(res, req.method, response);
    return response.status;
  } catch (error) {
    const requestId = headerValue(response.headers, gateway.settings.requestIdHeader) ?? '';
    gateway.logger.error({ err: toError(error), requestId }, 'cannot write a response');
    return endWithError(gateway, res, requestId);
  }
}

/**
 * Writes status and headers of a response whose body follows in chunks.
 * @returns the status that the client receives: another one if the headers cannot be written.
 */
export function begin(
  gateway: GatewayContext,
  res: ServerResponse,
  status: number,
  headers: readonly string[],
): number {
  try {
    writeHead(res, status, headers);
    return status;
  } catch (error) {
    const requestId = headerValue(headers, gateway.settings.requestIdHeader) ?? '';
    gateway.logger.error({ err: toError(error), requestId }, 'cannot write a response');
    return endWithError(gateway, res, requestId);
  }
}

function send(res: ServerResponse, method: string | undefined, response: Response): void {
  const { status, headers, contentType, body } = response;
  if (status === 204 || status === 304) {
    writeHead(res, status, headers);
    res.end();
    return;
  }
  // A 205 must have a content length of 0 (RFC 9110, 15.3.6).
  const empty = status === 205;
  if (!empty && (body.length > 0 || method === 'HEAD')) headers.push('Content-Type', contentType);
  headers.push('Content-Length', empty ? '0' : String(body.length));
  writeHead(res, status, headers);
  if (method === 'HEAD' || empty) res.end();
  else if (body.length > ONE_WRITE) res.end(body);
  else endWith(res, body.toString('latin1'));
}

/**
 * Ends a response with a short body. Node joins a Latin-1 string to the headers. `end(body)` would
 * then append an empty string, so that the socket writes a list of two; `write` and `end` in turn,
 * on a corked socket, write one string. That saves 2 of 14 µs of a plain Node server.
 */
function endWith(res: ServerResponse, body: string): void {
  const { socket } = res;
  if (socket === null || res.end !== NODE_METHODS.end || res.write !== NODE_METHODS.write) {
    res.end(body, 'latin1');
    return;
  }
  socket.cork();
  res.write(body, 'latin1');
  socket.uncork();
  res.end();
}

/**
 * Writes status and headers. Headers that a middleware of the host has set stay, unless the gateway
 * sets the same header. Values of `Vary` are combined.
 *
 * Middlewares that patch `writeHead`, such as `compression`, expect that `end()` calls it, as with
 * Express.
 */
function writeHead(res: ServerResponse, status: number, headers: readonly string[]): void {
  const isPatched = res.writeHead !== NODE_METHODS.writeHead;
  if (!isPatched && res.getHeaderNames().length === 0) {
    res.writeHead(status, headers as string[]);
    return;
  }
  const written = new Set<string>(['vary']);
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1] ?? '';
    if (written.has(name.toLowerCase())) res.appendHeader(name, value);
    else res.setHeader(name, value);
    written.add(name.toLowerCase());
  }
  if (isPatched) res.statusCode = status;
  else res.writeHead(status);
}

/** The methods of Node's responses, to restore those that a host has patched. */
const NODE_METHODS = pick([
  'appendHeader',
  'end',
  'getHeader',
  'getHeaderNames',
  'removeHeader',
  'setHeader',
  'write',
  'writeHead',
]);

function pick<Name extends keyof ServerResponse>(names: readonly Name[]): Pick<ServerResponse, Name> {
  const { prototype } = ServerResponse;
  return Object.fromEntries(names.map((name) => [name, prototype[name]])) as Pick<ServerResponse, Name>;
}

/**
 * Ends a response that cannot be written: with a problem if its head is not sent yet, otherwise by
 * closing the connection.
 * @returns the status that the client receives.
 */
function endWithError(gateway: GatewayContext, res: ServerResponse, requestId: string): number {
  const problem = httpProblem(
    'INTERNAL_ERROR',
    'The gateway failed to write the response; its log contains the reason.',
  );
  // A host may have overridden `headersSent`.
  const { _header: head } = res as { _header?: string | null };
  try {
    if (typeof head !== 'string') {
      Object.assign(res, NODE_METHODS);
      for (const name of res.getHeaderNames()) res.removeHeader(name);
      const body = encodeProblem(problem, gateway.settings.problemType, requestId);
      const headers = [...gateway.baseHeaders, gateway.settings.requestIdHeader, requestId];
      headers.push('Content-Type', 'application/problem+json', 'Content-Length', String(body.length));
      headers.push('Cache-Control', 'no-store', 'Connection', 'close');
      res.writeHead(problem.status, headers);
      res.end(body);
      return problem.status;
    }
  } catch (error) {
    gateway.logger.error({ err: toError(error), requestId }, 'cannot write the error response either');
  }
  res.destroy();
  return problem.status;
}

/** Writes a response, compressed if the client accepts that and the response may be compressed. */
export function writeCompressed(
  gateway: GatewayContext,
  target: ReplyTarget,
  response: Response,
  settings: CompressionSettings,
): number {
  const { req } = target;
  const { headers, body, status } = response;
  const possible = body.length >= settings.threshold && mayCompress(req, response);
  if (possible) headers.push('Vary', 'Accept-Encoding');
  const coding = possible && status !== 304 ? codingFor(req.headers['accept-encoding']) : undefined;
  if (coding === undefined) return writeTagged(gateway, target, response, undefined);
  compress(body, coding, (compressed) => {
    if (compressed === undefined) {
      writeTagged(gateway, target, response, undefined);
      return;
    }
    headers.push('Content-Encoding', coding);
    writeTagged(gateway, target, { ...response, body: compressed }, coding);
  });
  return status;
}

/** Writes a response with the entity tag of its coding. A 304 already has the tag of the client. */
function writeTagged(
  gateway: GatewayContext,
  target: ReplyTarget,
  response: Response,
  coding: string | undefined,
): number {
  if (response.status !== 304) changeHeader(response.headers, 'etag', (tag) => sentTag(tag, coding));
  return write(gateway, target, response);
}
