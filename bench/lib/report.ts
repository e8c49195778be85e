/** Reports as files: JSON for machines, a Markdown page and SVG charts for people. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from './machine.ts';
import type { Effort } from './measure.ts';
import { type Column, isMet, type Report, type Row, type Target } from './scenario.ts';
import { barChart } from './svg.ts';

/** A report with what it was measured on. */
export interface Result {
  /** Place of the scenario in the page. */
  readonly order: number;
  readonly at: string;
  readonly machine: Machine;
  readonly effort: Effort;
  readonly report: Report;
}

/** Writes the result of one scenario as `<name>.json`. */
export function writeResult(folder: string, result: Result): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${result.report.name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
}

/** All results of a folder, in the order of the page. */
export function readResults(folder: string): Result[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Result)
    .sort((a, b) => a.order - b.order);
}

/** Writes `benchmarks.md` and a chart for each scenario into `docs`. */
export function writePage(docs: string, results: readonly Result[]): void {
  const charts = join(docs, 'benchmarks');
  mkdirSync(charts, { recursive: true });
  for (const { report } of results) writeFileSync(join(charts, `${report.name}.svg`), chart(report));
  writeFileSync(join(docs, 'benchmarks.md'), page(results));
}

/** The page as Markdown. */
function page(results: readonly Result[]): string {
  const targets = results.flatMap(({ report }) => report.targets);
  return `${[
    '# Benchmarks',
    'Made by `npm run bench`; do not edit. All contenders of a table ran in one go, round after round, each once a ' +
      'round; figures are medians over the rounds, ratios are medians of the ratios within a round. CPU is user and ' +
      'system time of all threads of the processes named, from `/proc`. Everything runs on one machine, load ' +
      'generator included. What a contender does and does not do stands beside its figure.',
    machineSection(results),
    '## Targets',
    targets.length === 0 ? 'None measured.' : targetTable(targets),
    ...results.map(section),
  ].join('\n\n')}\n`;
}

function machineSection(results: readonly Result[]): string {
  const last = results.at(-1);
  if (last === undefined) return 'Nothing was measured.';
  const { machine } = last;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return table(
    ['Machine', ''],
    [
      ['CPU', `${machine.cpu}, ${machine.cores} cores`],
      ['Memory', machine.memory],
      ['System', machine.os],
      ['Node.js', machine.node],
      ['Load', machine.load],
      ['Versions', versions.join(', ')],
      ['Measured', last.at.slice(0, 10)],
    ],
  );
}

function targetTable(targets: readonly Target[]): string {
  return table(
    ['Work', 'Against', 'Target', 'Measured', ''],
    targets.map((target) => [
      target.what,
      target.against,
      `${target.bound} ${format(target.want, 2)}${target.unit}`,
      `${format(target.value, 2)}${target.unit}`,
      isMet(target) ? 'met' : '**missed**',
    ]),
  );
}

function section({ report, effort }: Result): string {
  const hasSplit = report.rows.some((row) => row.split !== undefined);
  const hasDoes = report.rows.some((row) => row.does !== undefined);
  const heads = ['', ...report.columns.map(({ title }) => title)];
  if (hasSplit) heads.push('CPU by process, µs');
  if (hasDoes) heads.push('Does and does not');
  const lines = report.rows.map((row) => {
    const cells = [
      row.ours === true ? `**${row.label}**` : row.label,
      ...report.columns.map((column) => cell(row, column)),
    ];
    if (hasSplit) cells.push(row.split ?? '');
    if (hasDoes) cells.push(row.does ?? '');
    return cells;
  });
  const parts = [
    `## ${report.title}`,
    `${report.about} ${effort.rounds} rounds of ${effort.seconds} s.`,
    `![${report.title}](benchmarks/${report.name}.svg)`,
    table(heads, lines),
  ];
  if (report.skipped.length > 0) parts.push(`Left out: ${report.skipped.join('; ')}.`);
  return parts.join('\n\n');
}

/** A report for a terminal. */
export function textOf(report: Report): string {
  const heads = ['', ...report.columns.map(({ title }) => title)];
  const lines = [
    heads,
    ...report.rows.map((row) => [row.label, ...report.columns.map((column) => cell(row, column))]),
  ];
  const widths = heads.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const pad = (text: string, at: number): string =>
    at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0);
  const left = report.skipped.length === 0 ? [] : [`Left out: ${report.skipped.join('; ')}`];
  return [report.title, ...lines.map((line) => `  ${line.map(pad).join('  ')}`), ...left, ''].join('\n');
}

/** The chart of a scenario's drawn column. */
function chart(report: Report): string {
  const column = report.columns.find(({ key }) => key === report.drawn);
  const bars = report.rows
    .filter((row) => Number.isFinite(row.values[report.drawn]))
    .map((row) => ({
      label: row.label,
      value: row.values[report.drawn] ?? 0,
      text: format(row.values[report.drawn] ?? 0, column?.digits ?? 0),
      ours: row.ours,
    }));
  return barChart(`${report.title}: ${column?.title ?? report.drawn}`, bars);
}

function cell(row: Row, column: Column): string {
  const value = row.values[column.key];
  return value === undefined || Number.isNaN(value) ? '–' : format(value, column.digits ?? 0);
}

function format(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((each) => each.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
