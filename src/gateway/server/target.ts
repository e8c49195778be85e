/** Checks the host and the target of a request, which Node leaves to the server (RFC 9112, 3.2). */
import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

/**
 * `uri-host [ ":" port ]`. Commas are valid in names but rejected: they come from proxies that join
 * two Host headers.
 */
const HOST = /^(?:\[([^\]]*)\]|(?:[\w.~!$&'()*+;=-]|%[\da-f]{2})*)(?::\d{0,5})?$/i;
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;

/** The last valid host. Most requests name the same one. */
let lastValidHost = '';

function isHost(host: string): boolean {
  if (host === lastValidHost) return true;
  const match = HOST.exec(host);
  if (match === null || (match[1] !== undefined && !isIPv6(match[1]))) return false;
  lastValidHost = host;
  return true;
}

/**
 * Checks the host of a request. The authority of an absolute target replaces the Host header.
 * @returns what is wrong with the host; undefined if it is valid.
 */
export function hostError(req: IncomingMessage): string | undefined {
  const hosts = countHosts(req.rawHeaders);
  if (hosts > 1 || (hosts === 0 && req.httpVersionMinor > 0)) {
    return `A request must have exactly one Host header; this one has ${hosts}.`;
  }
  const { host } = req.headers;
  if (host !== undefined && !isHost(host)) return `The Host header ${quoted(host)} is not a valid host.`;
  const { url = '/' } = req;
  return url.startsWith('/') || url === '*' ? undefined : applyAbsoluteTarget(req, url);
}

/** Converts an absolute target, as clients send it to proxies, to origin form (RFC 9112, 3.2.2). */
function applyAbsoluteTarget(req: IncomingMessage, url: string): string | undefined {
  const [, authority, rest = ''] = ABSOLUTE.exec(url) ?? [];
  if (authority === undefined) return undefined;
  if (authority === '' || !isHost(authority)) {
    return `The request target names ${quoted(authority)}, which is not a valid host.`;
  }
  req.headers.host = authority;
  req.url = rest.startsWith('/') ? rest : `/${rest}`;
  return undefined;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}
