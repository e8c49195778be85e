/** Converts what handlers return and throw to replies. */
import { UnsendableValueError } from '../core/json/json-value.ts';
import type { Logger } from '../core/logging/logging.ts';
import { isReplyError, toError } from '../core/messages/errors.ts';
import { failure, type ReplyMessage } from '../core/messages/message.ts';
import { encodeReplyError, encodeResult, UnsendableReplyError } from './encode.ts';
import type { HandlerExecution } from './execution.ts';
import type { LateHandlers } from './late-handlers.ts';

export class Outcomes {
  /** @param maxBytes maximum size of a reply. */
  constructor(
    private readonly maxBytes: number,
    private readonly logger: Logger,
    private readonly late: LateHandlers,
  ) {}

  /** The reply to a request whose handler returned. */
  ofResult(execution: HandlerExecution, result: unknown): ReplyMessage {
    try {
      return encodeResult(result, this.maxBytes);
    } catch (error) {
      return this.badReply(execution, error);
    }
  }

  /** The reply to a request whose handler or validator threw. */
  ofThrown(execution: HandlerExecution, thrown: unknown): ReplyMessage {
    if (isReplyError(thrown)) {
      try {
        return encodeReplyError(thrown, this.maxBytes);
      } catch (error) {
        return this.badReply(execution, error);
      }
    }
    // A handler that throws because its signal aborted has not failed.
    const givenUp = execution.context?.cancelOutcome;
    if (givenUp !== undefined) {
      this.late.failed(execution, thrown);
      return failure(givenUp, 'the handler was aborted: its reply is no longer needed', { dispatched: true });
    }
    this.report(execution, 'a handler failed', toError(thrown));
    return failure('HANDLER_ERROR', 'the handler of the event failed');
  }

  /** The reply to a request whose stream ended with an error. */
  ofStreamError(execution: HandlerExecution, thrown: unknown): ReplyMessage {
    return isUnsendable(thrown) ? this.badReply(execution, thrown) : this.ofThrown(execution, thrown);
  }

  /** The reply to a request whose result cannot be sent. */
  badReply(execution: HandlerExecution, error: unknown): ReplyMessage {
    // Only messages of the framework leave the node; a getter of the reply may throw anything.
    const known = isUnsendable(error);
    const message = `the reply cannot be sent: ${known ? error.message : 'its members cannot be read'}`;
    this.report(execution, message, known ? undefined : toError(error));
    return failure('BAD_REPLY', message);
  }

  /** Logs a failure. A logger that throws must not prevent the reply. */
  private report(execution: HandlerExecution, text: string, err?: Error): void {
    const { eventName: event, requestId } = execution.message;
    try {
      this.logger.error(err === undefined ? { event, requestId } : { err, event, requestId }, text);
    } catch (error) {
      process.emitWarning(toError(error), { code: 'ZEROMQ_GATEWAY_LOGGER' });
    }
  }
}

function isUnsendable(error: unknown): error is Error {
  return error instanceof UnsendableValueError || error instanceof UnsendableReplyError;
}
