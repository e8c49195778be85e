/**
 * The header field Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07). The draft defines
 * a string in quotes (RFC 9651, section 3.3.3); many clients send the value without quotes, which is
 * accepted as the same key.
 */

/** A key, its absence, or why the field is not valid. */
export type KeyField =
  | { readonly kind: 'absent' }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'invalid'; readonly detail: string };

/** Maximum characters of a key; a UUID has 36. */
export const MAX_KEY_LENGTH = 255;

/** RFC 9651: an Item that is a String, with parameters, which the draft does not define. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"(?:; *[a-z*][a-z0-9_.*-]*(?:=[^;, ]*)?)*$/;

/** Visible characters without those that separate or quote values. */
const BARE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/;

/** Reads the value of the field, which Node.js joins with commas if it is sent several times. */
export function readKey(value: string | undefined): KeyField {
  if (value === undefined) return { kind: 'absent' };
  const text = value.trim();
  const quoted = QUOTED.exec(text)?.[1];
  const key = quoted === undefined ? BARE.exec(text)?.[0] : quoted.replaceAll(/\\(["\\])/g, '$1');
  if (key === undefined) return invalid('must be one string in double quotes, such as "8e03978e-40d5"');
  if (key === '') return invalid('must not be empty');
  if (key.length > MAX_KEY_LENGTH) return invalid(`must have at most ${MAX_KEY_LENGTH} characters`);
  return { kind: 'key', key };
}

function invalid(detail: string): KeyField {
  return { kind: 'invalid', detail };
}
