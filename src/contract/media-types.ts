/** Media types of request bodies. */

/**
 * Returns whether bodies of a media type can have members, as JSON and forms can. Other bodies are
 * text or bytes.
 */
export function hasMembers(mediaType: string): boolean {
  return /^(application\/json|application\/[^;]+\+json|text\/json|application\/x-www-form-urlencoded|multipart\/form-data|\*\/\*|application\/\*)\s*(;|$)/i.test(
    mediaType,
  );
}

/**
 * Returns whether the gateway reads bodies of a media type or range: JSON and URL-encoded forms.
 */
export function isReadable(mediaType: string): boolean {
  return hasMembers(mediaType) && !/^(multipart|text)\//i.test(mediaType);
}

/**
 * Returns why the gateway cannot read a body of any of the media types; undefined if it can read
 * one of them.
 */
export function unreadable(mediaTypes: readonly string[]): string | undefined {
  if (mediaTypes.length === 0 || mediaTypes.some(isReadable)) return undefined;
  return (
    `the gateway reads no body of ${mediaTypes.join(', ')}: every request is answered 415; ` +
    'add application/json, another JSON type or application/x-www-form-urlencoded'
  );
}
