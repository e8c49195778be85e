/** Results of a soak test as Markdown and charts. */
import type { Machine } from '../../bench/lib/machine.ts';
import { lineChart } from '../../bench/lib/svg.ts';
import { isOutcomeCode, outcomeOf } from '../../src/core/messages/outcome.ts';
import { HTTP_PROBLEMS } from '../../src/gateway/common/problem.ts';
import type { CheckResult } from './checker.ts';
import type { InjectedFault } from './faults.ts';
import { NO_RESPONSE } from './log.ts';
import { growthOf, type Sample, slopeOf } from './samples.ts';

/** All results of a soak test. */
export interface SoakResult {
  readonly seconds: number;
  readonly rate: number;
  readonly seed: number;
  /** Whether every process was limited to a fifth of the CPU time it requests. */
  readonly starved: boolean;
  readonly at: string;
  readonly machine: Machine;
  readonly check: CheckResult;
  readonly faults: readonly InjectedFault[];
  /** Faults that failed, and processes that did not stop cleanly. */
  readonly failures: readonly string[];
  /** Samples of the steady processes, by name. */
  readonly steady: ReadonlyMap<string, readonly Sample[]>;
}

/**
 * Maximum growth of a steady process's memory from the second quarter of a long run to the last.
 */
const MAX_GROWTH = 1.25;
/**
 * Runs shorter than this, in seconds, consist mostly of warm-up, so their memory growth is not
 * evaluated.
 */
const GROWTH_CHECK_AFTER = 600;
/**
 * Maximum slope of a steady process's memory, in MiB per minute, in the second half of a run of at
 * least `STEEP_AFTER` seconds.
 */
const MAX_SLOPE = 0.2;
/** In runs shorter than this, in seconds, garbage collection hides the slope. */
const SLOPE_CHECK_AFTER = 2400;
/** Tolerance for descriptors that connections open and close. */
const HANDLE_TOLERANCE = 8;

/** Returns the problems found in a run. */
export function problemsOf(result: SoakResult): string[] {
  const { check, failures, steady, seconds } = result;
  const grown = [...steady].flatMap(([name, series]) => {
    const memory = growthOf(series, 'memory');
    const handles = growthOf(series, 'handles');
    return [
      ...(seconds >= GROWTH_CHECK_AFTER && memory.after > memory.before * MAX_GROWTH
        ? [`the memory of ${name} grows`]
        : []),
      ...(seconds >= GROWTH_CHECK_AFTER && handles.after > handles.before + HANDLE_TOLERANCE
        ? [`the descriptors of ${name} grow`]
        : []),
      ...(seconds >= SLOPE_CHECK_AFTER && slopeOf(series) > MAX_SLOPE
        ? [`the memory of ${name} grows by ${slopeOf(series).toFixed(2)} MiB per minute`]
        : []),
    ];
  });
  return [...check.violations, ...failures, ...grown];
}

/** Returns the section for docs/reliability/fault-tests.md. */
export function markdownOf(result: SoakResult): string {
  const { check, machine, faults, seconds, rate, seed, at, starved } = result;
  return [
    `${count(seconds / 60)} minutes at ${rate} requests per second, seed ${seed}${starved ? ', every process limited to a fifth of the CPU time that it requests' : ''}, on ${machine.cores} cores of ` +
      `${machine.cpu}, ${machine.os}, Node.js ${machine.node.slice(1)}, load and processes on one machine, ${at.slice(0, 10)}.`,
    table(
      [
        'Requests',
        'Executions',
        'Lost',
        'Duplicated',
        'Violations',
        'Success without execution',
        'Idempotent, run more than once',
        'Faults injected',
      ],
      [
        [
          count(check.requests),
          count(check.executions),
          count(check.lost),
          count(check.duplicated),
          count(check.violations.length),
          count(check.unsupported),
          count(check.rerun),
          count(faults.length),
        ],
      ],
    ),
    table(
      ['Outcome', 'Requests', 'Share', 'Executed'],
      [...check.outcomes]
        .sort((a, b) => b[1] - a[1])
        .map(([code, number]) => outcomeRow(code, number, check.requests)),
    ),
    table(['Fault', 'Times'], countFaults(faults)),
    table(
      ['Process without faults', 'Memory, MiB', 'Growth', 'Slope, MiB per minute', 'Descriptors', 'Growth'],
      [...result.steady].map(([name, series]) => growthRow(name, series)),
    ),
  ].join('\n\n');
}

/** Returns the charts by file name. */
export function chartsOf({ steady }: SoakResult): Map<string, string> {
  const chart = (title: string, unit: string, measure: 'memory' | 'handles'): string =>
    lineChart(
      title,
      unit,
      [...steady].map(([label, series]) => {
        return { label, points: series.map((sample) => ({ x: sample.at, y: sample[measure] })) };
      }),
    );
  return new Map([
    ['soak-memory.svg', chart('Resident memory of the processes without injected faults', 'MiB', 'memory')],
    ['soak-handles.svg', chart('Open descriptors of the processes without injected faults', '', 'handles')],
  ]);
}

function outcomeRow(code: string, number: number, all: number): string[] {
  return [
    code === 'ok' ? 'success' : code === NO_RESPONSE ? 'HTTP connection closed' : `\`${code}\``,
    count(number),
    `${((100 * number) / all).toFixed(2)} %`,
    executedOf(code),
  ];
}

function executedOf(code: string): string {
  if (code === 'ok') return 'yes';
  if (code === NO_RESPONSE || code in HTTP_PROBLEMS) return 'unknown';
  if (!isOutcomeCode(code) || code === 'HANDLER_ERROR') return 'yes';
  const { dispatched } = outcomeOf(code);
  return dispatched === undefined ? 'unknown' : dispatched ? 'possibly' : 'no';
}

function countFaults(faults: readonly InjectedFault[]): string[][] {
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

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(titles), `|${titles.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}
