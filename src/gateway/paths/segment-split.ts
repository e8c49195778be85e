/**
 * Splits segments such as `{name}.{ext}` into the values of their parameters. The time is linear in
 * the length of the text for all templates: regular expressions are not used, and the number of
 * schema checks is limited.
 */
import { traceableText } from '../../openapi/model/normal-text.ts';

/** The methods of a text that the search uses. A test counts its steps with them. */
export type SearchableText = Pick<string, 'length' | 'startsWith' | 'endsWith' | 'lastIndexOf'>;

/** The end of each parameter of a segment. It starts at the end of the literal before it. */
export type Ends = readonly number[];

/** Whether a raw text is a valid value of the parameter with an index. */
export type Accepts = (parameter: number, text: string) => boolean;

/** Maximum number of schema checks per segment, in addition to two per parameter. */
const MAX_SCHEMA_CHECKS = 64;

/**
 * Places each literal as far right as possible, so that the first parameter is as long as possible,
 * then the second, and so on. Parameters must not be empty.
 *
 * @param literals the texts before, between and after the parameters.
 * @returns the ends of the parameters; undefined if the text does not match.
 */
export function rightmost(text: SearchableText, literals: readonly string[]): Ends | undefined {
  const prefix = literals[0] ?? '';
  const suffix = literals.at(-1) ?? '';
  if (!text.startsWith(prefix) || !text.endsWith(suffix)) return undefined;
  const ends = new Array<number>(literals.length - 1);
  let end = text.length - suffix.length;
  ends[literals.length - 2] = end;
  for (let index = literals.length - 2; index > 0; index -= 1) {
    end = lastBefore(text, literals[index] ?? '', end);
    if (end === -1) return undefined;
    ends[index - 1] = end;
  }
  return end > prefix.length ? ends : undefined;
}

/**
 * Index of the last occurrence of a literal that leaves at least one character before `end`; or -1.
 */
function lastBefore(text: SearchableText, literal: string, end: number): number {
  const from = end - 1 - literal.length;
  return from < 0 ? -1 : text.lastIndexOf(literal, from);
}

/**
 * Splits a segment into the raw texts of its parameters. Chooses the rightmost literals for which
 * all values are valid, or else the rightmost ones.
 * @returns undefined if the segment does not match.
 */
export function splitSegment(
  raw: string,
  literals: readonly string[],
  accepts: Accepts,
): string[] | undefined {
  return split(raw, literals, accepts, false) ?? split(raw, literals, accepts, true);
}

/** Whether a segment matches. */
export function matchesSegment(raw: string, literals: readonly string[], loose: boolean): boolean {
  return rightmost(traceableText(raw, loose).text, literals) !== undefined;
}

function split(
  raw: string,
  literals: readonly string[],
  accepts: Accepts,
  loose: boolean,
): string[] | undefined {
  const { text, origins } = traceableText(raw, loose);
  const last = rightmost(text, literals);
  if (last === undefined) return undefined;
  const rawText = (start: number, end: number): string =>
    origins === undefined ? raw.slice(start, end) : raw.slice(origins[start], origins[end]);
  const ends =
    last.length === 1 ? last : (new Search(text, literals, last, accepts, rawText).accepted() ?? last);
  return ends.map((end, index) => rawText(startOf(literals, ends, index), end));
}

/** The start of a parameter. */
function startOf(literals: readonly string[], ends: Ends, index: number): number {
  return (index === 0 ? 0 : (ends[index - 1] ?? 0)) + (literals[index]?.length ?? 0);
}

/** Searches for positions of the literals at which all values are valid, the rightmost first. */
class Search {
  private left: number;
  private readonly ends: number[] = [];

  constructor(
    private readonly text: SearchableText,
    private readonly literals: readonly string[],
    private readonly last: Ends,
    private readonly accepts: Accepts,
    private readonly rawText: (start: number, end: number) => string,
  ) {
    this.left = MAX_SCHEMA_CHECKS + 2 * last.length;
  }

  accepted(): Ends | undefined {
    return this.from(0) ? this.ends : undefined;
  }

  /** Places the end of this parameter and of all later ones. */
  private from(index: number): boolean {
    const { last, ends, literals, text } = this;
    const start = startOf(literals, ends, index);
    const literal = literals[index + 1] ?? '';
    let end = last[index] ?? 0;
    while (end > start && this.left > 0) {
      this.left -= 1;
      ends[index] = end;
      if (
        this.accepts(index, this.rawText(start, end)) &&
        (index === last.length - 1 || this.from(index + 1))
      )
        return true;
      if (index === last.length - 1) return false;
      end = end === 0 ? -1 : text.lastIndexOf(literal, end - 1);
    }
    return false;
  }
}
