/** What a handler returns when plain JSON with status 200 does not say it all. */
import { ZeroMQConfigError } from '../core/messages/errors.ts';

const MARK = Symbol.for('zeromq-gateway.reply');

/** A reply with a status and headers of its own. Made by `reply()`. */
export class Reply {
  readonly [MARK] = true;

  constructor(
    readonly status: number,
    readonly data: unknown,
    readonly headers: Readonly<Record<string, string>> | undefined,
  ) {}
}

/** Whether a handler's result is a `Reply`, made by this copy of the package or another one. */
export function isReply(value: unknown): value is Reply {
  return value instanceof Reply || (typeof value === 'object' && value !== null && MARK in value);
}

/**
 * A reply with a status, data and headers.
 *
 * @param status HTTP status, 200 to 599; for errors prefer `throw new ReplyError(…)`.
 * @param data any JSON value; undefined for none (a 204). A Buffer with a `content-type` header travels as it is.
 * @param headers HTTP response headers, such as `{ location: '/tasks/1' }`.
 * @throws ZeroMQConfigError when the status is not one.
 */
export function reply(status: number, data?: unknown, headers?: Readonly<Record<string, string>>): Reply {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new ZeroMQConfigError(`reply: status must be 200 to 599, got ${String(status)}`);
  }
  return new Reply(status, data, headers);
}
