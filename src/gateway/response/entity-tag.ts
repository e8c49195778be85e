/**
 * Entity tags (RFC 9110, 8.8.3). A strong tag names bytes, so a compressed reply needs a tag of its own: `"v1"` leaves
 * as `"v1-br"`. A worker's tag that ends in such a suffix leaves with `-identity` added. So every tag that ends in a
 * suffix when it comes back carries exactly one of the gateway, and the worker's tag is what is left without it.
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const TAG = /(?:W\/)?"[^"]*"/g;
const SUFFIX = /-(?:br|gzip|deflate|identity)"$/;

/** A strong entity tag of the bytes of a reply. */
export function etagOf(body: Buffer): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
}

/** The tags of a list, such as that of `If-Match`. */
export function tagsOf(header: string): string[] {
  return header.match(TAG) ?? [];
}

/**
 * The tag that a reply is sent with.
 * @param coding undefined: the bytes are sent as the worker gave them.
 */
export function sentTag(tag: string, coding: string | undefined): string {
  if (coding !== undefined && !tag.startsWith('W/')) return tag.replace(/"$/, `-${coding}"`);
  return SUFFIX.test(tag) ? tag.replace(/"$/, '-identity"') : tag;
}

function plainTag(tag: string): string {
  return tag.replace(SUFFIX, '"');
}

/** Whether a tag that a client gave stands for the state that a worker's tag names; weak and strong tags do alike. */
export function tagsMatch(given: string, etag: string): boolean {
  const [first, second] = [given.replace(/^W\//, ''), etag.replace(/^W\//, '')];
  return first === second || plainTag(first) === second;
}

/** The tag of a list that stands for a worker's tag, as the client gave it. */
export function clientTag(list: string | undefined, etag: string): string | undefined {
  return list === undefined ? undefined : tagsOf(list).find((given) => tagsMatch(given, etag));
}

/** Whether a request names entity tags. */
export function hasTags(headers: IncomingHttpHeaders): boolean {
  return (
    headers['if-match'] !== undefined ||
    headers['if-none-match'] !== undefined ||
    headers['if-range'] !== undefined
  );
}

/**
 * Headers with the entity tags as the worker gave them. `If-Range` keeps a coding: the client has a part of the
 * compressed bytes, and a part of the others must not be appended to it (RFC 9110, 13.1.5).
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
