/** Media types of request bodies. */

/**
 * Returns whether bodies of a media type can have members, as JSON and forms can. Other bodies are
 * text or bytes.
 */
export function hasMembers(mediaType: string): boolean {
  return /^(application\/json|application\/[^;]+\+json|application\/x-www-form-urlencoded|multipart\/form-data|\*\/\*|application\/\*)\s*(;|$)/i.test(
    mediaType,
  );
}

/** A media type that a request body may have. */
export interface BodyType {
  readonly mediaType: string;
  /** Whether the schema accepts objects only, so that a text or bytes never match it. */
  readonly objectOnly: boolean;
}

/**
 * Returns why the gateway cannot read a body of any of the media types; undefined if it can read
 * one of them. It reads JSON and forms, and all other types as a text or bytes.
 */
export function unreadable(types: readonly BodyType[]): string | undefined {
  if (types.length === 0 || types.some(isReadable)) return undefined;
  const named = types.map(({ mediaType }) => mediaType).join(', ');
  return (
    `the gateway reads no body of ${named}: it cannot turn one into an object, and every request is ` +
    'answered 415; add application/json, another JSON type or a form'
  );
}

function isReadable({ mediaType, objectOnly }: BodyType): boolean {
  return !objectOnly || hasMembers(mediaType);
}
