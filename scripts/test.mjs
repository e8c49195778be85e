/**
 * `npm test [-- FILTER… | --test-…]`: installs and builds what is missing, runs the tests under
 * test/, and fails if a test leaves a process behind.
 *
 * FILTER is a path or a part of one: `npm test -- test/unit/router`. Options are passed to the
 * runner of Node.js. The last lines of the output are the runner's summary, and the exit code is
 * the runner's.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureHelpers } from './lib/helpers.mjs';
import { ensureBuild, ensureDependencies, ROOT } from './lib/project.mjs';

/** Maximum duration of a test file in milliseconds. The runner stops a file that exceeds it. */
const FILE_TIMEOUT = 240_000;
/** Time, in milliseconds, that processes started by tests have to end after the run. */
const GRACE = 3_000;
/** Kinds of tests that mostly wait run first, so that both cores stay busy until the end. */
const SLOW_FIRST = ['browser', 'fault', 'interop', 'integration'];
const MARK = 'ZMQ_GATEWAY_TEST_RUN';

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

/**
 * Returns the processes with the mark of this run in their environment, which tests and all
 * processes they start inherit. Linux only.
 */
function leftovers(mark) {
  let pids;
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  } catch {
    return [];
  }
  return pids.flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark)) return [];
      return [
        { pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') },
      ];
    } catch {
      return []; // The process has ended in the meantime.
    }
  });
}

async function endLeftovers(mark) {
  const until = Date.now() + GRACE;
  while (leftovers(mark).length > 0 && Date.now() < until) await sleep(50);
  const left = leftovers(mark);
  for (const { pid, command } of left) {
    process.stderr.write(`Left behind by a test: process ${pid}: ${command}\n`);
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // The process has ended in the meantime.
    }
  }
  return left.length;
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

const mark = randomUUID();
const runner = spawn(
  process.execPath,
  [
    '--import',
    'tsx',
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${Math.max(2, os.availableParallelism())}`,
    `--test-timeout=${FILE_TIMEOUT}`,
    ...options,
    ...files,
  ],
  { cwd: ROOT, stdio: 'inherit', env: { ...process.env, [MARK]: mark } },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => runner.kill(signal));
runner.on('exit', async (code, signal) => {
  const left = await endLeftovers(`${MARK}=${mark}`);
  process.exit(left > 0 ? 1 : signal ? 1 : code);
});
