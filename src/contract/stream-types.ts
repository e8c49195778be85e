/** Media types of streams. The media type decides how a stream is divided into items. */

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

/** The media types of streams of items, the preferred one of each format first. */
export const SEQUENTIAL_TYPES: readonly string[] = [...SEQUENTIAL.keys()];

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

function essence(mediaType: string): string {
  const end = mediaType.indexOf(';');
  return (end === -1 ? mediaType : mediaType.slice(0, end)).trim().toLowerCase();
}
