/** What a document says about streams: replies and request bodies that are sent in chunks. */
import { ContractError } from '../../contract/errors.ts';
import { isObject, type Json, type JsonObject, member, pointerOf } from '../../contract/json.ts';
import { isBinaryType, type StreamFormat, sequentialFormat } from '../../contract/stream-types.ts';
import { type Components, type Resolved, resolve } from './component-reference.ts';
import type { Operation, Schema, StreamBinding, UploadLimits } from './operation.ts';

/**
 * Member of a Media Type Object with the schema of each item of a sequential media type. It is the
 * `itemSchema` of OpenAPI 3.2 (4.14) in a document of an earlier version.
 */
export const ITEM_SCHEMA = 'x-item-schema';

const LIMITS = ['bytes', 'files', 'fields'] as const;

/** The members of an operation that concern streams. */
export type StreamFields = Pick<
  Operation,
  'streams' | 'streamsReply' | 'resumable' | 'streamsBody' | 'uploadLimits'
>;

/** Reads what a checked operation of a normalised document says about streams. */
export function streamFieldsOf(components: Components, operation: JsonObject, pointer: string): StreamFields {
  const streams = streamsOf(components, operation, pointer);
  const body = resolve(components, member(operation, 'requestBody')).value;
  const streamsBody = isObject(body) && member(body, 'x-stream') === true;
  return {
    streams,
    streamsReply: streams.length > 0,
    resumable: member(operation, 'x-resumable') === true,
    streamsBody,
    uploadLimits: streamsBody ? limitsOf(member(body, 'x-upload-limits')) : {},
  };
}

/**
 * Checks the extensions of a request body: `x-stream` and `x-upload-limits`.
 *
 * @throws {ContractError} when one of them is not valid.
 */
export function checkUpload(body: JsonObject): void {
  const stream = member(body, 'x-stream');
  if (stream !== undefined && typeof stream !== 'boolean') {
    throw new ContractError(`x-stream of the request body must be true or false, not ${shown(stream)}`);
  }
  const limits = member(body, 'x-upload-limits');
  if (limits === undefined) return;
  if (!isObject(limits)) {
    throw new ContractError(`x-upload-limits must be an object, not ${shown(limits)}`);
  }
  for (const [name, value] of Object.entries(limits)) {
    if (!LIMITS.some((known) => known === name)) {
      throw new ContractError(
        `x-upload-limits has the unknown member ${name}; it may have ${LIMITS.join(', ')}`,
      );
    }
    const least = name === 'bytes' ? 1 : 0;
    if (!Number.isSafeInteger(value) || Number(value) < least) {
      throw new ContractError(
        `x-upload-limits.${name} must be an integer of at least ${least}, not ${shown(value)}`,
      );
    }
  }
  if (stream !== true) {
    throw new ContractError('x-upload-limits has no effect without x-stream: true of the request body');
  }
}

/**
 * Checks that an asynchronous operation has no streams that cannot be stored: request bodies in
 * chunks, and sequences of items. A reply of bytes is stored as a whole.
 *
 * @throws {ContractError} when it has one.
 */
export function checkAsync(components: Components, operation: JsonObject): void {
  const declared = member(operation, 'x-async');
  if (declared !== true && declared !== 'required') return;
  const { streams, streamsBody } = streamFieldsOf(components, operation, '');
  if (streamsBody) throw new ContractError('x-async cannot be combined with x-stream of the request body');
  const sequence = streams.find(({ format }) => format !== 'bytes');
  if (sequence === undefined) return;
  throw new ContractError(`x-async cannot be combined with a reply of the type ${sequence.mediaType}`);
}

/** Returns the likely mistakes in what an operation says about streams. */
export function* slipsOfStreams(components: Components, operation: JsonObject): Iterable<string> {
  const { streams, resumable } = streamFieldsOf(components, operation, '');
  if (resumable && !streams.some(({ format }) => format === 'events')) {
    yield 'x-resumable has no effect: no reply has the media type text/event-stream';
  }
  for (const { mediaType, itemSchema } of streams) {
    if (itemSchema === undefined || sequentialFormat(mediaType) !== undefined) continue;
    yield `the item schema of ${mediaType} has no effect: its bodies have no items`;
  }
  for (const [status, mediaType, media] of repliesIn(components, operation)) {
    const declared = member(media, 'x-stream');
    if (declared === undefined || typeof declared === 'boolean') continue;
    yield `x-stream of the reply ${status} (${mediaType}) must be true or false, not ${shown(declared)}`;
  }
}

