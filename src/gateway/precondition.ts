/**
 * Preconditions of requests that change something, for operations with computed entity tags: the gateway asks for the
 * resource first, by the GET operation of the same path, and compares. Between that and the change another one may
 * come in; a worker that must exclude it checks `If-Match` itself, as a header parameter.
 */
import type { InFlight, ReplyMessage } from '../core/message.ts';
import type { ParameterSource } from './bind/parameters.ts';
import { evaluate, type Validator } from './conditional.ts';
import type { GatewayCore } from './core.ts';
import { etagOf } from './entity-tag.ts';
import { type Problem, problemOfReply } from './problem.ts';
import { preconditionFailed } from './reply.ts';
import { readExtras } from './reply-headers.ts';
import type { PathEntry } from './routes.ts';

/** A request with conditions. */
export interface Conditional extends ParameterSource {
  readonly core: GatewayCore;
  readonly entry: PathEntry;
  readonly requestId: string;
  /** Keeps the request that is under way, so that it is cancelled when the client goes away. */
  hold(call: InFlight): void;
}

/** How it turned out, and the time left for the request itself, in ms. */
type Done = (problem: Problem | undefined, timeLeft: number) => void;

/**
 * Checks the conditions of a request, if its path has a GET operation that computes entity tags.
 * @param timeout time for both requests together, in ms.
 */
export function checkPreconditions(exchange: Conditional, timeout: number, done: Done): void {
  const { entry, core, requestId, segments, headers } = exchange;
  const reading = entry.routes.get('GET');
  if (reading === undefined || !reading.operation.etag) {
    done(undefined, timeout);
    return;
  }
  const bound = reading.binder.bind({ segments, query: '', headers }, '', undefined);
  if (Array.isArray(bound)) {
    done(undefined, timeout);
    return;
  }
  const started = performance.now();
  const settle = (reply: ReplyMessage): void => {
    const left = Math.max(1, Math.ceil(timeout - (performance.now() - started)));
    if (reply.code !== '' && reply.status !== 404) {
      done(
        problemOfReply(reply, (pointer) => reading.placeOf(pointer)),
        left,
      );
      return;
    }
    const current = reply.code === '' && reply.status === 200 ? validatorOf(reply) : undefined;
    done(evaluate(headers, current, false) === 'failed' ? preconditionFailed() : undefined, left);
  };
  const { eventName } = reading.operation;
  const { body } = bound;
  exchange.hold(core.requester.request({ eventName, body, timeout, idempotent: true, requestId }, settle));
}

function validatorOf(reply: ReplyMessage): Validator {
  const headers = readExtras(reply, '')?.headers;
  const single = (name: string): string | undefined => {
    const value = headers?.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  return { etag: single('etag') ?? etagOf(reply.body), lastModified: single('last-modified') };
}
