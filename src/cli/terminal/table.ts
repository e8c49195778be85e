/** Tables as text. */

/** A column: its title, and whether it holds numbers, which are right-aligned. */
export type Column = readonly [title: string, side?: 'right'];

/** Columns that are never cut below this width, in characters. */
const LEAST = 8;

/** Space between two columns. */
const GAP = '  ';

/**
 * Returns the lines of a table. Each column is as wide as its longest cell.
 *
 * @param width maximum width of a line, in characters. The widest columns of text are cut first, and
 *   cut cells end with `…`. Defaults to no limit.
 */
export function tableOf(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string[] {
  const titles = columns.map(([title]) => title);
  const widths = titles.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(([, side], at) => {
        const room = widths[at] ?? 0;
        const cell = cut(cells[at] ?? '', room);
        return side === 'right' ? cell.padStart(room) : cell.padEnd(room);
      })
      .join(GAP)
      .trimEnd();
  narrow(columns, widths, width);
  return [titles, ...rows].map((row) => cut(line(row), width));
}

/** Makes the widest columns of text narrower, until the lines fit or no column can be cut. */
function narrow(columns: readonly Column[], widths: number[], width: number): void {
  let excess = widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1)) - width;
  while (excess > 0) {
    const texts = [...widths.keys()].filter((at) => columns[at]?.[1] !== 'right');
    const widest = Math.max(...texts.map((at) => widths[at] ?? 0));
    const at = texts.find((each) => widths[each] === widest);
    if (at === undefined || widest <= LEAST) return;
    const others = texts.map((each) => widths[each] ?? 0).filter((each) => each < widest);
    const to = Math.max(LEAST, ...others, widest - excess);
    const next = Math.max(LEAST, Math.min(widest - 1, to));
    widths[at] = next;
    excess -= widest - next;
  }
}

/** Cuts a text that is too long; it then ends with `…`. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Formats a duration in milliseconds for people. */
export function duration(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h`;
}
