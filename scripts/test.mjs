/**
 * `npm test [-- FILTER… | --test-…]`: installs and builds what is missing, runs the tests under
 * test/, and fails if a test leaves a process behind.
 *
 * FILTER is a path or a part of one: `npm test -- test/unit/router`. `--concurrency=N` runs N
 * files at a time, by default one for each core and at least two; `--file-timeout=MS` limits the
 * duration of a file. Other options are passed to Node.js, such as `--test-name-pattern=TEXT`. The
 * last lines of the output are the counts of the runner.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureHelpers } from './lib/helpers.mjs';
import { ensureBuild, ensureDependencies, ROOT } from './lib/project.mjs';
import { runTestFile } from './lib/test-file.mjs';
import { kill, processesOf } from './lib/test-processes.mjs';
import { lineOf, summaryOf } from './lib/test-report.mjs';

/** Default maximum duration of a test file, in milliseconds. A file that exceeds it is cut off. */
const FILE_TIMEOUT = 600_000;
/** Time, in milliseconds, that processes started by tests have to end after the run. */
const GRACE = 3_000;
/** Kinds of tests that mostly wait run first, so that both cores stay busy until the end. */
const SLOW_FIRST = ['browser', 'fault', 'interop', 'integration'];
/** Usual duration, in milliseconds, of the loop that `slowness` measures, on one free core. */
const USUAL_DURATION = 15;
/** Maximum factor. It bounds the time that a hanging test takes. */
const MAX_FACTOR = 10;

function typescriptUnder(folder) {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .filter((name) => name.endsWith('.ts'))
    .sort();
}

function rank(file) {
  const at = SLOW_FIRST.indexOf(file.split('/')[1]);
  return at < 0 ? SLOW_FIRST.length : at;
}

/** Ends the processes that tests left behind, and returns their number. */
async function endLeftovers(run) {
  const until = Date.now() + GRACE * factor;
  while (processesOf(run).length > 0 && Date.now() < until) await sleep(50);
  const left = processesOf(run);
  for (const { pid, command, file } of left) {
    process.stderr.write(`Left behind by ${file ?? 'a test'}: process ${pid}: ${command}\n`);
  }
  kill(left);
  return left.length;
}

/**
 * Measures by which factor this machine is slower than usual; at least 1. The limits of tests and
 * files grow with it.
 */
function slowness() {
  const durations = Array.from({ length: 5 }, () => {
    const start = performance.now();
    let sum = 0;
    for (let index = 0; index < 10_000_000; index += 1) sum = (sum * 31 + index) | 0;
    return performance.now() - start + sum * 0;
  });
  const [, , median] = durations.sort((a, b) => a - b);
  return Math.min(MAX_FACTOR, Math.max(1, median / USUAL_DURATION));
}

ensureDependencies();
ensureBuild();

const given = process.argv.slice(2);
const OWN_OPTION = /^--(file-timeout|concurrency)=(\d+)$/;
const own = Object.fromEntries(given.flatMap((arg) => [OWN_OPTION.exec(arg)?.slice(1)].filter(Boolean)));
const fileTimeout = Number(own['file-timeout'] ?? FILE_TIMEOUT);
const concurrency = Number(own['concurrency'] ?? Math.max(2, os.availableParallelism()));
const options = given.filter((arg) => arg.startsWith('-') && !OWN_OPTION.test(arg));
const filters = given.filter((arg) => !arg.startsWith('-')).map((arg) => arg.replace(/^\.\//, ''));
const sources = typescriptUnder('test').filter((file) => !file.startsWith('test/soak/'));
const files = sources
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
  .sort((a, b) => rank(a) - rank(b));
if (files.length === 0) {
  process.stderr.write(`No test file matches ${filters.join(', ')}.\n`);
  process.exit(1);
}
const helpersOfTests = sources.filter((file) => !file.endsWith('.test.ts'));
ensureHelpers([...files, ...helpersOfTests].map((file) => readFileSync(path.join(ROOT, file), 'utf8')));

const run = randomUUID();
const factor = slowness();
process.env.ZMQ_GATEWAY_TEST_FACTOR = factor.toFixed(2);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());

const start = performance.now();
const results = [];
const waiting = [...files];
const workers = Array.from({ length: concurrency }, async () => {
  for (let file = waiting.shift(); file !== undefined && !stop.signal.aborted; file = waiting.shift()) {
    const timeout = Math.round(fileTimeout * factor);
    const result = await runTestFile(file, { run, root: ROOT, options, timeout, signal: stop.signal });
    process.stdout.write(lineOf(result));
    results.push(result);
  }
});
await Promise.all(workers);
process.stdout.write(summaryOf(results, performance.now() - start));
const left = await endLeftovers(run);
const failed = results.some(({ failures }) => failures.length > 0);
process.exit(failed || left > 0 || stop.signal.aborted ? 1 : 0);
