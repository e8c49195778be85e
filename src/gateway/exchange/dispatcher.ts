/**
 * The life of a request: the dispatcher, the exchange of one operation request with its worker, and
 * the checks of preconditions.
 *
 * Each request enters here, and continues with the operation, page or error that its path and
 * method select.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { toError } from '../../core/messages/errors.ts';
import type { HookLists } from '../common/hooks.ts';
import { httpProblem, invalidRequest, type Problem } from '../common/problem.ts';
import { pathnameOf } from '../common/request-target.ts';
import { publishOnClose } from '../context/access-log.ts';
import { type GatewayContext, isStarting, startHeaders } from '../context/gateway-context.ts';
import type { UndocumentedRequests } from '../requests/undocumented.ts';
import { write } from '../response/writer.ts';
import type { Route, RouteKind } from '../routing/route.ts';
import { BAD_PATH, type Match, type PathEntry, type RouteTable } from '../routing/route-table.ts';
import { AsyncExchange } from './async-exchange.ts';
import { Exchange } from './exchange.ts';
import { HookedExchange } from './hooked-exchange.ts';
import { KeyedExchange } from './keyed-exchange.ts';
import { respondWithProblem } from './plain-problem.ts';
import { RequestEventsExchange, RequestExchange } from './request-exchange.ts';
import { StreamExchange } from './stream-exchange.ts';
import { UploadExchange } from './upload-exchange.ts';

/** The function that a middleware calls to pass the request on. */
export type Next = (error?: unknown) => void;

export class Dispatcher {
  /** Stored requests that the document does not have; undefined without a store. */
  undocumented: UndocumentedRequests | undefined;
  private readonly idHeader: string;

  constructor(
    private readonly gateway: GatewayContext,
    /** The current routes. A changed document replaces the whole table. */
    public table: RouteTable,
  ) {
    this.idHeader = gateway.settings.requestIdHeader.toLowerCase();
  }

  /**
   * Handles a request.
   * @param next called for unknown paths. Without it, the gateway responds with 404.
   */
  handle(req: IncomingMessage, res: ServerResponse, next: Next | undefined): void {
    if (res.socket === null && this.gateway.pipelines.defer(req, res, () => this.handle(req, res, next)))
      return;
    const { url = '/' } = req;
    const isServerWide = url === '*' && req.method === 'OPTIONS';
    const match = isServerWide ? undefined : this.table.find(url);
    if (match === undefined && !isServerWide) {
      const search = this.undocumented?.find(url);
      if (search !== undefined) {
        void search.then((found) => this.answerStored(req, res, found, next));
        return;
      }
      if (next !== undefined) {
        next();
        return;
      }
    }
    try {
      const requestId = this.gateway.ids.next(req.headers[this.idHeader]);
      if (isServerWide) this.respondToOptions(req, res, requestId, this.table.allow, '');
      else if (match === undefined || url.includes('#'))
        this.reject(req, res, requestId, this.unknownPath(url));
      else if (match === BAD_PATH) this.reject(req, res, requestId, badPath());
      else this.dispatch(req, res, match, requestId);
    } catch (error) {
      // On a plain HTTP server, an exception that leaves this function would end the process.
      this.finish(req, res, error);
    }
  }

  /** @param found the route of a stored request, or why there is none. */
  private answerStored(
    req: IncomingMessage,
    res: ServerResponse,
    found: Match | Problem | undefined,
    next: Next | undefined,
  ): void {
    if (found === undefined && next !== undefined) {
      next();
      return;
    }
    try {
      const requestId = this.gateway.ids.next(req.headers[this.idHeader]);
      if (found === undefined) this.reject(req, res, requestId, this.unknownPath(req.url ?? '/'));
      else if ('target' in found) this.dispatch(req, res, found, requestId);
      else this.reject(req, res, requestId, found);
    } catch (error) {
      this.finish(req, res, error);
    }
  }

  /** Responds to a request that no handler of the app took, or for which a middleware failed. */
  finish(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    const requestId = this.gateway.ids.next(req.headers[this.idHeader]);
    if (error === undefined || error === null) {
      const start = this.startPage(req);
      if (start !== undefined) {
        this.redirect(req, res, requestId, start);
        return;
      }
      this.reject(req, res, requestId, this.unknownPath(req.url ?? '/'));
      return;
    }
    this.gateway.logger.error(
      { err: toError(error), requestId },
      'a request failed outside of its operation',
    );
    const problem = httpProblem(
      'INTERNAL_ERROR',
      'The gateway failed to handle the request; its log contains the reason.',
    );
    this.reject(req, res, requestId, problem);
  }

  /**
   * The page that a browser shows first, relative to `/`: Swagger UI. Only the gateway's own server
   * has one, because the root of another app is not that of the gateway.
   */
  private startPage({ method, url = '' }: IncomingMessage): string | undefined {
    const { docs, openapi } = this.gateway.settings.paths;
    if ((method !== 'GET' && method !== 'HEAD') || pathnameOf(url) !== '/') return undefined;
    return docs === false || openapi === false ? undefined : `${docs.slice(1)}/`;
  }

  private redirect(req: IncomingMessage, res: ServerResponse, requestId: string, to: string): void {
    publishOnClose(this.gateway, req, res, { requestId, route: '/', code: '' });
    const headers = startHeaders(this.gateway, this.gateway.baseHeaders, requestId);
    headers.push('Location', to, 'Cache-Control', 'no-cache');
    const response = { status: 302, headers, contentType: 'text/plain', body: Buffer.alloc(0) };
    write(this.gateway, { req, res }, response);
  }

