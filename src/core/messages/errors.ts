/**
 * The error classes of the framework: the hierarchy of the Python original, with a code for each
 * error.
 *
 * `code` is an outcome code of the catalogue in `outcome.ts`, a worker's own code (from a
 * `ReplyError`), or a local code for failures that never travel: invalid arguments, sockets, files.
 */
import { isOutcomeCode, OUTCOMES, type OutcomeCode, outcomeOf } from './outcome.ts';
import { toError } from './thrown.ts';

export { toError };

/** Options of every error of the framework. */
export interface ZeroMQErrorOptions extends ErrorOptions {
  /**
   * Whether the request was dispatched to a worker.
   *
   * @defaultValue the value in the catalogue for an outcome code, else undefined
   */
  dispatched?: boolean;
  /**
   * HTTP status.
   *
   * @defaultValue the value in the catalogue for an outcome code, else 500
   */
  status?: number;
  /**
   * Parsed event data of the error reply: JSON data from the worker for the caller.
   *
   * @defaultValue undefined
   */
  details?: unknown;
}

/**
 * Base class of all errors of the framework.
 *
 * @example
 * ```ts
 * try {
 *   await client.sendMessage('tasks.get', { id: 7 });
 * } catch (error) {
 *   if (error instanceof ZeroMQError && error.retryable) await retryLater();
 *   else throw error;
 * }
 * ```
 */
export class ZeroMQError extends Error {
  /** Stable upper-case identifier, such as `NO_WORKER`; docs/errors.md lists them. */
  readonly code: string;
  /**
   * Whether the request was dispatched to a worker; `undefined` when there was no request or it is
   * unknown.
   */
  readonly dispatched: boolean | undefined;
  /** HTTP status that the gateway responds with. */
  readonly status: number;
  /** JSON data that the worker sent with the error. */
  readonly details: unknown;

  /**
   * @param code stable upper-case identifier.
   * @param message text for people.
   * @param options `dispatched`, `status`, `details` and `cause`.
   */
  constructor(code: string, message: string, options: ZeroMQErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    const known = isOutcomeCode(code) ? outcomeOf(code) : undefined;
    this.dispatched = options.dispatched ?? known?.dispatched;
    this.status = options.status ?? known?.status ?? 500;
    this.details = options.details;
  }

  /** Whether the request can be sent again without a risk of running twice. */
  get retryable(): boolean {
    if (!isOutcomeCode(this.code)) return this.dispatched === false;
    // A handler may have passed on the outcome of a call that it made: then the request itself ran.
    return OUTCOMES[this.code].retry === 'safe' && this.dispatched !== true;
  }
}

/** A request failed, or the client cannot send it. The other client errors extend it. */
export class ZeroMQClientError extends ZeroMQError {}

/**
 * No node can take the request: no router or worker is available, a queue is full, the limit of
 * requests in flight is reached, or the node is shutting down.
 */
export class ZeroMQConnectionError extends ZeroMQClientError {}

/** The reply did not arrive before the deadline. */
export class ZeroMQTimeoutError extends ZeroMQClientError {}

/** A socket operation failed. The other socket errors extend it. */
export class ZeroMQSocketError extends ZeroMQError {}

/** A request failed because the connection to its router or server was lost. */
export class ZeroMQSocketDisconnected extends ZeroMQSocketError {}

/** The node, or the socket of a request, was closed. */
export class ZeroMQSocketClosed extends ZeroMQSocketError {}

/** The socket is unusable because bind or connect failed. */
export class ZeroMQSocketInvalid extends ZeroMQSocketError {}

/** Received frames are not a valid message of the protocol. Its code is `MALFORMED_MESSAGE`. */
export class ZeroMQMalformedMessage extends ZeroMQError {
  /**
   * @param message text for people.
   * @param options see {@link ZeroMQErrorOptions}.
   */
  constructor(message: string, options: ZeroMQErrorOptions = {}) {
    super('MALFORMED_MESSAGE', message, options);
  }
}

