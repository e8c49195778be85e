/**
 * Checks preconditions (RFC 9110, 13.1) of unsafe requests to resources with computed entity tags.
 *
 * The gateway first calls the GET operation of the same path and compares. Another write can land
 * between the check and the request. A worker that needs atomicity must check `If-Match` itself, as
 * a header parameter.
 */
import type { IncomingMessage } from 'node:http';
import type { Caller, OutgoingRequest, ReplyMessage } from '../../core/messages/message.ts';
import type { TraceContext } from '../../core/observability/tracing.ts';
import type { BoundRequest } from '../binding/binder.ts';
import type { ParameterSource } from '../binding/parameters.ts';
import { httpProblem, type Problem, problemOfReply } from '../common/problem.ts';
import { clientOf } from '../context/access-log.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { evaluate, type Validator } from '../response/conditional.ts';
import { etagOf } from '../response/entity-tag.ts';
import { preconditionFailed } from '../response/reply.ts';
import { readExtras } from '../response/reply-headers.ts';
import type { Route } from '../routing/route.ts';
import type { PathEntry } from '../routing/route-table.ts';
import type { Admission } from '../security/guard.ts';

/** An exchange whose request may have preconditions. */
export interface ConditionalExchange extends ParameterSource {
  readonly gateway: GatewayContext;
  readonly entry: PathEntry;
  readonly route: Route;
  readonly requestId: string;
  readonly trace: TraceContext | undefined;
  readonly req: IncomingMessage;
  /** How long a count of a rate limit may take, in ms. */
  readonly maxWait: number;
  /**
   * Sends the event of the GET operation. The request is cancelled if the client disconnects, and
   * the promise is then never settled.
   */
  requestCurrent(route: Route, outgoing: OutgoingRequest): Promise<ReplyMessage | Problem>;
}

/** Called with the problem, if a precondition fails, and the time left for the request, in ms. */
type Done = (problem: Problem | undefined, timeLeft: number) => void;

/**
 * Checks the preconditions of a request if its path has a GET operation that computes entity tags.
 *
 * The GET runs with the permissions, the rate limits and the caller of the client. Otherwise the
 * result would reveal the state of a resource that the client may not read.
 * @param timeout time for both requests together, in ms.
 */
export async function checkPreconditions(
  exchange: ConditionalExchange,
  timeout: number,
  done: Done,
): Promise<void> {
  const { entry, requestId, trace } = exchange;
  const getRoute = entry.routes.get('GET');
  if (getRoute === undefined || !getRoute.operation.etag) {
    done(undefined, timeout);
    return;
  }
  const started = performance.now();
  const timeLeft = (): number => Math.max(1, Math.ceil(timeout - (performance.now() - started)));
  const admission = await admitToGet(exchange, getRoute);
  if ('problem' in admission) {
    done(withConditionNote(admission.problem), timeLeft());
    return;
  }
  const bound = bindGet(exchange, getRoute);
  if (bound === undefined) {
    done(workerChecksConditions(exchange.route) ? undefined : getNotBindable(), timeLeft());
    return;
  }
  const { eventName } = getRoute.operation;
  const { body, key } = bound;
  const { caller } = admission;
  const isEmpty = trace === undefined && caller === undefined && key === undefined;
  const reply = await exchange.requestCurrent(getRoute, {
    eventName,
    body,
    timeout: timeLeft(),
    idempotent: true,
    requestId,
    extras: isEmpty ? undefined : { ...trace, caller, key },
  });
  done(problemOfCurrent(exchange, getRoute, reply), timeLeft());
}

/** The problem of a request whose preconditions the current representation does not meet. */
function problemOfCurrent(
  { headers }: ConditionalExchange,
  getRoute: Route,
  reply: ReplyMessage | Problem,
): Problem | undefined {
  if ('title' in reply) return reply;
  if (reply.code !== '' && reply.status !== 404) {
    return problemOfReply(reply, (pointer) => getRoute.httpPointer(pointer));
  }
  const current = reply.code === '' && reply.status === 200 ? validatorOf(reply) : undefined;
  return evaluate(headers, current, false) === 'failed' ? preconditionFailed() : undefined;
}

/** Admits the client to the GET operation, by its guard and its rate limits. */
async function admitToGet(
  { gateway, req, query, route, maxWait }: ConditionalExchange,
  { guard, operation: { eventName } }: Route,
): Promise<Admission> {
  const client = clientOf(req);
  const changeEvent = route.operation.eventName;
  const limit = async (phase: 'before' | 'after', caller: Caller | undefined): Promise<Problem | undefined> =>
    (await gateway.rateLimits?.count({ client, caller, eventName }, phase, maxWait, changeEvent))?.problem;
  const before = await limit('before', undefined);
  if (before !== undefined) return { problem: before };
  const admission = (await guard?.admit({ headers: req.headers, query, req })) ?? { caller: undefined };
  if ('problem' in admission) return admission;
  const after = await limit('after', admission.caller);
  return after === undefined ? admission : { problem: after };
}

/**
 * Binds the request to event data of the GET operation. The query identifies the resource (RFC
 * 9110, 4.2.2), so it is kept if the GET operation accepts it. The gateway evaluates the conditions
 * itself, so the worker does not receive them.
 */
function bindGet(exchange: ConditionalExchange, getRoute: Route): BoundRequest | undefined {
  const { query } = exchange;
  const headers = Object.fromEntries(
    Object.entries(exchange.headers).filter(([name]) => !CONDITIONS.has(name)),
  );
  for (const candidate of query === '' ? [''] : [query, '']) {
    const bound = getRoute.binder.bind(
      { segments: exchange.segments, query: candidate, headers },
      '',
      undefined,
    );
    if (!Array.isArray(bound)) return bound;
  }
  return undefined;
}

const CONDITIONS: ReadonlySet<string> = new Set([
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
]);

/** Whether the worker of the operation receives the conditions as header parameters. */
function workerChecksConditions({ operation }: Route): boolean {
  return operation.parameters.some(
    (binding) => binding.in === 'header' && CONDITIONS.has(binding.name.toLowerCase()),
  );
}

function withConditionNote(problem: Problem): Problem {
  return {
    ...problem,
    detail: `${problem.detail} The gateway checks preconditions with the GET operation of the path.`,
  };
}

function getNotBindable(): Problem {
  const detail =
    'Cannot check the preconditions: the GET operation of the path does not accept the parameters of this request.';
  return httpProblem('PRECONDITION_FAILED', detail);
}

function validatorOf(reply: ReplyMessage): Validator {
  const headers = readExtras(reply, '')?.headers;
  const single = (name: string): string | undefined => {
    const value = headers?.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  return { etag: single('etag') ?? etagOf(reply.body), lastModified: single('last-modified') };
}
