/**
 * Percent-encoded text in the form in which texts are compared (RFC 3986, 6.2.2): an escape of an unreserved
 * character equals the character, an escape of a reserved one does not (RFC 3986, 2.2).
 */

const RUN = /(?:%[\da-f]{2})+/gi;
/** The reserved characters (RFC 3986, 2.2), and the braces, which mark the parameters of templates. */
const RESERVED: ReadonlySet<string> = new Set(":/?#[]@!$&'()*+,;={}");

/**
 * Where the escapes of reserved characters go: one unit each, from the low surrogates. No decoded text has one of
 * these alone, so no literal can match within an escape.
 */
const ESCAPED = 0xdc00;

/** A text in normal form that knows where each of its units stood before. */
export interface NormalText {
  readonly text: string;
  /** Index in the raw text of each unit, and of the end; undefined when both texts are the same. */
  readonly origins: readonly number[] | undefined;
}

/** The normal form of a text. An escape that is not valid UTF-8 stands for itself. */
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
 * The normal form, with the way back to the raw text.
 * @param loose whether an escape of a reserved character equals the character. `%2F` never equals a slash.
 * @throws URIError when an escape is not valid UTF-8.
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

/** The characters of a run of escapes. */
function unitsOf(run: string, loose: boolean): string[] {
  return Array.from(decodeURIComponent(run), (character) =>
    RESERVED.has(character) && !(loose && character !== '/')
      ? String.fromCharCode(ESCAPED + character.charCodeAt(0))
      : character,
  );
}

/** Length of the escapes that stand for a character. */
function escapeLength(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80 || (code >= ESCAPED && code < ESCAPED + 0x80)) return 3;
  if (code < 0x800) return 6;
  return code < 0x10000 ? 9 : 12;
}
