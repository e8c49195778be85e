/** The request target of HTTP (RFC 9112, 3.2). */

/** The path of a request target: without scheme, authority, query and fragment. */
export function pathnameOf(target: string): string {
  return target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
}
