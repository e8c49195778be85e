/**
 * `npm run bench:check`: measures the most important ratios in about two minutes. Fails if one is
 * more than a quarter below bench/baseline.json. `-- --update` rewrites that file.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findLoadTool } from './lib/load.ts';
import type { Effort } from './lib/measure.ts';
import { checkedScenarios } from './scenarios/checked.ts';

const EFFORT: Effort = { rounds: 3, seconds: 2, warmup: 3 };
/** Permitted loss of a ratio, as a fraction of the baseline. */
const TOLERANCE = 0.25;
const BASELINE = fileURLToPath(new URL('baseline.json', import.meta.url));

type Baseline = Readonly<Record<string, number>>;

async function measure(): Promise<Record<string, number>> {
  const load = findLoadTool();
  if (load === undefined) throw new Error('no load tool: install wrk, or run npm ci in bench/peers');
  const found: Record<string, number> = {};
  for (const scenario of checkedScenarios) {
    console.log(scenario.title);
    const { targets } = await scenario.run({ effort: EFFORT, load, log: (line) => console.log(`  ${line}`) });
    for (const { key, value } of targets) found[key] = Number(value.toFixed(2));
  }
  return found;
}

/** Prints each ratio. Returns whether all are within the tolerance. */
function compare(found: Baseline, baseline: Baseline): boolean {
  let good = true;
  for (const [key, was] of Object.entries(baseline)) {
    const is = found[key];
    const fell = is === undefined || is < was * (1 - TOLERANCE);
    if (fell) good = false;
    console.log(`${fell ? 'FELL' : 'ok  '}  ${key}: ${is ?? 'not measured'}, baseline ${was}`);
  }
  return good;
}

const found = await measure();
if (process.argv.includes('--update')) writeFileSync(BASELINE, `${JSON.stringify(found, undefined, 2)}\n`);
else if (!compare(found, JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline)) process.exitCode = 1;
