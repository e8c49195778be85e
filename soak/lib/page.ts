/**
 * Writes the results of a soak test into a page: tables between the page's marks, charts into a
 * folder with the page's name beside it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

function between(mark: string): RegExp {
  return new RegExp(`(<!-- ${mark} -->\\n)[^]*(<!-- /${mark} -->)`);
}

/** @throws {Error} when the page has no marks for the tables. */
export function readPage(page: string, mark: string): string {
  const source = readFileSync(page, 'utf8');
  if (between(mark).test(source)) return source;
  throw new Error(`${page} has no <!-- ${mark} --> … <!-- /${mark} -->`);
}

/**
 * Writes tables and charts, replacing previous ones.
 *
 * @throws {Error} when the page has no marks for the tables; the charts have been written by then.
 */
export function writePage(
  page: string,
  mark: string,
  markdown: string,
  charts: ReadonlyMap<string, string>,
): void {
  const folder = page.replace(/\.md$/, '');
  if (charts.size > 0) mkdirSync(folder, { recursive: true });
  for (const [name, svg] of charts) writeFileSync(path.join(folder, name), svg);
  const filled = (_: string, start: string, end: string): string => `${start}\n${markdown}\n\n${end}`;
  writeFileSync(page, readPage(page, mark).replace(between(mark), filled));
}
