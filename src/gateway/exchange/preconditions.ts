/**
 * Preconditions of requests that change something, for operations with computed entity tags: the gateway asks for the
 * resource first, by the GET operation of the same path, and compares. Between that and the change another one may
 * come in; a worker that must exclude it checks `If-Match` itself, as a header parameter.
 */
import type { IncomingMessage } from 'node:http';
import type { Caller, InFlight, ReplyMessage } from '../../core/messages/message.ts';
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

/** A request with conditions. */
export interface ConditionalExchange extends ParameterSource {
  readonly gateway: GatewayContext;
  readonly entry: PathEntry;
  readonly route: Route;
  readonly requestId: string;
  readonly trace: TraceContext | undefined;
  readonly req: IncomingMessage;
  /** Most that the request waits for a count, in ms. */
  readonly maxWait: number;
  /** Keeps the request that is under way, so that it is cancelled when the client goes away. */
  track(call: InFlight): void;
}

/** How it turned out, and the time left for the request itself, in ms. */
type Done = (problem: Problem | undefined, timeLeft: number) => void;

/**
 * Checks the conditions of a request, if its path has a GET operation that computes entity tags. That operation is asked
 * as if the client itself had sent a GET: with its rights, within its rate limits, and for the caller that it is. Else
 * the answer would say something about a resource that the client may not read.
 * @param timeout time for both requests together, in ms.
 */
export async function checkPreconditions(
  exchange: ConditionalExchange,
  timeout: number,
  done: Done,
): Promise<void> {
  const { entry, gateway, requestId, headers, trace } = exchange;
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
  const settle = (reply: ReplyMessage): void => {
    if (reply.code !== '' && reply.status !== 404) {
      done(
        problemOfReply(reply, (pointer) => getRoute.httpPointer(pointer)),
        timeLeft(),
      );
      return;
    }
    const current = reply.code === '' && reply.status === 200 ? validatorOf(reply) : undefined;
    done(evaluate(headers, current, false) === 'failed' ? preconditionFailed() : undefined, timeLeft());
  };
  const { eventName } = getRoute.operation;
  const { body, key } = bound;
  const { caller } = admission;
  const extras = trace === undefined && caller === undefined && key === undefined;
  exchange.track(
    gateway.requester.request(
      {
        eventName,
        body,
        timeout: timeLeft(),
        idempotent: true,
        requestId,
        extras: extras ? undefined : { ...trace, caller, key },
      },
      settle,
    ),
  );
}

/** Whether the client may have what another operation gives, by the rules of that one; and as which caller. */
async function admitToGet(
  { gateway, req, query, route, maxWait: patience }: ConditionalExchange,
  { guard, operation: { eventName } }: Route,
): Promise<Admission> {
  const client = clientOf(req);
  const changeEvent = route.operation.eventName;
  const limit = async (phase: 'before' | 'after', caller: Caller | undefined): Promise<Problem | undefined> =>
    (await gateway.rateLimits?.count({ client, caller, eventName }, phase, patience, changeEvent))?.problem;
  const before = await limit('before', undefined);
  if (before !== undefined) return { problem: before };
  const admission = (await guard?.admit({ headers: req.headers, query, req })) ?? { caller: undefined };
  if ('problem' in admission) return admission;
  const after = await limit('after', admission.caller);
  return after === undefined ? admission : { problem: after };
}

/**
 * Event data of the GET. The query belongs to the resource (RFC 9110, 4.2.2), unless it is one that only the change
 * has. The conditions are judged here, so the worker gets none.
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

/** Whether the worker of the change gets the conditions too. */
function workerChecksConditions({ operation }: Route): boolean {
  return operation.parameters.some(
    (binding) => binding.in === 'header' && CONDITIONS.has(binding.name.toLowerCase()),
  );
}

function withConditionNote(problem: Problem): Problem {
  return {
    ...problem,
    detail: `${problem.detail} The conditions of a request are checked by GET of its path.`,
  };
}

function getNotBindable(): Problem {
  const detail =
    'The conditions cannot be checked: GET of the path does not accept the parameters of this request.';
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
