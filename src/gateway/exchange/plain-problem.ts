/** Responds with the problem of a request that has no operation: an unknown path or method. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ReplyMessage } from '../../core/messages/message.ts';
import type { HookLists } from '../common/hooks.ts';
import type { Problem } from '../common/problem.ts';
import { publishOnClose } from '../context/access-log.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { isSendable, ProblemOfHooks, problemOfError } from '../hooks/problem.ts';
import { replyOfAnswer } from '../hooks/reply.ts';
import { RequestOfHooks } from '../hooks/request.ts';
import { logFailure, runHooks } from '../hooks/run.ts';
import { sendPlainProblem, sendPlainReply } from '../response/reply.ts';

/** A request without an operation. */
export interface PlainRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  /** Declared path; empty for unknown paths. */
  readonly route: string;
}

/** Responds with a problem, after hooks have seen it. */
export function respondWithProblem(gateway: GatewayContext, request: PlainRequest, problem: Problem): void {
  const { req, res, requestId, route } = request;
  const { hooks } = gateway;
  const published = { requestId, route, code: problem.code, detail: problem.detail };
  publishOnClose(gateway, req, res, published);
  if (hooks === undefined || hooks.onProblem.length === 0) {
    sendPlainProblem(gateway, req, res, requestId, problem);
    return;
  }
  void shown(gateway, hooks, request, problem).then((result) => {
    if (Array.isArray(result)) {
      Object.assign(published, { code: '', detail: '' });
      sendPlainReply(gateway, req, res, requestId, result[0]);
    } else {
      Object.assign(published, { code: result.code, detail: result.detail });
      sendPlainProblem(gateway, req, res, requestId, result);
    }
  });
}

/** The problem as `onProblem` has changed it, or the answer of that hook in a list. */
async function shown(
  gateway: GatewayContext,
  { onProblem }: HookLists,
  { req, res, requestId }: PlainRequest,
  problem: Problem,
): Promise<Problem | [ReplyMessage]> {
  const view = new RequestOfHooks({ requestId, req, res, operation: undefined, log: gateway.logger });
  const seen = new ProblemOfHooks(problem);
  try {
    const answer = await runHooks('onProblem', onProblem, [seen, view], gateway.settings.timeout);
    return answer === undefined ? seen.changed : [replyOfAnswer(answer)];
  } catch (error) {
    logFailure(gateway, { requestId, hook: 'onProblem' }, error);
    return isSendable(error) ? problemOfError(error, false) : problem;
  }
}
