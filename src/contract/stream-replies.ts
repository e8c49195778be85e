/** Replies that are streams: server-sent events, lines of JSON, and bytes. */
import type { OpenAPIV3_1 } from 'openapi-types';
import { atCaller } from '../core/messages/caller-stack.ts';
import { ContractError } from './errors.ts';
import { type Checks, checkMembers, flag, object, oneOf, shown, text } from './member-checks.ts';
import { type ContractSchema, isAsync, isSchema } from './standard-schema.ts';
import { sequentialFormat } from './stream-types.ts';

/** Options of every streamed reply. */
export interface StreamReplyOptions {
  /**
   * Description of the reply.
   *
   * @defaultValue the reason phrase of its status
   */
  readonly description?: string;
  /**
   * Headers, each as a description or as an OpenAPI Header Object.
   *
   * @defaultValue none
   */
  readonly headers?: Readonly<Record<string, string | OpenAPIV3_1.HeaderObject>>;
}

/** Options of {@link sse}. */
export interface SseOptions extends StreamReplyOptions {
  /**
   * Whether the stream continues on another worker when its worker is lost. The handler must then
   * give each event an `id`, and continue after `context.lastEventId`.
   *
   * @defaultValue false: the stream ends with an `error` event
   */
  readonly resumable?: boolean;
}

/** Options of {@link ndjson}. */
export interface NdjsonOptions extends StreamReplyOptions {
  /**
   * Media type of the reply.
   *
   * @defaultValue 'application/x-ndjson'
   */
  readonly contentType?: 'application/x-ndjson' | 'application/jsonl';
}

/** Options of {@link bytes}. */
export interface BytesOptions extends StreamReplyOptions {
  /**
   * Whether the document says that callers may request a part of the content (RFC 9110, 14): it
   * then lists the replies 206 and 416.
   *
   * @defaultValue false
   */
  readonly ranges?: boolean;
}

/**
 * A reply that is sent while it is produced; created by {@link sse}, {@link ndjson} or
 * {@link bytes}.
 *
 * @typeParam Format how the stream is divided into items.
 * @typeParam Schema schema of each item; undefined if items are not checked.
 */
export interface StreamedReply<
  Format extends 'events' | 'lines' | 'bytes' = 'events' | 'lines' | 'bytes',
  Schema extends ContractSchema | undefined = ContractSchema | undefined,
> extends StreamReplyOptions {
  /** How the stream is divided into items. */
  readonly stream: Format;
  /** Schema of each item; undefined if items are not checked. */
  readonly items: Schema;
  /** Media type of the reply. */
  readonly contentType: string;
  /** Whether the stream continues on another worker when its worker is lost. */
  readonly resumable: boolean;
  /** Whether the document lists replies to requests for a part of the content. */
  readonly ranges: boolean;
}

const COMMON: Checks<StreamReplyOptions> = { description: text, headers: object };
const NO_RESUME =
  'applies to sse() only: a stream continues after the id of an event, and other items have no ids';
const notResumable = (): string => NO_RESUME;
const LINE_TYPES = ['application/x-ndjson', 'application/jsonl'];

/**
 * Declares a reply of server-sent events (WHATWG HTML, 9.2), which browsers read with
 * `EventSource`. Its handler yields values, which become the data of events, or the results of
 * `event()`.
 *
 * @param schema schema of the data of each event. A string is sent unchanged, any other value as
 *   JSON. Without a schema, events are not checked.
 * @param options description, headers, and whether the stream is resumable.
 * @returns the reply, for `replies` of an event.
 * @throws {ContractError} when the schema or an option is not valid.
 * @example
 * ```ts
 * const contract = defineContract({
 *   name: 'clock',
 *   events: {
 *     'clock.watch': {
 *       method: 'GET',
 *       path: '/clock',
 *       replies: { 200: sse(Joi.object<{ now: string }>({ now: Joi.string().required() })) },
 *     },
 *   },
 * });
 * ```
 */
export function sse<const Schema extends ContractSchema | undefined = undefined>(
  schema?: Schema,
  options: SseOptions = {},
): StreamedReply<'events', Schema> {
  return atCaller(sse, () => {
    check('sse', schema, options, { ...COMMON, resumable: flag });
    return streamed('events', schema as Schema, 'text/event-stream', options);
  });
}

