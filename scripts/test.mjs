/**
 * `npm test [-- FILTER… | --test-…]`: installs and builds what is missing, runs the tests under
 * test/, and fails if a test leaves a process behind.
 *
 * FILTER is a path or a part of one: `npm test -- test/unit/router`. Options are passed to the
 * runner of Node.js; `--test-reporter=spec` prints each test. The last lines of the output are the
 * runner's summary, and the exit code is the runner's.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureHelpers } from './lib/helpers.mjs';
import { ensureBuild, ensureDependencies, ROOT } from './lib/project.mjs';
import { kill, MARK, processesOf } from './lib/test-processes.mjs';

/**
 * Maximum duration of a test file in milliseconds. The runner stops a file that exceeds it, and the
 * reporter ends its processes.
 */
const FILE_TIMEOUT = 600_000;
/** Time, in milliseconds, that processes started by tests have to end after the run. */
const GRACE = 3_000;
/** Kinds of tests that mostly wait run first, so that both cores stay busy until the end. */
const SLOW_FIRST = ['browser', 'fault', 'interop', 'integration'];
/** Usual duration, in milliseconds, of the loop that `slowness` measures, on one free core. */
const USUAL_DURATION = 15;

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
  return Math.max(1, durations.sort((a, b) => a - b)[2] / USUAL_DURATION);
}

ensureDependencies();
ensureBuild();

const given = process.argv.slice(2);
const options = given.filter((arg) => arg.startsWith('-'));
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
const reporter = options.some((option) => option.startsWith('--test-reporter'))
  ? []
  : ['--test-reporter=./scripts/lib/test-reporter.mjs'];
const runner = spawn(
  process.execPath,
  [
    '--import',
    'tsx',
    '--import',
    './scripts/lib/mark-test-file.mjs',
    '--test',
    ...reporter,
    `--test-concurrency=${Math.max(2, os.availableParallelism())}`,
    `--test-timeout=${Math.round(FILE_TIMEOUT * factor)}`,
    ...options,
    ...files,
  ],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, [MARK]: run, ZMQ_GATEWAY_TEST_FACTOR: factor.toFixed(2) },
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => runner.kill(signal));
runner.on('exit', async (code, signal) => {
  const left = await endLeftovers(run);
  process.exit(left > 0 ? 1 : signal ? 1 : code);
});
