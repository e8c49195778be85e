/** Every request comes here first: to the operation, the page or the error that its path and method lead to. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { toError } from '../../core/messages/errors.ts';
import { httpProblem, invalidRequest, type Problem } from '../common/problem.ts';
import { watchAnswer } from '../context/access-log.ts';
import { type GatewayContext, isStarting, startHeaders } from '../context/gateway-context.ts';
import { answerBare } from '../response/reply.ts';
import { write } from '../response/writer.ts';
import type { Route } from '../routing/route.ts';
import { BAD_PATH, type Match, type PathEntry, type RouteTable } from '../routing/route-table.ts';
import { Exchange } from './exchange.ts';

/** What a middleware calls when it leaves the request to others. */
export type Next = (error?: unknown) => void;

export class Dispatcher {
  private readonly idHeader: string;

  constructor(
    private readonly core: GatewayContext,
    /** The routes as they are now; replaced as a whole. */
    public table: RouteTable,
  ) {
    this.idHeader = core.settings.requestIdHeader.toLowerCase();
  }

  /** @param next takes paths that are not known; undefined: they are answered 404. */
  handle(req: IncomingMessage, res: ServerResponse, next: Next | undefined): void {
    if (res.socket === null && this.core.pipelines.defer(req, res, () => this.handle(req, res, next))) return;
    const { url = '/' } = req;
    const everything = url === '*' && req.method === 'OPTIONS';
    const match = everything ? undefined : this.table.find(url);
    if (match === undefined && !everything && next !== undefined) {
      next();
      return;
    }
    try {
      const requestId = this.core.ids.next(req.headers[this.idHeader]);
      if (everything) this.options(req, res, requestId, this.table.allow, '');
      else if (match === undefined || url.includes('#')) this.refuse(req, res, requestId, this.unknown(url));
      else if (match === BAD_PATH) this.refuse(req, res, requestId, badPath());
      else this.dispatch(req, res, match, requestId);
    } catch (error) {
      // On a bare server nothing behind this would catch it.
      this.finish(req, res, error);
    }
  }

  /** What is left when nobody wanted the request, or a middleware of the app failed. */
  finish(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    const requestId = this.core.ids.next(req.headers[this.idHeader]);
    if (error === undefined || error === null) {
      this.refuse(req, res, requestId, this.unknown(req.url ?? '/'));
      return;
    }
    this.core.logger.error({ err: toError(error), requestId }, 'a request failed outside its operation');
    const problem = httpProblem(
      'INTERNAL_ERROR',
      'The gateway could not handle the request; its log says why.',
    );
    this.refuse(req, res, requestId, problem);
  }

  private dispatch(req: IncomingMessage, res: ServerResponse, match: Match, requestId: string): void {
    const { method = 'GET' } = req;
    const target = match.others.length === 0 ? match.target : chosen(match, method, req);
    const { baseUrl = '' } = req as { baseUrl?: string };
    if (target.kind === 'path') {
      const route = routeFor(target, method);
      if (route !== undefined && !this.isPreflight(req)) {
        new Exchange(this.core, req, res, requestId, baseUrl, target, route, match).start();
        return;
      }
    } else if (method === 'GET' || method === 'HEAD') {
      watchAnswer(this.core, req, res, { requestId, route: target.path, code: '' });
      target.serve({ req, res, requestId, baseUrl });
      return;
    }
    const { allow, path } = target;
    if (method === 'OPTIONS') this.options(req, res, requestId, allow, path);
    else this.refuse(req, res, requestId, this.unknownMethod(method, allow), path);
  }

  /** The answer where there is nothing at a path, or nothing yet. */
  private unknown(url: string): Problem {
    const pathname = url.replace(/[?#].*$/s, '').slice(0, 200);
    if (url.includes('#') || !isStarting(this.core)) return notFound(url, pathname);
    return starting(pathname);
  }

  private unknownMethod(method: string, allow: string): Problem {
    return isStarting(this.core) ? starting(method) : notAllowed(method, allow);
  }

  private isPreflight(req: IncomingMessage): boolean {
    return req.method === 'OPTIONS' && this.core.cors?.isPreflight(req.headers) === true;
  }

  /** @param route path as it is declared; empty for the server as a whole. */
  private options(
    req: IncomingMessage,
    res: ServerResponse,
    requestId: string,
    allow: string,
    route: string,
  ): void {
    const { core } = this;
    watchAnswer(core, req, res, { requestId, route, code: '' });
    const headers = startHeaders(core, core.baseHeaders, requestId);
    headers.push('Allow', allow);
    if (core.cors !== undefined) {
      const preflight = core.cors.isPreflight(req.headers);
      headers.push(
        ...(preflight ? core.cors.preflight(req.headers, allow) : core.cors.headersFor(req.headers)),
      );
    }
    write(core, { req, res }, { status: 204, headers, contentType: '', body: Buffer.alloc(0) });
  }

  /** @param route path as it is declared; empty where there is nothing at the path. */
  private refuse(
    req: IncomingMessage,
    res: ServerResponse,
    requestId: string,
    problem: Problem,
    route = '',
  ): void {
    watchAnswer(this.core, req, res, { requestId, route, code: problem.code });
    answerBare(this.core, req, res, requestId, problem);
  }
}

/** Of several paths that match alike, the first one whose parameters accept the values; the first one if none does. */
function chosen(match: Match, method: string, { headers }: IncomingMessage): Match['target'] {
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