function* repliesIn(
  components: Components,
  operation: JsonObject,
): Iterable<readonly [status: string, mediaType: string, media: JsonObject]> {
  const responses = member(operation, 'responses');
  for (const [status, response] of Object.entries(isObject(responses) ? responses : {})) {
    const found = resolve(components, response).value;
    const content = isObject(found) ? member(found, 'content') : undefined;
    for (const [mediaType, media] of Object.entries(isObject(content) ? content : {})) {
      if (isObject(media)) yield [status, mediaType, media];
    }
  }
}

function limitsOf(limits: Json | undefined): UploadLimits {
  if (!isObject(limits)) return {};
  return Object.fromEntries(
    LIMITS.flatMap((name) => (Object.hasOwn(limits, name) ? [[name, limits[name]]] : [])),
  );
}

function streamsOf(components: Components, operation: JsonObject, pointer: string): StreamBinding[] {
  const responses = member(operation, 'responses');
  const streams: StreamBinding[] = [];
  for (const [status, response] of Object.entries(isObject(responses) ? responses : {})) {
    const found = resolve(components, response, pointer + pointerOf('responses', status));
    const content = isObject(found.value) ? member(found.value, 'content') : undefined;
    for (const [mediaType, media] of Object.entries(isObject(content) ? content : {})) {
      const format = formatOf(components, mediaType, isObject(media) ? media : {});
      if (format === undefined) continue;
      const item = isObject(media) ? member(media, ITEM_SCHEMA) : undefined;
      const itemPointer = found.pointer + pointerOf('content', mediaType, ITEM_SCHEMA);
      const data = format === 'events' ? dataOf(components, item, itemPointer) : undefined;
      streams.push({
        status: status.toUpperCase() === 'DEFAULT' ? 'default' : status.toUpperCase(),
        mediaType,
        format,
        itemSchema: item as Schema | undefined,
        itemPointer: item === undefined ? undefined : itemPointer,
        dataSchema: data?.value as Schema | undefined,
        dataPointer: data?.pointer,
      });
    }
  }
  return streams;
}

/** Returns the schema of the items of a stream: for server-sent events, that of their data. */
export function itemsOf({ itemSchema, dataSchema }: StreamBinding): Schema {
  return dataSchema ?? itemSchema ?? true;
}

/** The schema of the JSON in the data of a server-sent event. */
function dataOf(components: Components, item: Json | undefined, pointer: string): Resolved | undefined {
  const found = resolve(components, item, pointer);
  const properties = isObject(found.value) ? member(found.value, 'properties') : undefined;
  const data = isObject(properties) ? member(properties, 'data') : undefined;
  const content = resolve(components, data, `${found.pointer}/properties/data`);
  if (!isObject(content.value)) return undefined;
  const value = member(content.value, 'contentSchema');
  return value === undefined ? undefined : { value, pointer: `${content.pointer}/contentSchema` };
}

/**
 * Returns the format of a reply; undefined if it is not a stream. `x-stream` of the media type
 * overrides what the type says.
 */
function formatOf(components: Components, mediaType: string, media: JsonObject): StreamFormat | undefined {
  const declared = member(media, 'x-stream');
  if (declared === false) return undefined;
  const format = sequentialFormat(mediaType);
  if (format !== undefined) return format;
  if (declared === true) return 'bytes';
  if (isTextual(mediaType)) return undefined;
  return isBytes(components, member(media, 'schema') ?? true, isBinaryType(mediaType)) ? 'bytes' : undefined;
}

/** Whether the media type is JSON, whose binary strings are base64 in a JSON text. */
function isTextual(mediaType: string): boolean {
  return /^[^;]*[/+]json\s*(;|$)/i.test(mediaType);
}

/**
 * Whether a schema describes bytes: it has no constraint and the type is binary, or it is a string
 * with a `contentMediaType` and without an encoding (OpenAPI 3.1, 4.8.14; `format: binary` in 3.0).
 */
function isBytes(components: Components, schema: Json, binaryType: boolean): boolean {
  const found = resolve(components, schema).value;
  if (!isObject(found)) return binaryType;
  if (member(found, 'contentMediaType') !== undefined) return member(found, 'contentEncoding') === undefined;
  const type = member(found, 'type');
  return binaryType && (type === undefined || type === 'string') && member(found, 'properties') === undefined;
}

function shown(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
