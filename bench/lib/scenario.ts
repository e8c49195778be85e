/** A scenario: a question about the contenders, and the report that answers it. */
import type { LoadTool } from './load.ts';
import type { Effort } from './measure.ts';

/** The context in which a scenario runs. */
export interface Context {
  readonly effort: Effort;
  /** Generator of HTTP load. */
  readonly load: LoadTool;
  /** Prints progress. */
  readonly log: (line: string) => void;
}

/** A scenario of the benchmark. */
export interface Scenario {
  /** Name of the scenario on the command line and of its files. */
  readonly name: string;
  readonly title: string;
  run(context: Context): Promise<Report>;
}

/** A column of figures. */
export interface Column {
  readonly key: string;
  readonly title: string;
  /**
   * Number of decimal places.
   *
   * @defaultValue 0
   */
  readonly digits?: number;
}

/** A row: a contender, or a size. */
export interface Row {
  readonly label: string;
  readonly values: Readonly<Record<string, number>>;
  /** CPU time per request by process, as text. */
  readonly split?: string;
  /** What the contender includes and omits. */
  readonly does?: string;
  /** Whether the contender belongs to this project; shown in another colour. */
  readonly highlighted?: boolean;
}

/** A target for a measured value. */
export interface Target {
  /** Key in the baseline; constant from run to run. */
  readonly key: string;
  readonly what: string;
  readonly against: string;
  readonly bound: 'at least' | 'at most';
  readonly want: number;
  readonly value: number;
  /** The ratio of each round, if `value` is the median of ratios. */
  readonly rounds?: readonly number[];
  /** The ratio of the CPU time per request of each round, if `value` is the median of ratios. */
  readonly cpu?: readonly number[];
  /** Unit of both values; `×` for a ratio. */
  readonly unit: string;
}

/** The results of a scenario. */
export interface Report {
  readonly name: string;
  readonly title: string;
  /** What was measured and how, in a few sentences. */
  readonly about: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly targets: readonly Target[];
  /** Key of the column shown in the chart. */
  readonly drawn: string;
  /** Contenders that could not run, with the reason. */
  readonly skipped: readonly string[];
}

/** Whether a target is met. */
export function isMet({ bound, want, value }: Target): boolean {
  return bound === 'at least' ? value >= want : value <= want;
}

/** Formats CPU time by process: `gateway 50 + worker 12`. */
export function splitOf(cpu: Readonly<Record<string, number>>): string {
  return Object.entries(cpu)
    .map(([name, used]) => `${name} ${used.toFixed(used < 10 ? 1 : 0)}`)
    .join(' + ');
}
