/** Where the calls of a server's handlers go: to its own handlers, or to routers through a client. */
import { type CallSource, readExtras } from '../core/messages/calls.ts';
import { toError } from '../core/messages/errors.ts';
import {
  type Cancellable,
  failure,
  type InFlight,
  type Requester,
  type RequestMessage,
  type Settle,
  type StreamPort,
} from '../core/messages/message.ts';
import { progressMessage } from '../core/messages/progress.ts';
import { WITHOUT_STREAM } from '../core/messages/stream.ts';
import { streamOf } from './execution.ts';
import type { ServiceHost } from './service-node.ts';

/** Runs calls in the executor of the server itself. */
export class OwnEvents implements CallSource {
  constructor(private readonly host: Pick<ServiceHost, 'execute'>) {}

  call(message: RequestMessage, _depth: number, settle: Settle): Cancellable {
    const execution = this.host.execute(message, settle, this);
    return { cancel: () => execution.cancel('cancelled') };
  }

  stream(message: RequestMessage, _depth: number, settle: Settle, port: StreamPort): InFlight {
    const execution = this.host.execute(
      message,
      (reply) => {
        if (!reply.more) settle(reply);
        else port.onChunk(reply);
      },
      this,
      streamOf(message, (bytes) => port.onWindow(bytes)),
    );
    // Later, because a handler that is called back while it sends would send out of order.
    return {
      cancel: () => execution.cancel('cancelled'),
      grant: (bytes) => queueMicrotask(() => execution.window(bytes)),
      sendChunk: (body, end) => queueMicrotask(() => execution.chunk(body, end)),
    };
  }
}

/** Sends calls through a client, or to a router of this process. */
export class RequesterCalls implements CallSource {
  constructor(private readonly requester: Requester) {}

  call(message: RequestMessage, _depth: number, settle: Settle): Cancellable {
    return this.send(message, settle, undefined);
  }

  stream(message: RequestMessage, _depth: number, settle: Settle, port: StreamPort): InFlight {
    return this.send(message, settle, port);
  }

  private send(message: RequestMessage, settle: Settle, stream: StreamPort | undefined): InFlight {
    const { eventName, body, timeLeft: timeout, idempotent, requestId } = message;
    const extras = readExtras(message.extras);
    const request = { eventName, body, timeout, idempotent, requestId, extras };
    const onProgress = (json: Buffer): void => settle(progressMessage(json));
    const options = { ...(stream && { stream }), ...(message.progress === true && { onProgress }) };
    try {
      return this.requester.request({ ...request, ...options }, settle);
    } catch (error) {
      settle(failure('NO_ROUTER', `the call cannot be sent: ${toError(error).message}`));
      return { cancel: () => undefined, ...WITHOUT_STREAM };
    }
  }
}
