/**
 * Access control of the admin listener.
 *
 * Health and metrics need no token. All other paths require the token; without a token, they are
 * available on loopback addresses only.
 *
 * Pages of other sites must not use the listener through the browser of an operator:
 * - On loopback, the Host header must name a loopback address, which prevents DNS rebinding.
 * - Requests from other origins are rejected.
 * - Changes require JSON. A browser sends it to another origin only after a preflight, which the
 *   listener never answers.
 */
import { timingSafeEqual } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { isLoopback } from '../../core/identity/loopback.ts';
import { hashOfToken } from './token.ts';

/** Why a request is rejected. */
interface Rejection {
  readonly status: 401 | 403 | 415;
  readonly detail: string;
}

/** Checks the requests of one admin listener. */
export class AdminGuard {
  private readonly local: boolean;
  private readonly token: Buffer | undefined;

  /**
   * @param host address of the listener.
   * @param token token that callers must send; undefined if there is none.
   */
  constructor(host: string, token: string | undefined) {
    this.local = isLoopback(host);
    this.token = token === undefined ? undefined : hashOfToken(token);
  }

  /** Middleware for all requests. */
  readonly host = (req: Request, res: Response, next: NextFunction): void => {
    // Browsers always send a host. Clients of HTTP/1.0, or with an empty host, are not browsers.
    const name = hostnameOf(req.headers.host ?? '');
    if (!this.local || name === '' || isLoopback(name)) next();
    else
      reject(res, {
        status: 403,
        detail: `The Host header ${name.slice(0, 200)} does not name a loopback address.`,
      });
  };

  /** Middleware for all paths except health and metrics. */
  readonly caller = (req: Request, res: Response, next: NextFunction): void => {
    const rejection = this.checkToken(req) ?? checkSite(req) ?? checkContentType(req);
    if (rejection === undefined) next();
    else reject(res, rejection);
  };

  private checkToken(req: Request): Rejection | undefined {
    if (this.token === undefined) {
      if (this.local) return undefined;
      const detail =
        'The listener is not on a loopback address and has no token: set one with --admin-token-file.';
      return { status: 403, detail };
    }
    const [, given] = /^Bearer ([\x21-\x7e]+)$/i.exec(req.headers.authorization ?? '') ?? [];
    if (given !== undefined && timingSafeEqual(hashOfToken(given), this.token)) return undefined;
    const detail =
      given === undefined
        ? 'Send the token of --admin-token-file as Authorization: Bearer TOKEN.'
        : 'The token differs from that of --admin-token-file.';
    return { status: 401, detail };
  }
}

/** The name in a Host header: lower case (RFC 3986, 3.2.2), without port, brackets and root dot. */
function hostnameOf(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

/** Rejects requests from pages of other sites, which could read data or keep live views open. */
function checkSite({ headers }: Request): Rejection | undefined {
  const { origin, host = '', 'sec-fetch-site': site } = headers;
  // Browsers without `Sec-Fetch-Site` send `Origin` with requests to another site.
  const isOwn =
    site === undefined
      ? origin === undefined || authorityOf(origin) === host.toLowerCase()
      : site === 'same-origin' || site === 'none';
  if (isOwn) return undefined;
  return { status: 403, detail: 'Requests from pages of other sites are not allowed.' };
}

function authorityOf(origin: string): string {
  return origin.toLowerCase().replace(/^https?:\/\//, '');
}

/** Rejects changes with a content type other than JSON. */
function checkContentType(req: Request): Rejection | undefined {
  if (req.method === 'GET' || req.method === 'HEAD') return undefined;
  if (/^application\/json *(?:;|$)/i.test(req.headers['content-type'] ?? '')) return undefined;
  return { status: 415, detail: 'The body must be application/json.' };
}

function reject(res: Response, { status, detail }: Rejection): void {
  if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer realm="admin"');
  res.status(status).json({ status, detail });
}
