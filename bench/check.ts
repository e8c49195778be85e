/**
 * `npm run bench:check`: measures the most important ratios, throughput and CPU time, in a few
 * minutes. Rounds are added until the ratios are precise. Fails if one has fallen: if its 95 %
 * confidence interval is outside the tolerance.
 *
 * Without options it compares with bench/baseline.json, which is from one machine; `-- --update`
 * rewrites that file. With `-- --against FOLDER` it compares with another build of this project in
 * the same run, which is exact on any machine.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findLoadTool } from './lib/load.ts';
import { describeMachine } from './lib/machine.ts';
import type { Effort } from './lib/measure.ts';
import { machineTime } from './lib/proc-fs.ts';
import type { Scenario, Target } from './lib/scenario.ts';
import { median } from './lib/stats.ts';
import { type Judgement, judgeLeast, judgeMost } from './lib/verdict.ts';
import { buildsCompared, checkedScenarios } from './scenarios/checked.ts';

const EFFORT: Effort = {
  rounds: 5,
  seconds: 2,
  warmup: 2,
  roundsPerStart: 1,
  precise: { width: 0.06, maxRounds: 15 },
};
/** Permitted change of a ratio, as a fraction: other machines have other ratios. */
const TOLERANCE = 0.25;
/** The same against another build on the same machine. */
const BUILD_TOLERANCE = 0.05;
const BASELINE = fileURLToPath(new URL('baseline.json', import.meta.url));

/** Ratios to compare with. */
interface Baseline {
  /** The machine that they were measured on. */
  readonly machine: string;
  readonly ratios: Readonly<Record<string, Ratios>>;
}

interface Ratios {
  readonly throughput: number;
  readonly cpu: number;
}

type Rounds = Required<Pick<Target, 'rounds' | 'cpu'>>;

async function measure(scenarios: readonly Scenario[]): Promise<Map<string, Rounds>> {
  const load = findLoadTool();
  if (load === undefined) throw new Error('no load tool: install wrk, or run npm ci in bench/peers');
  const found = new Map<string, Rounds>();
  const before = machineTime();
  const [busy = 0] = os.loadavg();
  for (const scenario of scenarios) {
    console.log(scenario.title);
    const { targets } = await scenario.run({ effort: EFFORT, load, log: (line) => console.log(`  ${line}`) });
    for (const { key, rounds = [], cpu = [] } of targets) found.set(key, { rounds, cpu });
  }
  const after = machineTime();
  const stolen = (100 * (after.stolen - before.stolen)) / (after.total - before.total);
  console.log(
    `\nNoise: a load average of ${busy.toFixed(1)} before the first round; the hypervisor took ` +
      `${stolen.toFixed(1)} % of the CPU time; the ratios of a pair varied by ${spread(found)} % between rounds.`,
  );
  return found;
}

/** The median over the pairs of the difference between highest and lowest ratio, in percent. */
function spread(found: ReadonlyMap<string, Rounds>): string {
  const spreads = [...found.values()].map(
    ({ rounds }) => (Math.max(...rounds) - Math.min(...rounds)) / median(rounds),
  );
  return (100 * median(spreads)).toFixed(0);
}

/** Prints the judgements of a pair. Returns whether none of its ratios fell. */
function report(key: string, { rounds, cpu }: Rounds, baseline: Ratios, tolerance: number): boolean {
  const judgements: [string, Judgement, number][] = [
    ['throughput', judgeLeast(rounds, baseline.throughput * (1 - tolerance)), baseline.throughput],
    ['CPU a request', judgeMost(cpu, baseline.cpu * (1 + tolerance)), baseline.cpu],
  ];
  for (const [what, { verdict, interval }, was] of judgements) {
    const { low, median: middle, high } = interval;
    const range = `${middle.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}, ${rounds.length} rounds)`;
    console.log(`${verdict.toUpperCase().padEnd(7)} ${key}, ${what}: ${range}, baseline ${was.toFixed(2)}`);
  }
  return judgements.every(([, { verdict }]) => verdict !== 'fell');
}

/** Compares with the stored baseline. Returns whether no ratio fell. */
function compare(found: ReadonlyMap<string, Rounds>, baseline: Baseline, machine: string): boolean {
  if (machine !== baseline.machine) {
    console.log(`The baseline is from another machine: ${baseline.machine}. This one: ${machine}.`);
  }
  const results = Object.entries(baseline.ratios).map(([key, ratios]) => {
    const rounds = found.get(key);
    if (rounds !== undefined) return report(key, rounds, ratios, TOLERANCE);
    console.log(`FELL    ${key}: not measured`);
    return false;
  });
  return results.every(Boolean);
}

function rounded(found: ReadonlyMap<string, Rounds>, machine: string): Baseline {
  const round = (values: readonly number[]): number => Number(median(values).toFixed(2));
  const ratios = [...found].map(([key, { rounds, cpu }]) => [
    key,
    { throughput: round(rounds), cpu: round(cpu) },
  ]);
  return { machine, ratios: Object.fromEntries(ratios) as Baseline['ratios'] };
}

const { values } = parseArgs({
  options: { update: { type: 'boolean', default: false }, against: { type: 'string' } },
});
const { cpu, cores } = describeMachine('');
const machine = `${cores} × ${cpu}`;
if (values.against !== undefined) {
  const found = await measure(buildsCompared(values.against));
  const results = [...found].map(([key, rounds]) =>
    report(key, rounds, { throughput: 1, cpu: 1 }, BUILD_TOLERANCE),
  );
  if (!results.every(Boolean)) process.exitCode = 1;
} else {
  const found = await measure(checkedScenarios);
  if (values.update) writeFileSync(BASELINE, `${JSON.stringify(rounded(found, machine), undefined, 2)}\n`);
  else if (!compare(found, JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline, machine)) {
    process.exitCode = 1;
  }
}
