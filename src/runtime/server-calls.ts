/** Where the calls of a server's handlers go: to its own handlers, or to routers through a client. */
import { type CallSource, readExtras } from '../core/messages/calls.ts';
import { toError } from '../core/messages/errors.ts';
import {
  type Cancellable,
  failure,
  type Requester,
  type RequestMessage,
  type Settle,
} from '../core/messages/message.ts';
import type { ServiceHost } from './service-node.ts';

/** Runs calls in the executor of the server itself. */
export class OwnEvents implements CallSource {
  constructor(private readonly host: Pick<ServiceHost, 'execute'>) {}

  call(message: RequestMessage, _depth: number, settle: Settle): Cancellable {
    const execution = this.host.execute(message, settle, this);
    return { cancel: () => execution.cancel('cancelled') };
  }
}

/** Sends calls through a client, or to a router of this process. */
export class RequesterCalls implements CallSource {
  constructor(private readonly requester: Requester) {}

  call(message: RequestMessage, _depth: number, settle: Settle): Cancellable {
    const { eventName, body, timeLeft: timeout, idempotent, requestId } = message;
    const extras = readExtras(message.extras);
    try {
      return this.requester.request({ eventName, body, timeout, idempotent, requestId, extras }, settle);
    } catch (error) {
      settle(failure('NO_ROUTER', `the call cannot be sent: ${toError(error).message}`));
      return { cancel: () => undefined };
    }
  }
}
