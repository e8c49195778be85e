/**
 * Who may do what at the admin listener.
 *
 * Health and metrics are for everybody who reaches it. The rest is for this machine, or for whoever has the token: on an
 * address that others reach there is no rest without a token. Browsers are kept from acting for other sites: names
 * that other sites could point at us are refused on loopback, and what changes something must be JSON, which
 * a browser sends across sites only after asking, and we never say yes.
 */
import { timingSafeEqual } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { isLoopback } from '../../core/identity/loopback.ts';
import { hashOfToken } from './token.ts';

/** Why a request is refused. */
interface Rejection {
  readonly status: 401 | 403 | 415;
  readonly detail: string;
}

export class AdminGuard {
  private readonly local: boolean;
  private readonly token: Buffer | undefined;

  /**
   * @param host where the listener is.
   * @param token what a caller must know; undefined: nothing.
   */
  constructor(host: string, token: string | undefined) {
    this.local = isLoopback(host);
    this.token = token === undefined ? undefined : hashOfToken(token);
  }

  /** For all requests. */
  readonly host = (req: Request, res: Response, next: NextFunction): void => {
    // Browsers always send a host. A client of HTTP/1.0, or one that sends an empty host, is not a browser.
    const name = hostnameOf(req.headers.host ?? '');
    if (!this.local || name === '' || isLoopback(name)) next();
    else reject(res, { status: 403, detail: `This listener is not known as ${name.slice(0, 200)}.` });
  };

  /** For all but health and metrics. */
  readonly caller = (req: Request, res: Response, next: NextFunction): void => {
    const refusal = this.checkToken(req) ?? checkSite(req) ?? checkContentType(req);
    if (refusal === undefined) next();
    else reject(res, refusal);
  };

  private checkToken(req: Request): Rejection | undefined {
    if (this.token === undefined) {
      if (this.local) return undefined;
      const detail = 'Others reach this listener, and it has no token: give it one with --admin-token-file.';
      return { status: 403, detail };
    }
    const [, given] = /^Bearer ([\x21-\x7e]+)$/i.exec(req.headers.authorization ?? '') ?? [];
    if (given !== undefined && timingSafeEqual(hashOfToken(given), this.token)) return undefined;
    const detail =
      given === undefined
        ? 'The token of --admin-token-file is asked for, as Authorization: Bearer TOKEN.'
        : 'That is not the token of --admin-token-file.';
    return { status: 401, detail };
  }
}

/** Name in a Host header: lower case (RFC 3986, 3.2.2), without port, brackets and the dot of the root. */
function hostnameOf(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

/** Pages of other sites neither read nor change anything, and do not hold live views open: an EventSource needs no leave. */
function checkSite({ headers }: Request): Rejection | undefined {
  const { origin, host = '', 'sec-fetch-site': site } = headers;
  // Browsers that do not say the site say the origin of such requests.
  const isOwn =
    site === undefined
      ? origin === undefined || authorityOf(origin) === host.toLowerCase()
      : site === 'same-origin' || site === 'none';
  if (isOwn) return undefined;
  return { status: 403, detail: 'Pages of other sites get nothing here.' };
}

function authorityOf(origin: string): string {
  return origin.toLowerCase().replace(/^https?:\/\//, '');
}

/** What is wrong with a request that would change something. */
function checkContentType(req: Request): Rejection | undefined {
  if (req.method === 'GET' || req.method === 'HEAD') return undefined;
  if (/^application\/json *(?:;|$)/i.test(req.headers['content-type'] ?? '')) return undefined;
  return { status: 415, detail: 'Send application/json.' };
}

function reject(res: Response, { status, detail }: Rejection): void {
  if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer realm="admin"');
  res.status(status).json({ status, detail });
}
