/** Replies of handlers with a status or headers. */
import { ZeroMQConfigError } from '../core/messages/errors.ts';

const MARK = Symbol.for('zeromq-gateway.reply');

/**
 * A reply with a status and headers; created by {@link reply}.
 *
 * @typeParam Status HTTP status.
 * @typeParam Data type of the data.
 */
export class Reply<Status extends number = number, Data = unknown> {
  readonly [MARK] = true;

  constructor(
    /** HTTP status. */
    readonly status: Status,
    /** Data of the reply; undefined for no body. */
    readonly data: Data,
    /** HTTP response headers, if it has any. */
    readonly headers: Readonly<Record<string, string>> | undefined,
  ) {}
}

/** Whether a handler returned a `Reply`, created by this or another copy of the package. */
export function isReply(value: unknown): value is Reply {
  return value instanceof Reply || (typeof value === 'object' && value !== null && MARK in value);
}

/**
 * Creates a reply with a status, data and headers, for handlers to return.
 *
 * The compiler compares status and data with `replies` of the contract, if it defines them.
 *
 * @param status HTTP status, 200 to 599. Report errors with `throw new ReplyError(…)` instead.
 * @param data any JSON value; undefined for no body (status 204). A Buffer with a `content-type`
 * header is sent unchanged.
 * @param headers HTTP response headers.
 * @returns the reply for the handler to return.
 * @throws {ZeroMQConfigError} when `status` is not an integer from 200 to 599.
 * @example
 * ```ts
 * const handlers = {
 *   'tasks.create': ({ title }: { title: string }) =>
 *     reply(201, { id: 7, title }, { location: '/tasks/7' }),
 * };
 * ```
 */
export function reply<const Status extends number, const Data = undefined>(
  status: Status,
  data?: Data,
  headers?: Readonly<Record<string, string>>,
): Reply<KnownStatus<Status>, Data> {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new ZeroMQConfigError(`reply: status must be 200 to 599, got ${String(status)}`);
  }
  return new Reply(status, data as Data, headers);
}

/** The type of a status that is computed fits each reply of a contract. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- unknown fits none
type KnownStatus<Status extends number> = number extends Status ? any : Status;

/**
 * Returns the result of a handler as a reply with status, data and headers, for middlewares that
 * change it.
 *
 * @param result what `next()` resolved with.
 * @returns the result itself if it is a reply, otherwise a reply with status 200 and the result as
 *   its data.
 * @example
 * ```ts
 * const stamp: Middleware = async (_data, _context, next) => {
 *   const { status, data, headers } = replyOf(await next());
 *   return reply(status, data, { ...headers, 'x-served-by': 'worker-7' });
 * };
 * ```
 */
export function replyOf(result: unknown): Reply {
  return isReply(result) ? result : new Reply(200, result, undefined);
}
