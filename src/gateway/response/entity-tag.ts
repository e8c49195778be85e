/**
 * Entity tags (RFC 9110, 8.8.3). A strong tag identifies bytes, so each coding needs its own tag:
 * the gateway sends the tag `"v1"` of a worker as `"v1-br"`. If the tag of a worker already ends in
 * such a suffix, the gateway appends `-identity`. So a suffix in a tag of a request always comes
 * from the gateway, and removing one suffix gives the tag of the worker.
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const TAG = /(?:W\/)?"[^"]*"/g;
const SUFFIX = /-(?:br|gzip|deflate|identity)"$/;

/** Computes the strong entity tag of a body. */
export function etagOf(body: Buffer): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
}

/** The tags in a list such as `If-Match`. */
export function tagsOf(header: string): string[] {
  return header.match(TAG) ?? [];
}

/**
 * The tag that the gateway sends for the tag of a worker.
 * @param coding coding of the response; undefined if its body is sent unchanged.
 */
export function sentTag(tag: string, coding: string | undefined): string {
  if (coding !== undefined && !tag.startsWith('W/')) return tag.replace(/"$/, `-${coding}"`);
  return SUFFIX.test(tag) ? tag.replace(/"$/, '-identity"') : tag;
}

function plainTag(tag: string): string {
  return tag.replace(SUFFIX, '"');
}

/**
 * Compares the tag of a client with that of a worker, without suffix, weakly (RFC 9110, 8.8.3.2).
 */
export function tagsMatch(given: string, etag: string): boolean {
  const [first, second] = [given.replace(/^W\//, ''), etag.replace(/^W\//, '')];
  return first === second || plainTag(first) === second;
}

/** The tag in the list of a client that matches the tag of a worker, as the client sent it. */
export function clientTag(list: string | undefined, etag: string): string | undefined {
  return list === undefined ? undefined : tagsOf(list).find((given) => tagsMatch(given, etag));
}

/** Whether a request contains entity tags. */
export function hasTags(headers: IncomingHttpHeaders): boolean {
  return (
    headers['if-match'] !== undefined ||
    headers['if-none-match'] !== undefined ||
    headers['if-range'] !== undefined
  );
}

/**
 * Restores the entity tags of the worker in request headers. `If-Range` keeps the suffix of a
 * coding: the client has a part of the compressed bytes, to which uncompressed bytes must not be
 * appended (RFC 9110, 13.1.5).
 */
export function withPlainTags(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  let plain: IncomingHttpHeaders | undefined;
  for (const name of ['if-match', 'if-none-match', 'if-range'] as const) {
    const value = headers[name];
    if (typeof value !== 'string') continue;
    const changed = value.replace(TAG, (tag) =>
      name !== 'if-range' || tag.endsWith('-identity"') ? plainTag(tag) : tag,
    );
    if (changed !== value) (plain ??= { ...headers })[name] = changed;
  }
  return plain ?? headers;
}
