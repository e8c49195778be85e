/** Splits queries, forms and Cookie headers into names and values, and decodes them. */

/** A decoded name and the text after its equals sign, still encoded. */
export interface Pair {
  readonly name: string;
  readonly raw: string;
}

/**
 * Decodes a percent-encoded text.
 * @param plus whether a plus sign means a space, as in queries and forms.
 * @throws {URIError} when the encoding is not valid.
 */
export function decode(raw: string, plus: boolean): string {
  const text = plus && raw.includes('+') ? raw.replaceAll('+', ' ') : raw;
  return text.includes('%') ? decodeURIComponent(text) : text;
}

/**
 * Splits a query or form into pairs. Empty parts are skipped.
 * @throws {URIError} when the encoding of a name is not valid.
 */
export function pairsOf(query: string): Pair[] {
  const pairs: Pair[] = [];
  let start = 0;
  while (start < query.length) {
    let end = query.indexOf('&', start);
    if (end === -1) end = query.length;
    if (end > start) {
      const part = query.slice(start, end);
      const equals = part.indexOf('=');
      const name = equals === -1 ? part : part.slice(0, equals);
      pairs.push({ name: decode(name, true), raw: equals === -1 ? '' : part.slice(equals + 1) });
    }
    start = end + 1;
  }
  return pairs;
}

/** Splits a Cookie header (RFC 6265, 4.2) into pairs. Parts without an equals sign are skipped. */
export function cookiesOf(header: string): Pair[] {
  const pairs: Pair[] = [];
  for (const part of header.split(';')) {
    const equals = part.indexOf('=');
    if (equals < 1) continue;
    const value = part.slice(equals + 1).trim();
    const quoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
    pairs.push({ name: part.slice(0, equals).trim(), raw: quoted ? value.slice(1, -1) : value });
  }
  return pairs;
}
