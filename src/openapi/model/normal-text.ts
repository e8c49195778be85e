/**
 * Percent-encoded text in a normal form for comparison (RFC 3986, 6.2.2). An escaped unreserved
 * character equals the character itself; an escaped reserved character does not (RFC 3986, 2.2).
 */

const RUN = /(?:%[\da-f]{2})+/gi;
/**
 * The reserved characters (RFC 3986, 2.2), and the braces, which delimit the parameters of
 * templates.
 */
const RESERVED: ReadonlySet<string> = new Set(":/?#[]@!$&'()*+,;={}");

/**
 * Base of the code units that replace escaped reserved characters, in the range of the low
 * surrogates. Decoded text never contains a lone low surrogate, so a literal cannot match part of
 * an escape.
 */
const ESCAPED = 0xdc00;

/** A text in normal form, with the original position of each of its code units. */
export interface NormalText {
  readonly text: string;
  /** Index in the raw text of each code unit and of the end; undefined if both texts are equal. */
  readonly origins: readonly number[] | undefined;
}

/** Returns the normal form of a text. Escapes that are not valid UTF-8 stay as they are. */
export function normalText(raw: string): string {
  if (!raw.includes('%')) return raw;
  return raw.replace(RUN, (run) => {
    try {
      return unitsOf(run, false).join('');
    } catch {
      return run;
    }
  });
}

/**
 * Returns the normal form of a text with the positions in the raw text.
 *
 * @param loose whether an escaped reserved character equals the character itself. `%2F` never
 *   equals a slash.
 * @throws {URIError} when an escape is not valid UTF-8.
 */
export function traceableText(raw: string, loose: boolean): NormalText {
  if (!raw.includes('%')) return { text: raw, origins: undefined };
  let text = '';
  const origins: number[] = [];
  const add = (units: string, start: number): void => {
    text += units;
    for (let unit = 0; unit < units.length; unit += 1) origins.push(start);
  };
  let done = 0;
  for (const { 0: run, index } of raw.matchAll(RUN)) {
    for (; done < index; done += 1) add(raw[done] ?? '', done);
    for (const units of unitsOf(run, loose)) {
      add(units, done);
      done += escapeLength(units);
    }
  }
  for (; done < raw.length; done += 1) add(raw[done] ?? '', done);
  origins.push(raw.length);
  return { text, origins };
}

/** Returns the characters of a sequence of escapes. */
function unitsOf(run: string, loose: boolean): string[] {
  return Array.from(decodeURIComponent(run), (character) =>
    RESERVED.has(character) && !(loose && character !== '/')
      ? String.fromCharCode(ESCAPED + character.charCodeAt(0))
      : character,
  );
}

/** Returns the length of the escapes that encode a character. */
function escapeLength(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80 || (code >= ESCAPED && code < ESCAPED + 0x80)) return 3;
  if (code < 0x800) return 6;
  return code < 0x10000 ? 9 : 12;
}
