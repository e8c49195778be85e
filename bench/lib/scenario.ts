/** A scenario: one question asked of the contenders, and the report that answers it. */
import type { LoadTool } from './load.ts';
import type { Effort } from './measure.ts';

/** What a scenario is run with. */
export interface Context {
  readonly effort: Effort;
  /** Tool for load over HTTP. */
  readonly load: LoadTool;
  /** Tells what is going on. */
  readonly log: (line: string) => void;
}

/** One question. */
export interface Scenario {
  /** Name of the scenario, of its files and on the command line. */
  readonly name: string;
  readonly title: string;
  run(context: Context): Promise<Report>;
}

/** A column of figures. */
export interface Column {
  readonly key: string;
  readonly title: string;
  /** Digits after the point; default 0. */
  readonly digits?: number;
}

/** A contender, or a size. */
export interface Row {
  readonly label: string;
  readonly values: Readonly<Record<string, number>>;
  /** CPU a request by process, in words. */
  readonly split?: string;
  /** What it does and does not do. */
  readonly does?: string;
  /** Whether it is ours; shown in another colour. */
  readonly ours?: boolean;
}

/** A figure that issue or design asks for. */
export interface Target {
  /** Key in the baseline: stays the same from run to run. */
  readonly key: string;
  readonly what: string;
  readonly against: string;
  readonly bound: 'at least' | 'at most';
  readonly want: number;
  readonly value: number;
  /** Unit of both; `×` for a ratio. */
  readonly unit: string;
}

/** What a scenario found. */
export interface Report {
  readonly name: string;
  readonly title: string;
  /** What was measured and how, in a few sentences. */
  readonly about: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly targets: readonly Target[];
  /** Column that is drawn. */
  readonly drawn: string;
  /** Who could not take part, and why. */
  readonly skipped: readonly string[];
}

/** Whether a target is met. */
export function isMet({ bound, want, value }: Target): boolean {
  return bound === 'at least' ? value >= want : value <= want;
}

/** `gateway 50 + worker 12`. */
export function splitOf(cpu: Readonly<Record<string, number>>): string {
  return Object.entries(cpu)
    .map(([name, used]) => `${name} ${used.toFixed(used < 10 ? 1 : 0)}`)
    .join(' + ');
}