/**
 * An argument, option or configuration value is invalid. Its code is `INVALID_ARGUMENT`; the
 * message has the option, its value and what is allowed.
 */
export class ZeroMQConfigError extends ZeroMQError {
  /**
   * @param message text for people.
   * @param options see {@link ZeroMQErrorOptions}.
   */
  constructor(message: string, options: ZeroMQErrorOptions = {}) {
    super('INVALID_ARGUMENT', message, options);
  }
}

const REPLY_ERROR = Symbol.for('zeromq-gateway.reply-error');

/**
 * Answers a request with an error of the worker when a handler throws it. The caller receives its
 * status, code, message and details; every other error becomes `HANDLER_ERROR` without detail.
 *
 * @example
 * ```ts
 * throw new ReplyError(404, 'TASK_NOT_FOUND', 'no task has the id 7');
 * ```
 */
export class ReplyError extends ZeroMQError {
  readonly [REPLY_ERROR] = true;
  /** HTTP response headers. */
  readonly headers: Readonly<Record<string, string>> | undefined;

  /**
   * @param status HTTP status, 400 to 599.
   * @param code stable upper-case identifier of the error, such as `TASK_NOT_FOUND`.
   * @param message one sentence for the caller.
   * @param options `details`: JSON data for the caller; `headers`: HTTP response headers; `cause`:
   * stays in the worker.
   * @throws {ZeroMQConfigError} when `status` is not an integer from 400 to 599.
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

  /**
   * Converts the error of a call (`context.call`) for the caller of the handler, which otherwise
   * gets `HANDLER_ERROR` without detail. The result has the status, code, message and details of
   * the callee.
   *
   * @param error what the call threw.
   * @returns a `ReplyError` for the outcome of a call; any other error unchanged, so that it
   *   becomes `HANDLER_ERROR`.
   * @example
   * ```ts
   * const handlers: Handlers = {
   *   'orders.place': async ({ item }: { item: string }, { call }) => {
   *     try {
   *       return await call('stock.reserve', { item });
   *     } catch (error) {
   *       throw ReplyError.from(error);
   *     }
   *   },
   * };
   * ```
   */
  static from(error: unknown): Error {
    if (isReplyError(error)) return error;
    if (!isCallOutcome(error)) return toError(error);
    const { status, code, message, details } = error;
    try {
      // Whatever became of the call, the handler itself ran.
      return new ReplyError(status, code, message, { details, cause: error, dispatched: true });
    } catch {
      return error; // A classic worker may send any status.
    }
  }
}

/** Whether an error is the outcome of a request, as opposed to one of this process. */
function isCallOutcome(error: unknown): error is ZeroMQError {
  return (
    error instanceof ZeroMQClientError ||
    error instanceof ZeroMQSocketDisconnected ||
    error instanceof ZeroMQMalformedMessage
  );
}

/** Whether a handler threw a `ReplyError`, including one from another copy of this package. */
export function isReplyError(thrown: unknown): thrown is ReplyError {
  try {
    return thrown instanceof ReplyError || (thrown instanceof Error && REPLY_ERROR in thrown);
  } catch {
    return false; // a proxy whose traps throw
  }
}

/** Creates the error that a client throws for an outcome code or a worker's own code. */
export function errorOfOutcome(code: string, message: string, options: ZeroMQErrorOptions = {}): ZeroMQError {
  const known: OutcomeCode | undefined = isOutcomeCode(code) ? code : undefined;
  switch (known) {
    case 'TIMEOUT':
    case 'EXPIRED':
      return new ZeroMQTimeoutError(code, message, options);
    // Clients of the original wait in these cases, and then time out or find no connection. Their
    // retry loops pause for these classes.
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
    case 'LOOP':
    case 'CALLS_UNSUPPORTED':
    case 'STREAMS_UNSUPPORTED':
    case undefined:
      return new ZeroMQClientError(code, message, options);
  }
}
