/**
 * `npm run bench:workbench`: what it is like to write the same service in three frameworks. Counts
 * its lines and the mistakes that the compiler reports, and measures its test and its reload. Prints
 * the tables of docs/comparison.md. `--quick` makes one run of each.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describeMachine } from './lib/machine.ts';
import { percentile } from './lib/stats.ts';
import { CONTENDERS, type Contender, copyOf } from './workbench/contenders.ts';
import { type Reload, reloads, testTime } from './workbench/measure.ts';
import { linesIn, MISTAKES, Project } from './workbench/mistakes.ts';

/** How often each measurement is repeated. */
export interface WorkbenchEffort {
  readonly tests: number;
  readonly saves: number;
}

/** Results of one service. */
export interface WorkbenchRow {
  readonly name: string;
  readonly lines: number;
  readonly testLines: number;
  /** For each mistake, whether the compiler reports it; undefined where it cannot be made. */
  readonly reported: readonly (boolean | undefined)[];
  readonly testTimes: readonly number[];
  readonly reload: Reload;
}

/** Measures one service, in a copy of its folder. */
export async function measure(
  contender: Contender,
  into: string,
  effort: WorkbenchEffort,
): Promise<WorkbenchRow> {
  const folder = copyOf(contender, into);
  const project = new Project(folder);
  const errors = project.errors();
  if (errors.length > 0) throw new Error(`${contender.name} does not compile:\n${errors.join('\n')}`);
  const reported = MISTAKES.map(({ edits }) => {
    const edit = edits[contender.folder];
    return edit && project.errors(edit).length > 0;
  });
  project.close();
  const testTimes = Array.from({ length: effort.tests }, () => testTime(contender, folder));
  const reload = await reloads(contender, folder, effort.saves);
  const { name, sources } = contender;
  return {
    name,
    lines: linesIn(path.join(folder, sources)),
    testLines: linesIn(path.join(folder, 'test')),
    reported,
    testTimes,
    reload,
  };
}

/** Writes the results as two Markdown tables. */
export function tablesOf(rows: readonly WorkbenchRow[]): string {
  const line = (title: string, cell: (row: WorkbenchRow) => string): string =>
    `| ${[title, ...rows.map(cell)].join(' | ')} |`;
  const head = [line('', ({ name }) => name), `|---|${rows.map(() => '---|').join('')}`];
  const median = (times: readonly number[]): string => `${Math.round(percentile([...times], 0.5))} ms`;
  return [
    ...head,
    line('lines of the service', ({ lines }) => String(lines)),
    line('lines of its test', ({ testLines }) => String(testLines)),
    line('mistakes that the compiler reports', ({ reported }) => {
      const possible = reported.filter((one) => one !== undefined);
      return `${possible.filter(Boolean).length} of ${possible.length}`;
    }),
    line('test, median', ({ testTimes }) => median(testTimes)),
    line('from save to served, median', ({ reload }) => median(reload.times)),
    line('failed requests during the saves', ({ reload }) => `${reload.failed} of ${reload.requests}`),
    '',
    ...head,
    ...MISTAKES.map(({ name }, index) =>
      line(name, ({ reported }) => {
        const one = reported[index];
        return one === undefined ? 'cannot be made' : one ? 'reported' : '–';
      }),
    ),
  ].join('\n');
}

if (import.meta.filename === process.argv[1]) {
  const quick = process.argv.includes('--quick');
  const effort = quick ? { tests: 1, saves: 1 } : { tests: 5, saves: 5 };
  const into = mkdtempSync(path.join(tmpdir(), 'workbench-'));
  try {
    const rows: WorkbenchRow[] = [];
    for (const contender of CONTENDERS) rows.push(await measure(contender, into, effort));
    const { cpu, cores, memory, os, node } = describeMachine('');
    console.log(`${cores} × ${cpu}, ${memory}, ${os}, Node.js ${node}\n\n${tablesOf(rows)}`);
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}
