/** Writing a response: status, headers and body in one go. */
import type { ServerResponse } from 'node:http';
import { codingFor, compress, isCompressible } from './compress.ts';
import type { CompressionSettings } from './settings.ts';

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

/**
 * Writes a response. For HEAD its headers only, among them the length that the body would have.
 * A response that is already begun or gone is left alone.
 */
export function write(res: ServerResponse, method: string | undefined, response: Response): void {
  if (res.headersSent || res.destroyed) return;
  const { status, headers, contentType, body } = response;
  if (status === 204 || status === 304) {
    writeHead(res, status, headers);
    res.end();
    return;
  }
  if (body.length > 0 || method === 'HEAD') headers.push('Content-Type', contentType);
  headers.push('Content-Length', String(body.length));
  writeHead(res, status, headers);
  if (method === 'HEAD') res.end();
  else if (body.length > ONE_WRITE) res.end(body);
  // As Latin-1 text the bytes are joined to the headers, and leave in one system call.
  else res.end(body.toString('latin1'), 'latin1');
}

/** Headers that somebody else set before us stay, as far as we have none of that name. `Vary` is added to. */
function writeHead(res: ServerResponse, status: number, headers: string[]): void {
  if (res.getHeaderNames().length === 0) {
    res.writeHead(status, headers);
    return;
  }
  const ours = new Set<string>(['vary']);
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1] ?? '';
    if (ours.has(name.toLowerCase())) res.appendHeader(name, value);
    else res.setHeader(name, value);
    ours.add(name.toLowerCase());
  }
  res.writeHead(status);
}

/** Writes a response, compressed if the client likes it, and if it is large enough. */
export function writeCompressed(
  res: ServerResponse,
  method: string | undefined,
  acceptEncoding: string | string[] | undefined,
  response: Response,
  settings: CompressionSettings,
): void {
  const { body, contentType, headers } = response;
  if (
    body.length < settings.threshold ||
    !isCompressible(contentType) ||
    hasHeader(headers, 'content-encoding')
  ) {
    write(res, method, response);
    return;
  }
  headers.push('Vary', 'Accept-Encoding');
  const coding = codingFor(acceptEncoding);
  if (coding === undefined) {
    write(res, method, response);
    return;
  }
  compress(body, coding, (compressed) => {
    if (compressed === undefined) {
      write(res, method, response);
      return;
    }
    markEtag(headers, coding);
    headers.push('Content-Encoding', coding);
    write(res, method, { ...response, body: compressed });
  });
}

function hasHeader(headers: readonly string[], name: string): boolean {
  for (let index = 0; index < headers.length; index += 2)
    if (headers[index]?.toLowerCase() === name) return true;
  return false;
}

/** A strong tag names bytes: compressed ones have a tag of their own. */
function markEtag(headers: string[], coding: string): void {
  for (let index = 0; index < headers.length; index += 2) {
    const value = headers[index + 1];
    if (headers[index]?.toLowerCase() !== 'etag' || value === undefined || value.startsWith('W/')) continue;
    headers[index + 1] = value.replace(/"$/, `-${coding}"`);
  }
}
