/** `fetch` through an HTTP server that listens on no port. */
import { request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { memoryConnection } from './memory-connection.ts';

/** The base of relative URLs. */
export const BASE_URL = 'http://localhost';

/** Statuses whose response has no body (RFC 9110, 15.3.5, 15.3.6 and 15.4.5). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Sends a request to a server over a connection in memory.
 *
 * @param server the server, which need not listen.
 * @param input path such as `/tasks/7`, URL or request. Its host does not matter.
 * @param init as for the global `fetch`.
 * @returns the response. Redirects are not followed, and content codings are not decoded.
 */
export async function memoryFetch(
  server: Server,
  input: string | URL | Request,
  init?: RequestInit,
): Promise<Response> {
  const request = new Request(typeof input === 'string' ? new URL(input, BASE_URL) : input, init);
  const { signal } = request;
  signal.throwIfAborted();
  const [client, socket] = memoryConnection();
  try {
    server.emit('connection', socket);
    return toResponse(await exchange(request, client as Socket), request.method);
  } catch (cause) {
    client.destroy();
    signal.throwIfAborted();
    throw new TypeError('fetch failed', { cause });
  }
}

async function exchange(request: Request, client: Socket): Promise<IncomingMessage> {
  const { pathname, search, host } = new URL(request.url);
  const body = await bodyOf(request);
  const headers = Object.fromEntries([['host', host], ...request.headers]) as Record<string, string>;
  if (body !== undefined) headers['content-length'] ??= String(body.length);
  const outgoing = httpRequest({
    createConnection: () => client,
    path: pathname + search,
    method: request.method,
    headers,
    signal: request.signal,
  });
  return new Promise((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Returns the body, or undefined if the request has none. */
async function bodyOf(request: Request): Promise<Buffer | undefined> {
  if (request.body !== null) return Buffer.from(await request.arrayBuffer());
  // A request of these methods without content has a length nevertheless (RFC 9110, 8.6).
  return ['POST', 'PUT'].includes(request.method) ? Buffer.alloc(0) : undefined;
}

function toResponse(incoming: IncomingMessage, method: string): Response {
  const { statusCode: status = 0, statusMessage: statusText, rawHeaders } = incoming;
  const headers = new Headers();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '');
  }
  const isEmpty = method === 'HEAD' || WITHOUT_BODY.has(status);
  if (isEmpty) incoming.resume();
  const body = isEmpty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
  return new Response(body, { status, statusText, headers });
}
