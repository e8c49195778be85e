/** Results of a soak test as Markdown and charts. */
import type { Machine } from '../../bench/lib/machine.ts';
import { isOutcomeCode, outcomeOf } from '../../src/core/messages/outcome.ts';
import { HTTP_PROBLEMS } from '../../src/gateway/common/problem.ts';
import { lineChart } from './chart.ts';
import type { Verdict } from './checker.ts';
import type { Made } from './faults.ts';
import { NO_ANSWER } from './log.ts';
import { growthOf, type Sample, slopeOf } from './samples.ts';

/** All results of a soak test. */
export interface Findings {
  readonly seconds: number;
  readonly rate: number;
  readonly seed: number;
  /** Whether every process was limited to a fifth of the CPU time it requests. */
  readonly starved: boolean;
  readonly at: string;
  readonly machine: Machine;
  readonly verdict: Verdict;
  readonly faults: readonly Made[];
  /** Faults that failed, and processes that did not stop cleanly. */
  readonly mishaps: readonly string[];
  /** Samples of the steady processes, by name. */
  readonly steady: ReadonlyMap<string, readonly Sample[]>;
}

/**
 * Maximum growth of a steady process's memory from the second quarter of a long run to the last.
 */
const FLAT = 1.25;
/**
 * Runs shorter than this, in seconds, consist mostly of warm-up, so their memory growth is not
 * evaluated.
 */
const LONG = 600;
/**
 * Maximum slope of a steady process's memory, in MiB per minute, in the second half of a run of at
 * least `STEEP_AFTER` seconds.
 */
const STEEP = 0.2;
/** In runs shorter than this, in seconds, garbage collection hides the slope. */
const STEEP_AFTER = 2400;
/** Tolerance for descriptors that connections open and close. */
const LOOSE_HANDLES = 8;

/** Returns the problems found in a run. */
export function complaintsOf(findings: Findings): string[] {
  const { verdict, mishaps, steady, seconds } = findings;
  const grown = [...steady].flatMap(([name, series]) => {
    const memory = growthOf(series, 'memory');
    const handles = growthOf(series, 'handles');
    return [
      ...(seconds >= LONG && memory.after > memory.before * FLAT ? [`the memory of ${name} grows`] : []),
      ...(seconds >= LONG && handles.after > handles.before + LOOSE_HANDLES
        ? [`the descriptors of ${name} grow`]
        : []),
      ...(seconds >= STEEP_AFTER && slopeOf(series) > STEEP
        ? [`the memory of ${name} grows by ${slopeOf(series).toFixed(2)} MiB a minute`]
        : []),
    ];
  });
  return [...verdict.faults, ...mishaps, ...grown];
}

/** Returns the section for docs/reliability/fault-tests.md. */
export function markdownOf(findings: Findings): string {
  const { verdict, machine, faults, seconds, rate, seed, at, starved } = findings;
  return [
    `${count(seconds / 60)} minutes at ${rate} requests a second, seed ${seed}${starved ? ', every process at a fifth of the CPU time it wants' : ''}, on ${machine.cores} cores of ` +
      `${machine.cpu}, ${machine.os}, Node.js ${machine.node.slice(1)}, load and processes on one machine, ${at.slice(0, 10)}.`,
    table(
      [
        'Requests',
        'Executions',
        'Lost',
        'Duplicated',
        'Violations',
        'Success without execution',
        'Idempotent, run again',
        'Faults made',
      ],
      [
        [
          count(verdict.asked),
          count(verdict.executions),
          count(verdict.lost),
          count(verdict.doubled),
          count(verdict.faults.length),
          count(verdict.unfounded),
          count(verdict.repeated),
          count(faults.length),
        ],
      ],
    ),
    table(
      ['Outcome', 'Requests', 'Share', 'Reported as run'],
      [...verdict.outcomes]
        .sort((a, b) => b[1] - a[1])
        .map(([code, number]) => outcomeRow(code, number, verdict.asked)),
    ),
    table(['Fault', 'Times'], tally(faults)),
    table(
      ['Undisturbed process', 'Memory, MiB', 'Growth', 'Slope, MiB a minute', 'Descriptors', 'Growth'],
      [...findings.steady].map(([name, series]) => growthRow(name, series)),
    ),
  ].join('\n\n');
}

/** Returns the charts by file name. */
export function chartsOf({ steady }: Findings): Map<string, string> {
  const chart = (title: string, unit: string, measure: 'memory' | 'handles'): string =>
    lineChart(
      title,
      unit,
      [...steady].map(([label, series]) => {
        return { label, points: series.map((sample) => ({ x: sample.at, y: sample[measure] })) };
      }),
    );
  return new Map([
    ['soak-memory.svg', chart('Resident memory of the processes that are never touched', 'MiB', 'memory')],
    ['soak-handles.svg', chart('Open descriptors of the processes that are never touched', '', 'handles')],
  ]);
}

function outcomeRow(code: string, number: number, all: number): string[] {
  return [
    code === 'ok' ? 'success' : code === NO_ANSWER ? 'HTTP connection broke off' : `\`${code}\``,
    count(number),
    `${((100 * number) / all).toFixed(2)} %`,
    toldOf(code),
  ];
}

function toldOf(code: string): string {
  if (code === 'ok') return 'yes';
  if (code === NO_ANSWER || code in HTTP_PROBLEMS) return 'unknown';
  if (!isOutcomeCode(code) || code === 'HANDLER_ERROR') return 'yes';
  const { dispatched } = outcomeOf(code);
  return dispatched === undefined ? 'unknown' : dispatched ? 'possibly' : 'no';
}

function tally(faults: readonly Made[]): string[][] {
  const counts = new Map<string, number>();
  for (const { what } of faults) counts.set(what, (counts.get(what) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([what, number]) => [what, count(number)]);
}

function growthRow(name: string, series: readonly Sample[]): string[] {
  const memory = growthOf(series, 'memory');
  const handles = growthOf(series, 'handles');
  return [
    name,
    `${memory.before.toFixed(0)} → ${memory.after.toFixed(0)}`,
    `${(memory.after / memory.before).toFixed(2)} ×`,
    slopeOf(series).toFixed(2),
    `${handles.before.toFixed(0)} → ${handles.after.toFixed(0)}`,
    `${(handles.after / handles.before).toFixed(2)} ×`,
  ];
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}
