/** Replies that are streams. */
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { Reply } from '../reply.ts';
import { isIterable, StreamBody, type StreamSource } from './source.ts';

/**
 * Options of {@link stream}.
 *
 * @typeParam Status HTTP status.
 */
export interface StreamOptions<Status extends number = number> {
  /**
   * HTTP status, 200 to 599.
   *
   * @defaultValue 200
   */
  readonly status?: Status;
  /**
   * HTTP response headers. With `content-length`, the stream must have exactly this many bytes.
   *
   * @defaultValue none
   */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Media type, which decides how items are encoded: `text/event-stream` and `application/x-ndjson`
   * take values, all other types strings and bytes.
   *
   * @defaultValue the media type in the contract; without one, the first item decides: `event()`
   *   means `text/event-stream`, bytes `application/octet-stream`, a string `text/plain`, any other
   *   value `application/x-ndjson`
   */
  readonly contentType?: string;
}

/**
 * Creates a reply that is sent while it is produced, for handlers to return. An async generator
 * function (`async function*`) as a handler does the same without a status and headers.
 *
 * @param source items: events, values, strings or bytes. It is read no faster than the caller
 *   reads, and ended when the caller goes away. Bytes must not change after they were yielded.
 * @param options status, headers and media type.
 * @returns the reply for the handler to return.
 * @throws {ZeroMQConfigError} when `source` is not iterable or `status` is not 200 to 599.
 * @example
 * ```ts
 * const handlers = {
 *   'reports.export': ({ year }: { year: number }) =>
 *     stream(rowsOf(year), { contentType: 'text/csv', headers: { 'x-year': String(year) } }),
 * };
 * ```
 */
export function stream<Item, const Status extends number = 200>(
  source: StreamSource<Item>,
  options: StreamOptions<Status> = {},
): Reply<Status, StreamBody<Item>> {
  const { status = 200 as Status, headers, contentType } = options;
  if (!isIterable(source)) {
    throw new ZeroMQConfigError(`stream: the source must be iterable or a stream, got ${typeof source}`);
  }
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new ZeroMQConfigError(`stream: status must be 200 to 599, got ${String(status)}`);
  }
  const all = contentType === undefined ? headers : { ...headers, 'content-type': contentType };
  return new Reply(status, new StreamBody(source), all);
}
