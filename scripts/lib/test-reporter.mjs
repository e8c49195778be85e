/**
 * The report of `npm test`: one line for each file when it ends; after the last one the failures in
 * full, the slowest files, and the summary of the runner. The output of tests is shown if their file
 * fails.
 */
import path from 'node:path';
import { inspect } from 'node:util';
import { kill, MARK, processesOf } from './test-processes.mjs';

const SLOWEST = 10;

class FileReport {
  tests = 0;
  skipped = [];
  #failed = [];
  /** Why the file failed, which may be known before its tests. */
  #failure;
  output = [];
  duration = 0;

  constructor(file) {
    this.name = path.relative(process.cwd(), file);
  }

  add({ name, details, skip }) {
    if (details.type === 'suite') {
      if (!details.passed && !isOfSubtests(details.error)) this.#failed.push({ name, error: details.error });
      return;
    }
    this.tests += 1;
    if (skip !== undefined) this.skipped.push(typeof skip === 'string' ? `${name} (${skip})` : name);
    else if (!details.passed && !isOfSubtests(details.error))
      this.#failed.push({ name, error: details.error });
  }

  /** Records the end of the file itself, which fails without a test when it crashes or is cut off. */
  end({ details }) {
    this.duration = details.duration_ms;
    if (!details.passed) this.#failure = details.error;
    if (details.error?.failureType === 'testTimeoutFailure') kill(processesOf(process.env[MARK], this.name));
  }

  /** The tests that failed. If none did, a file that failed counts as one. */
  get failures() {
    if (this.#failed.length > 0 || this.#failure === undefined) return this.#failed;
    return [{ name: this.name, error: this.#failure }];
  }

  get line() {
    const counts = [this.tests === 1 ? '1 test' : `${this.tests} tests`];
    if (this.skipped.length > 0) counts.push(`${this.skipped.length} skipped`);
    if (this.failures.length > 0) counts.push(`${this.failures.length} failed`);
    const sign = this.failures.length > 0 ? '✖' : '✔';
    const names = this.failures.map(({ name }) => `  ✖ ${name}\n`);
    return `${sign} ${this.name} (${counts.join(', ')}, ${seconds(this.duration)})\n${names.join('')}`;
  }

  get details() {
    const failures = this.failures.map(({ name, error }) => `  ✖ ${name}\n${indented(textOf(error))}\n`);
    const output =
      this.output.length > 0 ? `  Output of the file:\n${indented(this.output.join('').trimEnd())}\n` : '';
    return `${this.name}\n${failures.join('')}${output}`;
  }
}

/** Whether a test failed only because one of its subtests did. */
function isOfSubtests(error) {
  return error?.failureType === 'subtestsFailed';
}

function textOf(error) {
  const cause = error?.cause ?? error;
  return typeof cause === 'string' ? cause : inspect(cause, { depth: 5 });
}

function indented(text) {
  return text.replaceAll(/^/gm, '    ');
}

function seconds(duration) {
  return `${(duration / 1000).toFixed(1)} s`;
}

/**
 * Collects the events of all files. The runner reports files in their order: the events of a file
 * may arrive after its end, but before those of the next file.
 */
class Report {
  summary = '';
  #files = new Map();
  #printed = 0;

  /** Files in order. */
  get files() {
    return [...this.#files.values()];
  }

  add({ type, data }) {
    if (data.file === undefined) {
      if (type === 'test:diagnostic') this.summary += `ℹ ${data.message}\n`;
      return;
    }
    const file = this.#fileOf(data.file);
    if (type === 'test:stdout' || type === 'test:stderr') file.output.push(data.message);
    if (type !== 'test:complete') return;
    if (data.nesting === 0 && data.name === data.file) file.end(data);
    else file.add(data);
  }

  /** Returns the lines of the files before the one of an event, or of all files. */
  *lines(event) {
    const { data } = event ?? {};
    if (data !== undefined && (data.file === undefined || data.name === data.file)) return;
    const { files } = this;
    const until = data === undefined ? files.length : files.indexOf(this.#files.get(data.file));
    for (; this.#printed < until; this.#printed += 1) yield files[this.#printed].line;
  }

  #fileOf(file) {
    if (!this.#files.has(file)) this.#files.set(file, new FileReport(file));
    return this.#files.get(file);
  }
}

export default async function* report(events) {
  const all = new Report();
  for await (const event of events) {
    all.add(event);
    yield* all.lines(event);
  }
  yield* all.lines();
  yield* closing(all.files, all.summary);
}

function* closing(files, summary) {
  const skipped = files.flatMap((file) => file.skipped.map((name) => `  ${file.name}: ${name}\n`));
  if (skipped.length > 0) yield `\nSkipped:\n${skipped.join('')}`;
  const slowest = files.toSorted((a, b) => b.duration - a.duration).slice(0, SLOWEST);
  yield `\nSlowest files:\n${slowest.map((file) => `  ${seconds(file.duration)} ${file.name}\n`).join('')}`;
  const failed = files.filter((file) => file.failures.length > 0);
  if (failed.length > 0) yield `\nFailed:\n${failed.map((file) => file.details).join('\n')}`;
  yield `\n${summary}`;
}
