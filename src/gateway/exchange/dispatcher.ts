/** Every request comes here first: to the operation, the page or the error that its path and method lead to. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { toError } from '../../core/messages/errors.ts';
import { httpProblem, invalidRequest, type Problem } from '../common/problem.ts';
import { publishOnClose } from '../context/access-log.ts';
import { type GatewayContext, isStarting, startHeaders } from '../context/gateway-context.ts';
import { sendPlainProblem } from '../response/reply.ts';
import { write } from '../response/writer.ts';
import type { Route } from '../routing/route.ts';
import { BAD_PATH, type Match, type PathEntry, type RouteTable } from '../routing/route-table.ts';
import { Exchange } from './exchange.ts';

/** What a middleware calls when it leaves the request to others. */
export type Next = (error?: unknown) => void;

export class Dispatcher {
  private readonly idHeader: string;

  constructor(
    private readonly gateway: GatewayContext,
    /** The routes as they are now; replaced as a whole. */
    public table: RouteTable,
  ) {
    this.idHeader = gateway.settings.requestIdHeader.toLowerCase();
  }

  /** @param next takes paths that are not known; undefined: they are answered 404. */
  handle(req: IncomingMessage, res: ServerResponse, next: Next | undefined): void {
    if (res.socket === null && this.gateway.pipelines.defer(req, res, () => this.handle(req, res, next)))
      return;
    const { url = '/' } = req;
    const isServerWide = url === '*' && req.method === 'OPTIONS';
    const match = isServerWide ? undefined : this.table.find(url);
    if (match === undefined && !isServerWide && next !== undefined) {
      next();
      return;
    }
    try {
      const requestId = this.gateway.ids.next(req.headers[this.idHeader]);
      if (isServerWide) this.respondToOptions(req, res, requestId, this.table.allow, '');
      else if (match === undefined || url.includes('#'))
        this.reject(req, res, requestId, this.unknownPath(url));
      else if (match === BAD_PATH) this.reject(req, res, requestId, badPath());
      else this.dispatch(req, res, match, requestId);
    } catch (error) {
      // On a bare server nothing behind this would catch it.
      this.finish(req, res, error);
    }
  }

  /** What is left when nobody wanted the request, or a middleware of the app failed. */
  finish(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    const requestId = this.gateway.ids.next(req.headers[this.idHeader]);
    if (error === undefined || error === null) {
      this.reject(req, res, requestId, this.unknownPath(req.url ?? '/'));
      return;
    }
    this.gateway.logger.error({ err: toError(error), requestId }, 'a request failed outside its operation');
    const problem = httpProblem(
      'INTERNAL_ERROR',
      'The gateway could not handle the request; its log says why.',
    );
    this.reject(req, res, requestId, problem);
  }

  private dispatch(req: IncomingMessage, res: ServerResponse, match: Match, requestId: string): void {
    const { method = 'GET' } = req;
    const target = match.others.length === 0 ? match.target : selectByParameters(match, method, req);
    const { baseUrl = '' } = req as { baseUrl?: string };
    if (target.kind === 'path') {
      const route = routeFor(target, method);
      if (route !== undefined && !this.isPreflight(req)) {
        new Exchange(this.gateway, req, res, requestId, baseUrl, target, route, match).start();
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

  /** The answer where there is nothing at a path, or nothing yet. */
  private unknownPath(url: string): Problem {
    const pathname = url.replace(/[?#].*$/s, '').slice(0, 200);
    if (url.includes('#') || !isStarting(this.gateway)) return notFound(url, pathname);
    return starting(pathname);
  }

  private unknownMethod(method: string, allow: string): Problem {
    return isStarting(this.gateway) ? starting(method) : notAllowed(method, allow);
  }

  private isPreflight(req: IncomingMessage): boolean {
    return req.method === 'OPTIONS' && this.gateway.cors?.isPreflight(req.headers) === true;
  }

  /** @param route path as it is declared; empty for the server as a whole. */
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

  /** @param route path as it is declared; empty where there is nothing at the path. */
  private reject(
    req: IncomingMessage,
    res: ServerResponse,
    requestId: string,
    problem: Problem,
    route = '',
  ): void {
    publishOnClose(this.gateway, req, res, { requestId, route, code: problem.code });
    sendPlainProblem(this.gateway, req, res, requestId, problem);
  }
}

/** Of several paths that match alike, the first one whose parameters accept the values; the first one if none does. */
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

/** Of a target that leads nowhere. One with a fragment never does: those stay with the client (RFC 9112, 3.2). */
function notFound(url: string, pathname: string): Problem {
  if (url.includes('#')) {
    return httpProblem('MALFORMED_HTTP', 'A request target has no fragment; send # as %23 where it is data.');
  }
  return httpProblem('NOT_FOUND', `There is nothing at ${pathname}.`);
}

/** @param unknown path or method that a contract may still bring. */
function starting(unknown: string): Problem {
  const detail = `The gateway does not know ${unknown} yet: it waits for the contracts of its routers.`;
  return { ...httpProblem('STARTING', detail), dispatched: false };
}

function notAllowed(method: string, allow: string): Problem {
  return httpProblem('METHOD_NOT_ALLOWED', `The path does not have ${method}; it has ${allow}.`, [
    'Allow',
    allow,
  ]);
}

function badPath(): Problem {
  return invalidRequest([{ pointer: '/path', detail: 'has broken percent-encoding' }]);
}
