/** Runs one test file in a process of its own. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { kill, MARK, processesOf } from './test-processes.mjs';

const REPORTER = fileURLToPath(new URL('./test-reporter.mjs', import.meta.url));

/** Module hooks with which Node.js runs TypeScript. */
const REGISTER = new URL('./typescript/register.mjs', import.meta.url).href;

/** Reason of the runner for tests that `--test-name-pattern` leaves out. */
const NOT_SELECTED = 'test name does not match pattern';

/** What the runner counts. */
export const COUNTS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'];

/**
 * Runs a file. A file that exceeds the timeout is cut off, together with the processes that it
 * started.
 *
 * @param {string} file
 * @param {{ run: string, root: string, options: string[], timeout: number, signal: AbortSignal }} how
 *   `run`: mark of the processes; `timeout` in milliseconds.
 */
export async function runTestFile(file, { run, root, options, timeout, signal }) {
  const results = path.join(os.tmpdir(), `${run}-${file.replaceAll('/', '-')}.json`);
  const start = performance.now();
  const mark = `${run}:${file}`;
  const child = spawn(
    process.execPath,
    [
      `--import=${REGISTER}`,
      `--test-reporter=${REPORTER}`,
      `--test-reporter-destination=${results}`,
      ...options,
      file,
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, [MARK]: mark } },
  );
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
  let late = false;
  const cut = () => {
    child.kill('SIGKILL');
    kill(processesOf(mark));
  };
  const timer = setTimeout(() => {
    late = true;
    cut();
  }, timeout);
  signal.addEventListener('abort', cut);
  // The streams stay open while a process that the file left behind has them.
  const code = await new Promise((resolve) => child.once('exit', (status) => resolve(status ?? 1)));
  clearTimeout(timer);
  signal.removeEventListener('abort', cut);
  await new Promise((resolve) => setImmediate(resolve));
  for (const stream of [child.stdout, child.stderr]) stream.destroy();
  const { tests, counts, cpu } = readResults(results);
  const failures = tests.filter(({ failure }) => failure !== undefined);
  if (late) failures.push({ name: file, failure: `took more than ${timeout} ms and was cut off` });
  else if (code !== 0 && failures.length === 0) {
    failures.push({ name: file, failure: `exited with ${code}` });
  }
  // A file that ends without the counts of the runner is one failed test.
  if (failures.length > 0 && counts.fail === 0 && counts.cancelled === 0) counts.fail = 1;
  return {
    file,
    duration: performance.now() - start,
    cpu,
    counts,
    failures,
    skipped: tests.filter(({ skip }) => skip !== undefined && skip !== NOT_SELECTED),
    output: Buffer.concat(output).toString(),
  };
}

function readResults(results) {
  const none = Object.fromEntries(COUNTS.map((name) => [name, 0]));
  try {
    const lines = readFileSync(results, 'utf8').trimEnd().split('\n');
    const records = lines
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line));
    const { counts, cpu } = records.find((record) => record.counts !== undefined) ?? {};
    return { tests: records.filter(({ name }) => name !== undefined), counts: { ...none, ...counts }, cpu };
  } catch {
    return { tests: [], counts: none }; // The file did not start.
  } finally {
    rmSync(results, { force: true });
  }
}
