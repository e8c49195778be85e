/**
 * Segments such as `{name}.{ext}`: which part of a text is which parameter. Time is linear in the text, whatever the
 * template: no regular expression is involved, and the search that asks schemas is bounded.
 */
import { traceableText } from '../../openapi/model/normal-text.ts';

/** What the search needs of a text; a test counts its steps through this. */
export type SearchableText = Pick<string, 'length' | 'startsWith' | 'endsWith' | 'lastIndexOf'>;

/** Where each parameter of a segment ends. Each starts where the literal before it ends. */
export type Ends = readonly number[];

/** Whether a raw text may be the value of the parameter of that number. */
export type Accepts = (parameter: number, text: string) => boolean;

/** Questions to schemas for one segment, beside two for each parameter. */
const MAX_SCHEMA_CHECKS = 64;

/**
 * Where the parameters end when each literal stands as far right as possible: so the first parameter is as long as
 * possible, then the second, and so on. Undefined when the text does not match; no parameter may be empty.
 *
 * @param literals what stands before, between and after the parameters.
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

/** Where a literal last stands with at least one character between it and `end`; -1 when nowhere. */
function lastBefore(text: SearchableText, literal: string, end: number): number {
  const from = end - 1 - literal.length;
  return from < 0 ? -1 : text.lastIndexOf(literal, from);
}

/**
 * The raw texts of the parameters of a segment; undefined when it does not match. The rightmost literals that all
 * parameters accept are chosen; the rightmost ones when no choice is accepted.
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

/** Where a parameter starts. */
function startOf(literals: readonly string[], ends: Ends, index: number): number {
  return (index === 0 ? 0 : (ends[index - 1] ?? 0)) + (literals[index]?.length ?? 0);
}

/** Looks for the places of the literals that all parameters accept: the rightmost first. */
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

  /** Places the end of this parameter and of all behind it. */
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
