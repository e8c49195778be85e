/**
 * `npm run bench`: runs all scenarios, or those selected with `--only`, and writes
 * bench/results/*.json and docs/benchmarks.md.
 *
 * The peers have their own dependencies (`npm ci` in bench/peers). Contenders whose dependencies
 * are missing are skipped.
 */
import { fileURLToPath } from 'node:url';
import { findLoadTool } from './lib/load.ts';
import { describeMachine } from './lib/machine.ts';
import type { Effort } from './lib/measure.ts';
import { readOptions } from './lib/options.ts';
import { readResults, writePage, writeResult } from './lib/report.ts';
import { isMet, type Report, type Scenario } from './lib/scenario.ts';
import { scenarios } from './scenarios/index.ts';

const DEFAULTS: Effort = { rounds: 5, seconds: 4, warmup: 3 };
const RESULTS = fileURLToPath(new URL('results', import.meta.url));
const DOCS = fileURLToPath(new URL('../docs', import.meta.url));

/** Runs scenarios one after the other and writes the result of each. */
async function run(chosen: readonly Scenario[], effort: Effort): Promise<void> {
  const load = findLoadTool();
  if (load === undefined) throw new Error('no load tool: install wrk, or run npm ci in bench/peers');
  const machine = describeMachine(load.name);
  for (const scenario of chosen) {
    console.log(`\n${scenario.title}`);
    const log = (line: string): void => console.log(`  ${line}`);
    const report = await scenario.run({ effort, load, log });
    const order = scenarios.indexOf(scenario);
    writeResult(RESULTS, { order, at: new Date().toISOString(), machine, effort, report });
    show(report);
  }
  writePage(DOCS, readResults(RESULTS));
}

function show({ targets, skipped }: Report): void {
  for (const target of targets) {
    const { what, against, value, bound, want, unit } = target;
    const verdict = isMet(target) ? 'met' : 'MISSED';
    console.log(
      `  ${verdict}: ${what} against ${against}: ${value.toFixed(2)}${unit}, ${bound} ${want}${unit}`,
    );
  }
  if (skipped.length > 0) console.log(`  left out: ${skipped.join('; ')}`);
}

const { effort, only } = readOptions(DEFAULTS);
const unknown = only.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  throw new Error(
    `no scenario ${unknown.join(', ')}; there are ${scenarios.map(({ name }) => name).join(', ')}`,
  );
}
await run(only.length === 0 ? scenarios : scenarios.filter(({ name }) => only.includes(name)), effort);
