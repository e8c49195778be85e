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
import { isLoopback } from '../../core/loopback.ts';
import { hashOfToken } from './token.ts';

/** Why a request is refused. */
interface Refusal {
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
    const { hostname } = req;
    if (!this.local || isLoopback(hostname.replace(/^\[|\]$/g, ''))) next();
    else refuse(res, { status: 403, detail: `This listener is not known as ${hostname}.` });
  };

  /** For all but health and metrics. */
  readonly caller = (req: Request, res: Response, next: NextFunction): void => {
    const refusal = this.callerRefusal(req) ?? changeRefusal(req);
    if (refusal === undefined) next();
    else refuse(res, refusal);
  };

  private callerRefusal(req: Request): Refusal | undefined {
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

/** What is wrong with a request that would change something. */
function changeRefusal(req: Request): Refusal | undefined {
  if (req.method === 'GET' || req.method === 'HEAD') return undefined;
  const site = req.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return { status: 403, detail: 'Pages of other sites change nothing here.' };
  }
  if (/^application\/json *(?:;|$)/i.test(req.headers['content-type'] ?? '')) return undefined;
  return { status: 415, detail: 'Send application/json.' };
}

function refuse(res: Response, { status, detail }: Refusal): void {
  if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer realm="admin"');
  res.status(status).json({ status, detail });
}
