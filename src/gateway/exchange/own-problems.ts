/** The problems of requests that fail in the gateway itself. */
import { toError } from '../../core/messages/errors.ts';
import { httpProblem, outcomeProblem, type Problem } from '../common/problem.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import type { Route } from '../routing/route.ts';

/** The problem of a request that the gateway aborts because the shutdown deadline has passed. */
export function abortedProblem(isSent: boolean): Problem {
  return isSent
    ? outcomeProblem('WORKER_LOST', 'The gateway shut down before the reply arrived.')
    : outcomeProblem('SHUTTING_DOWN', 'The gateway shut down before it sent the request to a worker.');
}

/** The problem of an internal error. The log gets the detail, the caller does not. */
export function internalProblem(
  {
    gateway,
    requestId,
    route,
  }: { readonly gateway: GatewayContext; readonly requestId: string; readonly route: Route },
  error: unknown,
  isSent: boolean,
): Problem {
  const { eventName } = route.operation;
  gateway.logger.error(
    { err: toError(error), requestId, event: eventName },
    'a request failed in the gateway',
  );
  const detail = 'The gateway failed to handle the request; its log contains the reason.';
  return { ...httpProblem('INTERNAL_ERROR', detail), dispatched: isSent };
}
