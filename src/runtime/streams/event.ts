/** Server-sent events (WHATWG HTML, section 9.2) as handlers yield them. */
import { jsonText } from '../../core/json/json-value.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';

const MARK = Symbol.for('zeromq-gateway.event');

/** The media type of server-sent events. */
export const EVENT_STREAM = 'text/event-stream';

/**
 * Fields of a server-sent event.
 *
 * @typeParam Data type of the data.
 */
export interface EventFields<Data = unknown> {
  /**
   * Data of the event: a string is sent unchanged, any other value as JSON. Clients ignore an event
   * without data, apart from its `id` and `retry`.
   *
   * @defaultValue none
   */
  readonly data?: Data;
  /**
   * Name of the event, for which clients listen.
   *
   * @defaultValue none: clients receive it as `message`
   */
  readonly event?: string;
  /**
   * Id of the event. A client that reconnects sends the last one, which `lastEventId` of
   * {@link HandlerContext} returns.
   *
   * @defaultValue none
   */
  readonly id?: string | number;
  /**
   * How long clients wait before they reconnect, in milliseconds.
   *
   * @defaultValue none
   */
  readonly retry?: number;
  /**
   * Text that clients ignore.
   *
   * @defaultValue none
   */
  readonly comment?: string;
}

/**
 * A server-sent event; created by {@link event}.
 *
 * @typeParam Data type of the data.
 */
export class ServerSentEvent<Data = unknown> {
  readonly [MARK] = true;

  constructor(
    /** Fields of the event. */
    readonly fields: EventFields<Data>,
  ) {}
}

/** Whether a handler yielded an event, created by this or another copy of the package. */
export function isEvent(value: unknown): value is ServerSentEvent {
  return value instanceof ServerSentEvent || (typeof value === 'object' && value !== null && MARK in value);
}

/**
 * Creates a server-sent event, for a handler to yield.
 *
 * @param fields data, name, id, retry time and comment of the event.
 * @returns the event.
 * @throws {ZeroMQConfigError} when a field is not valid; the message names it.
 * @example
 * ```ts
 * const handlers = {
 *   'clock.watch': async function* (_data: unknown, { signal }: HandlerContext) {
 *     for await (const _ of setInterval(1000, undefined, { signal })) {
 *       yield event({ event: 'tick', data: { now: new Date().toISOString() } });
 *     }
 *   },
 * };
 * ```
 */
export function event<const Data = undefined>(fields: EventFields<Data>): ServerSentEvent<Data> {
  const { event: name, id, retry, comment } = fields;
  if (name !== undefined && (typeof name !== 'string' || /[\r\n]/.test(name))) {
    throw new ZeroMQConfigError('event: event must be a string without line breaks');
  }
  if (id !== undefined && !isId(id)) {
    throw new ZeroMQConfigError('event: id must be a string without line breaks and NUL, or a number');
  }
  if (retry !== undefined && !(Number.isSafeInteger(retry) && retry >= 0)) {
    throw new ZeroMQConfigError(`event: retry must be a number of milliseconds, got ${String(retry)}`);
  }
  if (comment !== undefined && typeof comment !== 'string') {
    throw new ZeroMQConfigError(`event: comment must be a string, got ${typeof comment}`);
  }
  return new ServerSentEvent(fields);
}

function isId(id: unknown): boolean {
  if (typeof id === 'number') return Number.isFinite(id);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the parser of clients ignores an id with NUL
  return typeof id === 'string' && !/[\r\n\0]/.test(id);
}

/**
 * Encodes an event.
 *
 * @throws {UnsendableValueError} when JSON cannot represent its data.
 */
export function encodeEvent({ fields }: ServerSentEvent): string {
  const { event: name, id, retry, comment, data } = fields;
  let text = comment === undefined ? '' : lines(': ', comment);
  if (name !== undefined) text += `event: ${name}\n`;
  if (id !== undefined) text += `id: ${id}\n`;
  if (retry !== undefined) text += `retry: ${retry}\n`;
  if (data !== undefined) text += dataLines(data);
  return `${text}\n`;
}

/** Encodes the data of an event without other fields. */
export function encodeEventData(data: unknown): string {
  return `${dataLines(data)}\n`;
}

function dataLines(data: unknown): string {
  return typeof data === 'string' ? lines('data: ', data) : `data: ${jsonText(data)}\n`;
}

/** A line ends at CRLF, LF or CR (section 9.2.5). */
function lines(field: string, text: string): string {
  if (!/[\r\n]/.test(text)) return `${field}${text}\n`;
  return text
    .split(/\r\n|\n|\r/)
    .map((line) => `${field}${line}\n`)
    .join('');
}
