/** Replies of handlers with a status or headers. */
import { ZeroMQConfigError } from '../core/messages/errors.ts';

const MARK = Symbol.for('zeromq-gateway.reply');

/** A reply with a status and headers; created by {@link reply}. */
export class Reply {
  readonly [MARK] = true;

  constructor(
    readonly status: number,
    readonly data: unknown,
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
export function reply(status: number, data?: unknown, headers?: Readonly<Record<string, string>>): Reply {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new ZeroMQConfigError(`reply: status must be 200 to 599, got ${String(status)}`);
  }
  return new Reply(status, data, headers);
}
