/**
 * `npm run soak [minutes] [-- --rate N --seed N --starve --page FILE]`: constant load through gateways, routers and workers while
 * faults are made to them, and a checker's verdict on every request. Exits with 1 when something is wrong.
 *
 * With `--starve` every process gets a fifth of the CPU time it wants. With `--page` the tables go into that page, between the marks
 * of the kind of run, and the charts of a run that does not starve into a folder of its name beside it.
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
  if (values.page !== undefined) readPage(values.page, mark); // now rather than in twenty minutes
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
