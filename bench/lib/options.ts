/** Command-line options of the benchmarks. */
import { parseArgs } from 'node:util';
import type { Effort } from './measure.ts';

/** Values of the options. */
export interface Options {
  readonly effort: Effort;
  /** Names of the scenarios to run; empty for all. */
  readonly only: readonly string[];
}

/** Parses `--rounds N --seconds N --warmup N --only NAME`. The parameters are the defaults. */
export function readOptions(defaults: Effort, args = process.argv.slice(2)): Options {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      warmup: { type: 'string' },
      only: { type: 'string', multiple: true },
    },
  });
  return {
    effort: {
      rounds: atLeast('rounds', values.rounds, defaults.rounds, 1),
      seconds: atLeast('seconds', values.seconds, defaults.seconds, 1),
      warmup: atLeast('warmup', values.warmup, defaults.warmup, 0),
    },
    only: values.only ?? [],
  };
}

function atLeast(name: string, given: string | undefined, otherwise: number, least: number): number {
  const value = given === undefined ? otherwise : Number(given);
  if (Number.isFinite(value) && value >= least && value <= 600) return value;
  throw new Error(`--${name} must be a number from ${least} to 600, got ${String(given)}`);
}
