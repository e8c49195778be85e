/**
 * Reporter in the process of a test file: one line of JSON for each test, and one with the counts of
 * the runner. `test-report.mjs` makes the report from them.
 */
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';

export default async function* report(events) {
  const counts = {};
  for await (const { type, data } of events) {
    if (type === 'test:pass' || type === 'test:fail') yield `${JSON.stringify(outcomeOf(type, data))}\n`;
    // The runner ends with diagnostics such as `tests 5`. Those of tests have a file.
    const [, name, count] = /^(\w+) ([\d.]+)$/.exec(data?.message ?? '') ?? [];
    if (type === 'test:diagnostic' && data.nesting === 0 && name !== undefined) counts[name] = Number(count);
  }
  yield `${JSON.stringify({ counts, cpu: cpuTime() })}\n`;
}

/** Clock ticks per second in /proc, on every architecture that Node.js supports. */
const TICKS = 100;

/** CPU time of this process and of its children that have ended, in ms; undefined without /proc. */
function cpuTime() {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS) * 1000;
  } catch {
    return undefined;
  }
}

function outcomeOf(type, { name, skip, details }) {
  const { error } = details;
  // A suite fails with each of its tests, which are reported themselves.
  const isOfSubtests = error?.failureType === 'subtestsFailed';
  const failure = type === 'test:fail' && !isOfSubtests ? textOf(error) : undefined;
  return { name, suite: details.type === 'suite', skip, failure };
}

function textOf(error) {
  const cause = error?.cause ?? error;
  return typeof cause === 'string' ? cause : inspect(cause, { depth: 5 });
}
