/**
 * Suggestions for misspelled names. The package `fastest-levenshtein` 1.0.16 counts two swapped
 * letters, a common slip, as two edits: `prot` would be too far from `port`. commander has such a
 * function, but does not export it.
 */

/** Returns ` (did you mean port?)`, or an empty string if no candidate is similar. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const closest = closestTo(word, candidates);
  return closest === undefined ? '' : ` (did you mean ${closest}?)`;
}

/**
 * Returns the candidate that a misspelled word most likely stands for; undefined if none is similar.
 *
 * @param limit maximum number of edits; 40 % of the length of the candidate without it.
 */
export function closestTo(word: string, candidates: readonly string[], limit?: number): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const allowed = limit ?? Math.max(1, Math.floor(candidate.length * 0.4));
    // The number of edits is at least the difference of the lengths.
    if (Math.abs(candidate.length - word.length) > allowed) continue;
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits > allowed || edits >= least || edits >= candidate.length) continue;
    [best, least] = [candidate, edits];
  }
  return best;
}

/**
 * Edit distance of two words: insertions, deletions, substitutions and swaps of adjacent letters
 * (optimal string alignment).
 */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
