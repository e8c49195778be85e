/** Writing a response: status, headers and body in one go. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import { toError } from '../../core/messages/errors.ts';
import { encodeProblem, httpProblem } from '../common/problem.ts';
import type { CompressionSettings } from '../common/settings.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { codingFor, compress, mayCompress } from './compress.ts';
import { sentTag } from './entity-tag.ts';

/** Bodies up to this size travel in one write with their headers. */
const ONE_WRITE = 16 * 1024;

/** A response, complete. */
export interface Response {
  readonly status: number;
  /** Names and values in turn; belongs to the writer. */
  readonly headers: string[];
  readonly contentType: string;
  readonly body: Buffer;
}

/** A request and what answers it. */
export interface ReplyTarget {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/**
 * Writes a response. For HEAD its headers only, among them the length that the body would have.
 * A response that is already begun or gone is left alone.
 *
 * Methods of `res` may be those of a middleware of the host, and may throw. Then this request alone fails.
 * @returns the status that the client gets.
 */
export function write(gateway: GatewayContext, { req, res }: ReplyTarget, response: Response): number {
  if (res.headersSent || res.destroyed) return response.status;
  try {
    send(res, req.method, response);
    return response.status;
  } catch (error) {
    const requestId = valueOf(response.headers, gateway.settings.requestIdHeader) ?? '';
    gateway.logger.error({ err: toError(error), requestId }, 'a response could not be written');
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
  // A 205 says so with a length of 0 (RFC 9110, 15.3.6).
  const empty = status === 205;
  if (!empty && (body.length > 0 || method === 'HEAD')) headers.push('Content-Type', contentType);
  headers.push('Content-Length', empty ? '0' : String(body.length));
  writeHead(res, status, headers);
  if (method === 'HEAD' || empty) res.end();
  else if (body.length > ONE_WRITE) res.end(body);
  // As Latin-1 text the bytes are joined to the headers, and leave in one system call.
  else res.end(body.toString('latin1'), 'latin1');
}

/**
 * Headers that somebody else set before us stay, as far as we have none of that name. `Vary` is added to.
 *
 * Middlewares of a host that patch `writeHead`, such as those that compress, expect it to be called by `end()`, as
 * Express does it.
 */
function writeHead(res: ServerResponse, status: number, headers: string[]): void {
  const isPatched = res.writeHead !== NODE_METHODS.writeHead;
  if (!isPatched && res.getHeaderNames().length === 0) {
    res.writeHead(status, headers);
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

/** Node's own methods of responses, where a host has put others in their place. */
const NODE_METHODS = pick([
  'appendHeader',
  'end',
  'getHeader',
  'getHeaderNames',
  'removeHeader',
  'setHeader',
  'writeHead',
]);

function pick<Name extends keyof ServerResponse>(names: readonly Name[]): Pick<ServerResponse, Name> {
  const { prototype } = ServerResponse;
  return Object.fromEntries(names.map((name) => [name, prototype[name]])) as Pick<ServerResponse, Name>;
}

/** Ends a response that cannot be written: with an error as long as it has no head, else with its connection. */
function endWithError(gateway: GatewayContext, res: ServerResponse, requestId: string): number {
  const problem = httpProblem('INTERNAL_ERROR', 'The response could not be written; the log says why.');
  // A host may have its own idea of `headersSent`.
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
    gateway.logger.error({ err: toError(error), requestId }, 'the error could not be written either');
  }
  res.destroy();
  return problem.status;
}

/** Writes a response, compressed if the client likes it, and if that may be done to it. */
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

/** A 304 names the tag that the client has. */
function writeTagged(
  gateway: GatewayContext,
  target: ReplyTarget,
  response: Response,
  coding: string | undefined,
): number {
  const { headers } = response;
  for (let index = 0; response.status !== 304 && index < headers.length; index += 2) {
    const value = headers[index + 1];
    if (value === undefined || headers[index]?.toLowerCase() !== 'etag') continue;
    headers[index + 1] = sentTag(value, coding);
  }
  return write(gateway, target, response);
}

function valueOf(headers: readonly string[], name: string): string | undefined {
  const index = headers.indexOf(name);
  return index < 0 ? undefined : headers[index + 1];
}