  private dispatch(req: IncomingMessage, res: ServerResponse, match: Match, requestId: string): void {
    const { method = 'GET' } = req;
    const target = match.others.length === 0 ? match.target : selectByParameters(match, method, req);
    const { baseUrl = '' } = req as { baseUrl?: string };
    if (target.kind === 'path') {
      const route = routeFor(target, method);
      if (route !== undefined && !this.isPreflight(req)) {
        const { gateway } = this;
        const { hooks } = gateway;
        const exchange =
          hooks === undefined && route.kind === 'plain'
            ? new Exchange(gateway, req, res, requestId, baseUrl, target, route, match)
            : new CLASSES[route.kind](
                hooks ?? NO_HOOKS,
                gateway,
                req,
                res,
                requestId,
                baseUrl,
                target,
                route,
                match,
              );
        exchange.start();
        return;
      }
    } else if (method === 'GET' || method === 'HEAD') {
      publishOnClose(this.gateway, req, res, { requestId, route: target.path, code: '' });
      target.serve({ req, res, requestId, baseUrl });
      return;
    }
    const { allow, path } = target;
    if (method === 'OPTIONS') this.respondToOptions(req, res, requestId, allow, path);
    else this.reject(req, res, requestId, this.unknownMethod(method, allow), path);
  }

  /** The problem of an unknown path. During startup, a contract may still bring it. */
  private unknownPath(url: string): Problem {
    const pathname = pathnameOf(url).slice(0, 200);
    if (url.includes('#') || !isStarting(this.gateway)) return notFound(url, pathname);
    return starting(pathname);
  }

  private unknownMethod(method: string, allow: string): Problem {
    return isStarting(this.gateway) ? starting(method) : notAllowed(method, allow);
  }

  private isPreflight(req: IncomingMessage): boolean {
    return req.method === 'OPTIONS' && this.gateway.cors?.isPreflight(req.headers) === true;
  }

  /** @param route declared path; empty for `OPTIONS *`. */
  private respondToOptions(
    req: IncomingMessage,
    res: ServerResponse,
    requestId: string,
    allow: string,
    route: string,
  ): void {
    const { gateway } = this;
    publishOnClose(gateway, req, res, { requestId, route, code: '' });
    const headers = startHeaders(gateway, gateway.baseHeaders, requestId);
    headers.push('Allow', allow);
    if (gateway.cors !== undefined) {
      const preflight = gateway.cors.isPreflight(req.headers);
      headers.push(
        ...(preflight ? gateway.cors.preflight(req.headers, allow) : gateway.cors.headersFor(req.headers)),
      );
    }
    write(gateway, { req, res }, { status: 204, headers, contentType: '', body: Buffer.alloc(0) });
  }

  /** @param route declared path; empty for unknown paths. */
  private reject(
    req: IncomingMessage,
    res: ServerResponse,
    requestId: string,
    problem: Problem,
    route = '',
  ): void {
    respondWithProblem(this.gateway, { req, res, requestId, route }, problem);
  }
}

const NO_HOOKS: HookLists = { onRequest: [], onEvent: [], onReply: [], onProblem: [] };

const CLASSES: Readonly<Record<RouteKind, typeof HookedExchange>> = {
  plain: HookedExchange,
  keyed: KeyedExchange,
  async: AsyncExchange,
  stream: StreamExchange,
  upload: UploadExchange,
  request: RequestExchange,
  'request-events': RequestEventsExchange,
};

/**
 * Selects among paths that match equally well: the first whose parameters accept the values, or the
 * first one if none does.
 */
function selectByParameters(match: Match, method: string, { headers }: IncomingMessage): Match['target'] {
  const { target, others, segments, query } = match;
  const fits = (candidate: Match['target']): boolean => {
    const route = candidate.kind === 'path' ? routeFor(candidate, method) : undefined;
    return route?.acceptsPath({ segments, query, headers }) === true;
  };
  return [target, ...others].find(fits) ?? target;
}

function routeFor({ routes }: PathEntry, method: string): Route | undefined {
  return routes.get(method) ?? (method === 'HEAD' ? routes.get('GET') : undefined);
}

/**
 * The problem of an unknown path. A target with a fragment is malformed, since clients do not send
 * fragments (RFC 9112, 3.2).
 */
function notFound(url: string, pathname: string): Problem {
  if (url.includes('#')) {
    return httpProblem(
      'MALFORMED_HTTP',
      'A request target must not have a fragment; encode # as %23 if it is data.',
    );
  }
  return httpProblem('NOT_FOUND', `The API has no path ${pathname}.`);
}

/** @param unknown path or method that a contract may still add. */
function starting(unknown: string): Problem {
  const detail = `The gateway does not know ${unknown} yet: it is waiting for the contracts of its routers.`;
  return { ...httpProblem('STARTING', detail), dispatched: false };
}

function notAllowed(method: string, allow: string): Problem {
  return httpProblem('METHOD_NOT_ALLOWED', `The path does not support ${method}; it supports ${allow}.`, [
    'Allow',
    allow,
  ]);
}

function badPath(): Problem {
  return invalidRequest([{ pointer: '/path', detail: 'has invalid percent-encoding' }]);
}
