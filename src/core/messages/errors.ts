/**
 * The error classes of the framework: the hierarchy of the Python original, each with a code.
 *
 * `code` is a row of the catalogue in `outcome.ts`, a code of the worker's own (from a ReplyError), or one of
 * the local codes below for what never travels: wrong arguments, sockets, files.
 */
import { isOutcomeCode, OUTCOMES, type OutcomeCode, outcomeOf } from './outcome.ts';

export { toError } from './thrown.ts';

/** Options of every error of the framework. */
export interface ZeroMQErrorOptions extends ErrorOptions {
  /** Whether the request had reached a worker when it failed. */
  dispatched?: boolean;
  /** HTTP status, where it is not that of the catalogue. */
  status?: number;
  /** Event data of the error reply, already parsed; what the worker wanted the caller to know. */
  details?: unknown;
}

/** Base of all errors of the framework. */
export class ZeroMQError extends Error {
  /** Stable, upper-case identifier; see docs/errors.md. */
  readonly code: string;
  /** Whether a worker had been given the request; `undefined` where no request was involved. */
  readonly dispatched: boolean | undefined;
  /** HTTP status that the gateway answers for this error. */
  readonly status: number;
  /** Further data that the worker sent along. */
  readonly details: unknown;

  constructor(code: string, message: string, options: ZeroMQErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    const known = isOutcomeCode(code) ? outcomeOf(code) : undefined;
    this.dispatched = options.dispatched ?? known?.dispatched;
    this.status = options.status ?? known?.status ?? 500;
    this.details = options.details;
  }

  /** Whether the request may be sent again without running it twice. */
  get retryable(): boolean {
    return isOutcomeCode(this.code) ? OUTCOMES[this.code].retry === 'safe' : this.dispatched === false;
  }
}

/** A request failed, or the client cannot send it. */
export class ZeroMQClientError extends ZeroMQError {}

/** Nothing that could run the request is there, or has room: no router, no worker, a full queue, a node that stops. */
export class ZeroMQConnectionError extends ZeroMQClientError {}

/** The reply did not come within the time given. */
export class ZeroMQTimeoutError extends ZeroMQClientError {}

/** A socket cannot be used. */
export class ZeroMQSocketError extends ZeroMQError {}

/** The peer of the socket went away. */
export class ZeroMQSocketDisconnected extends ZeroMQSocketError {}

/** The socket was closed, by us. */
export class ZeroMQSocketClosed extends ZeroMQSocketError {}

/** The socket is in no state to be used: bind or connect failed. */
export class ZeroMQSocketInvalid extends ZeroMQSocketError {}

/** Frames that are no message of the protocol. */
export class ZeroMQMalformedMessage extends ZeroMQError {
  constructor(message: string, options: ZeroMQErrorOptions = {}) {
    super('MALFORMED_MESSAGE', message, options);
  }
}

/** An argument, option or configuration value is not acceptable; the message names it, and what is allowed. */
export class ZeroMQConfigError extends ZeroMQError {
  constructor(message: string, options: ZeroMQErrorOptions = {}) {
    super('INVALID_ARGUMENT', message, options);
  }
}

const REPLY_ERROR = Symbol.for('zeromq-gateway.reply-error');

/** Thrown by a handler to answer with an error of its own. */
export class ReplyError extends ZeroMQError {
  readonly [REPLY_ERROR] = true;
  /** Response headers for the HTTP side. */
  readonly headers: Readonly<Record<string, string>> | undefined;

  /**
   * @param status HTTP status, 400 to 599.
   * @param code stable identifier of the error, such as `TASK_NOT_FOUND`.
   * @param message one sentence for the caller.
   * @param options `details`: JSON data for the caller; `headers`: HTTP headers; `cause`: stays at the worker.
   * @throws ZeroMQConfigError when the status is not an error status.
   */
  constructor(
    status: number,
    code: string,
    message: string,
    options: ZeroMQErrorOptions & { headers?: Readonly<Record<string, string>> } = {},
  ) {
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new ZeroMQConfigError(`ReplyError: status must be 400 to 599, got ${String(status)}`);
    }
    super(code, message, { dispatched: true, ...options, status });
    this.headers = options.headers;
  }
}

/** Whether what a handler threw is a `ReplyError`, of this copy of the package or another one. */
export function isReplyError(thrown: unknown): thrown is ReplyError {
  try {
    return thrown instanceof ReplyError || (thrown instanceof Error && REPLY_ERROR in thrown);
  } catch {
    return false; // a proxy whose traps throw
  }
}

/** The class that stands for an outcome at the caller. */
export function errorOfOutcome(code: string, message: string, options: ZeroMQErrorOptions = {}): ZeroMQError {
  const known: OutcomeCode | undefined = isOutcomeCode(code) ? code : undefined;
  switch (known) {
    case 'TIMEOUT':
    case 'EXPIRED':
      return new ZeroMQTimeoutError(code, message, options);
    // The original's clients wait in both cases, and time out or find no connection: retry loops pause for these classes.
    case 'NO_ROUTER':
    case 'NO_WORKER':
    case 'QUEUE_FULL':
    case 'BUSY':
    case 'SHUTTING_DOWN':
    case 'WORKER_LOST':
      return new ZeroMQConnectionError(code, message, options);
    case 'MALFORMED_MESSAGE':
      return new ZeroMQMalformedMessage(message, options);
    case 'INVALID_REQUEST':
    case 'NOT_PERMITTED':
    case 'HANDLER_ERROR':
    case 'BAD_REPLY':
    case 'CANCELLED':
    case 'NO_HANDLER':
    case undefined:
      return new ZeroMQClientError(code, message, options);
  }
}
