/**
 * `npm run soak [minutes] [-- --rate N --seed N --starve --page FILE]`: runs constant load through
 * gateways, routers and workers while faults are injected, and checks the outcome of every request.
 * Exits with code 1 if it finds a problem.
 *
 * `--starve` limits every process to a fifth of the CPU time it requests. `--page` writes the
 * tables into that page, between the marks for the kind of run. The charts of a run without
 * `--starve` go into a folder with the page's name beside it.
 */
import { parseArgs } from 'node:util';
import { readPage, writePage } from './lib/page.ts';
import { chartsOf, markdownOf, problemsOf } from './lib/report.ts';
import { soak } from './lib/run.ts';

const MAX_PROBLEMS = 20;

function numberFrom(text: string, name: string, min: number): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= min) return value;
  throw new Error(`${name} must be a number from ${min}, got ${JSON.stringify(text)}`);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rate: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      starve: { type: 'boolean', default: false },
      page: { type: 'string' },
    },
  });
  const mark = values.starve ? 'soak-starved' : 'soak';
  if (values.page !== undefined) readPage(values.page, mark); // fails before the run instead of after it
  const result = await soak({
    seconds: 60 * numberFrom(positionals[0] ?? '1', 'minutes', 0.01),
    rate: numberFrom(values.rate, 'rate', 1),
    seed: numberFrom(values.seed, 'seed', 0),
    starve: values.starve,
    gateways: 2,
    workers: 4,
    report: (line) => process.stderr.write(`${line}\n`),
  });
  const markdown = markdownOf(result);
  process.stdout.write(`${markdown}\n`);
  if (values.page !== undefined) {
    writePage(values.page, mark, markdown, values.starve ? new Map() : chartsOf(result));
  }
  const problems = problemsOf(result);
  for (const problem of problems.slice(0, MAX_PROBLEMS)) process.stderr.write(`problem: ${problem}\n`);
  if (problems.length > MAX_PROBLEMS) process.stderr.write(`… and ${problems.length - MAX_PROBLEMS} more\n`);
  return problems.length === 0 ? 0 : 1;
}

process.exitCode = await main();
