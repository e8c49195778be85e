/**
 * `npm test [-- FILTER… | --test-…]`: installs and builds what is missing, runs the tests under
 * test/, and fails if a test leaves a process behind. Files whose first line is `// test:all: REASON`
 * run with `npm run test:all`, which runs everything, and when a filter selects them.
 *
 * FILTER is a path or a part of one: `npm test -- test/unit/router`. `--concurrency=N` runs N
 * files at a time, by default one more than there are cores; `--file-timeout=MS` limits the duration of
 * a file. With `--install-helpers`, a program that tests use and that cannot be installed is an error;
 * without it, its tests are skipped. With `--retry=N`, up to N failed files run once more, one at a
 * time, after all others; if more failed, none does. Files that pass then are listed as flaky, with
 * their failures. Other options are passed to Node.js, such as `--test-name-pattern=TEXT`. The last
 * lines of the output are the counts of the runner.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuild } from './lib/build.mjs';
import { ensureHelpers } from './lib/helpers.mjs';
import { ensureDependencies } from './lib/install.mjs';
import { ROOT } from './lib/project.mjs';
import { runTestFile } from './lib/test-file.mjs';
import { kill, processesOf } from './lib/test-processes.mjs';
import { hasFailed, lineOf, summaryOf } from './lib/test-report.mjs';
import { selectTests, typescriptUnder } from './lib/test-selection.mjs';
import { compileAll } from './lib/typescript/compile.mjs';

/** Default maximum duration of a test file, in milliseconds. A file that exceeds it is cut off. */
const FILE_TIMEOUT = 600_000;
/** Time, in milliseconds, that processes started by tests have to end after the run. */
const GRACE = 3_000;
/** Folders with the TypeScript that tests run. */
const SOURCES = ['src', 'openapi', 'workers', 'templates', 'examples', 'scripts', 'bench', 'soak', 'test'];
/** Usual duration, in milliseconds, of the loop that `slowness` measures, on one free core. */
const USUAL_DURATION = 15;
/** Maximum factor. It bounds the time that a hanging test takes. */
const MAX_FACTOR = 10;

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
await ensureBuild();

const given = process.argv.slice(2);
const VALUE = /^--(file-timeout|concurrency|retry)=(\d+)$/;
const FLAGS = ['--all', '--install-helpers'];
const values = Object.fromEntries(given.flatMap((arg) => [VALUE.exec(arg)?.slice(1)].filter(Boolean)));
const fileTimeout = Number(values['file-timeout'] ?? FILE_TIMEOUT);
// Tests wait for a third of their time.
const concurrency = Number(values['concurrency'] ?? os.availableParallelism() + 1);
const options = given.filter((arg) => arg.startsWith('-') && !VALUE.test(arg) && !FLAGS.includes(arg));
const filters = given.filter((arg) => !arg.startsWith('-')).map((arg) => arg.replace(/^\.\//, ''));
const { files, left } = selectTests(ROOT, { filters, all: given.includes('--all') });
if (files.length === 0) {
  process.stderr.write(`No test file matches ${filters.join(', ')}.\n`);
  process.exit(1);
}
const helpersOfTests = typescriptUnder(ROOT, 'test').filter((file) => !file.endsWith('.test.ts'));
const texts = [...files, ...helpersOfTests].map((file) => readFileSync(path.join(ROOT, file), 'utf8'));
ensureHelpers(texts, { required: given.includes('--install-helpers') });
await compileAll(
  SOURCES.filter((folder) => existsSync(path.join(ROOT, folder)))
    .flatMap((folder) => typescriptUnder(ROOT, folder))
    .map((file) => path.join(ROOT, file)),
);

const run = randomUUID();
const factor = slowness();
process.env.ZMQ_GATEWAY_TEST_FACTOR = factor.toFixed(2);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());

const start = performance.now();

async function runFile(file) {
  const timeout = Math.round(fileTimeout * factor);
  const result = await runTestFile(file, { run, root: ROOT, options, timeout, signal: stop.signal });
  process.stdout.write(lineOf(result));
  return result;
}

let results = [];
const waiting = [...files];
const workers = Array.from({ length: concurrency }, async () => {
  for (let file = waiting.shift(); file !== undefined && !stop.signal.aborted; file = waiting.shift()) {
    results.push(await runFile(file));
  }
});
await Promise.all(workers);

const flaky = [];
const failures = results.filter(hasFailed);
if (failures.length <= Number(values['retry'] ?? 0)) {
  for (const first of failures) {
    if (stop.signal.aborted) break;
    process.stdout.write(`Runs again, alone: ${first.file}\n`);
    const second = await runFile(first.file);
    results = results.map((result) => (result === first ? second : result));
    if (!hasFailed(second)) flaky.push(first);
  }
}
process.stdout.write(summaryOf(results, performance.now() - start, { left, flaky }));
const processes = await endLeftovers(run);
process.exit(results.some(hasFailed) || processes > 0 || stop.signal.aborted ? 1 : 0);
