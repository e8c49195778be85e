/** The page that shows what a soak found: tables between its marks, charts in a folder of its name beside it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

function between(mark: string): RegExp {
  return new RegExp(`(<!-- ${mark} -->\\n)[^]*(<!-- /${mark} -->)`);
}

/** @throws Error when the page has no place for the tables. */
export function readPage(page: string, mark: string): string {
  const source = readFileSync(page, 'utf8');
  if (between(mark).test(source)) return source;
  throw new Error(`${page} has no <!-- ${mark} --> … <!-- /${mark} -->`);
}

/**
 * Writes both; what stood there before is gone.
 *
 * @throws Error when the page has no place for the tables; the charts are written by then.
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
