/** Tables as text. */

/** A column: its title, and whether it holds numbers, which are right-aligned. */
export type Column = readonly [title: string, side?: 'right'];

/** Returns the lines of a table. Each column is as wide as its longest cell. */
export function tableOf(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const titles = columns.map(([title]) => title);
  const widths = titles.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(([, side], at) => {
        const cell = cells[at] ?? '';
        const width = widths[at] ?? 0;
        return side === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [titles, ...rows].map(line);
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
