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
import { chartsOf, complaintsOf, markdownOf } from './lib/report.ts';
import { soak } from './lib/run.ts';

const MOST_COMPLAINTS = 20;

function numberFrom(text: string, name: string, least: number): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= least) return value;
  throw new Error(`${name} must be a number from ${least}, got ${JSON.stringify(text)}`);
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
  if (values.page !== undefined) readPage(values.page, mark); // fails now instead of after the run
  const findings = await soak({
    seconds: 60 * numberFrom(positionals[0] ?? '1', 'minutes', 0.01),
    rate: numberFrom(values.rate, 'rate', 1),
    seed: numberFrom(values.seed, 'seed', 0),
    starve: values.starve,
    gateways: 2,
    workers: 4,
    say: (line) => process.stderr.write(`${line}\n`),
  });
  const markdown = markdownOf(findings);
  process.stdout.write(`${markdown}\n`);
  if (values.page !== undefined) {
    writePage(values.page, mark, markdown, values.starve ? new Map() : chartsOf(findings));
  }
  const complaints = complaintsOf(findings);
  for (const complaint of complaints.slice(0, MOST_COMPLAINTS)) process.stderr.write(`wrong: ${complaint}\n`);
  if (complaints.length > MOST_COMPLAINTS)
    process.stderr.write(`… and ${complaints.length - MOST_COMPLAINTS} more\n`);
  return complaints.length === 0 ? 0 : 1;
}

process.exitCode = await main();