/**
 * Declares a reply of JSON values, one on each line (NDJSON, JSON Lines). Its handler yields the
 * values.
 *
 * @param schema schema of each value. Without a schema, values are not checked.
 * @param options description, headers and media type.
 * @returns the reply, for `replies` of an event.
 * @throws {ContractError} when the schema or an option is not valid.
 * @example
 * ```ts
 * const replies = { 200: ndjson(Joi.object({ id: Joi.number().required() })) };
 * ```
 */
export function ndjson<const Schema extends ContractSchema | undefined = undefined>(
  schema?: Schema,
  options: NdjsonOptions = {},
): StreamedReply<'lines', Schema> {
  return atCaller(ndjson, () => {
    check('ndjson', schema, options, {
      ...COMMON,
      contentType: oneOf(...LINE_TYPES),
      resumable: notResumable,
    } as Checks<NdjsonOptions>);
    return streamed('lines', schema as Schema, options.contentType ?? 'application/x-ndjson', options);
  });
}

/**
 * Declares a reply of bytes: a download, an image, a file of any media type. Its handler yields
 * `Uint8Array`s and strings, or returns a `Readable`, a `ReadableStream` or a `Buffer`.
 *
 * @param mediaType media type of the bytes, or a range such as `image/*`, of which the handler then
 *   states the type.
 * @param options description, headers, and whether callers may request a part.
 * @returns the reply, for `replies` of an event.
 * @throws {ContractError} when the media type or an option is not valid.
 * @example
 * ```ts
 * const replies = { 200: bytes('application/pdf', { ranges: true }), 404: 'No such report' };
 * ```
 */
export function bytes(
  mediaType = 'application/octet-stream',
  options: BytesOptions = {},
): StreamedReply<'bytes', undefined> {
  return atCaller(bytes, () => {
    const problem = mediaTypeProblem(mediaType);
    if (problem !== undefined) throw new ContractError(`bytes: the media type ${problem}`);
    const format = sequentialFormat(mediaType);
    if (format !== undefined) {
      const helper = format === 'events' ? 'sse()' : format === 'lines' ? 'ndjson()' : 'another media type';
      throw new ContractError(`bytes: ${mediaType} has items; use ${helper}`);
    }
    check('bytes', undefined, options, {
      ...COMMON,
      ranges: flag,
      resumable: notResumable,
    } as Checks<BytesOptions>);
    return streamed('bytes', undefined, mediaType, options);
  });
}

/** Whether a reply of a contract is a stream. */
export function isStreamed(reply: unknown): reply is StreamedReply {
  return typeof reply === 'object' && reply !== null && !isSchema(reply) && 'stream' in reply;
}

/** Returns why a value is not a media type; undefined if it is one. */
export function mediaTypeProblem(mediaType: unknown): string | undefined {
  return typeof mediaType === 'string' && /^[^\s/;,]+\/[^\s/;,]+(\s*;.*)?$/.test(mediaType)
    ? undefined
    : `must be a media type such as image/png, got ${shown(mediaType)}`;
}

function streamed<Format extends 'events' | 'lines' | 'bytes', Schema extends ContractSchema | undefined>(
  stream: Format,
  items: Schema,
  contentType: string,
  options: StreamReplyOptions & { readonly resumable?: boolean; readonly ranges?: boolean },
): StreamedReply<Format, Schema> {
  const { description, headers, resumable = false, ranges = false } = options;
  return {
    stream,
    items,
    contentType,
    resumable,
    ranges,
    ...(description === undefined ? {} : { description }),
    ...(headers === undefined ? {} : { headers }),
  };
}

function check<Options extends object>(
  name: string,
  schema: unknown,
  options: Options,
  checks: Checks<Options>,
): void {
  if (schema !== undefined && !isSchema(schema)) {
    throw new ContractError(
      `${name}: the schema must be a Joi schema or implement Standard Schema, got ${shown(schema)}`,
    );
  }
  if (schema !== undefined && isAsync(schema)) {
    throw new ContractError(`${name}: the schema must not have asynchronous rules (external)`);
  }
  const problem = object(options);
  if (problem !== undefined) throw new ContractError(`${name}: the options ${problem}`);
  checkMembers(options, checks, `${name}: `);
}
