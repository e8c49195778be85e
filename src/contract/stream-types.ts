/** Media types of streams. The media type decides how a stream is divided into items. */
import { isObject, type Json, type JsonObject, member } from './json.ts';

/**
 * How a stream is divided: server-sent events, lines of JSON (NDJSON), a JSON text sequence (RFC
 * 7464), or bytes without items.
 */
export type StreamFormat = 'events' | 'lines' | 'sequence' | 'bytes';

const SEQUENTIAL: ReadonlyMap<string, StreamFormat> = new Map<string, StreamFormat>([
  ['text/event-stream', 'events'],
  ['application/x-ndjson', 'lines'],
  ['application/ndjson', 'lines'],
  ['application/jsonl', 'lines'],
  ['application/x-jsonlines', 'lines'],
  ['application/json-seq', 'sequence'],
]);

/** Types whose bodies are text or JSON, and ranges that include them. */
const TEXT =
  /^(?:text\/.*|\*\/\*|application\/\*|application\/(?:.*\+)?(?:json|xml|yaml)|application\/(?:graphql|javascript|sql|toml|x-www-form-urlencoded|x-yaml)|multipart\/.*)$/;

/**
 * Returns the format of a stream of items; undefined if bodies of the media type have none.
 *
 * @param mediaType with or without parameters.
 */
export function sequentialFormat(mediaType: string): StreamFormat | undefined {
  return (
    SEQUENTIAL.get(essence(mediaType)) ?? (/\+json-seq$/.test(essence(mediaType)) ? 'sequence' : undefined)
  );
}

/**
 * Whether bodies of a media type are bytes, so neither text nor JSON nor a form.
 *
 * @param mediaType with or without parameters.
 */
export function isBinaryType(mediaType: string): boolean {
  return !TEXT.test(essence(mediaType)) && sequentialFormat(mediaType) === undefined;
}

/**
 * Returns the schema of server-sent events with certain data, as OpenAPI 3.2 describes them (4.14.4):
 * the text of `data` contains JSON.
 *
 * @param data schema of the data.
 * @param isText whether the data are texts, which are sent unchanged.
 */
export function eventSchema(data: Json, isText: boolean): JsonObject {
  return {
    type: 'object',
    properties: {
      data: isText ? data : { type: 'string', contentMediaType: 'application/json', contentSchema: data },
      event: { type: 'string' },
      id: { type: 'string' },
      retry: { type: 'integer', minimum: 0 },
    },
    required: ['data'],
  };
}

/** Whether a schema, with its reference resolved, accepts only texts. */
export function isTextSchema(schema: Json | undefined): boolean {
  if (!isObject(schema)) return false;
  const values = member(schema, 'const') ?? member(schema, 'enum');
  const listed = values === undefined ? [] : [values].flat();
  return (
    member(schema, 'type') === 'string' ||
    (listed.length > 0 && listed.every((value) => typeof value === 'string'))
  );
}

function essence(mediaType: string): string {
  const end = mediaType.indexOf(';');
  return (end === -1 ? mediaType : mediaType.slice(0, end)).trim().toLowerCase();
}
