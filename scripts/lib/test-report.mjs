/**
 * The report of `npm test`: one line for each file when it ends; after the last one the skipped
 * tests, the slowest files, the flaky files and the failures in full, and the counts of the runner. The output of tests
 * is shown if their file fails.
 */
import { COUNTS } from './test-file.mjs';

const SLOWEST = 10;

/** The line of a file, and the names of its failed tests. */
export function lineOf({ file, counts, duration, failures, skipped }) {
  const parts = [counts.tests === 1 ? '1 test' : `${counts.tests} tests`];
  if (skipped.length > 0) parts.push(`${skipped.length} skipped`);
  if (failures.length > 0) parts.push(`${failures.length} failed`);
  const names = failures.map(({ name }) => `  ✖ ${name}\n`);
  return `${failures.length > 0 ? '✖' : '✔'} ${file} (${parts.join(', ')}, ${seconds(duration)})\n${names.join('')}`;
}

/** Whether a file failed. */
export function hasFailed({ failures }) {
  return failures.length > 0;
}

/**
 * The end of the report. `left`: files left to `npm run test:all`; `flaky`: the first results of files
 * that passed when they ran again.
 */
export function summaryOf(results, duration, { left = [], flaky = [] } = {}) {
  const skipped = results.flatMap(({ file, skipped }) => {
    return skipped.map(
      ({ name, skip }) => `  ${file}: ${name}${typeof skip === 'string' ? ` (${skip})` : ''}\n`,
    );
  });
  const slowest = results.toSorted((a, b) => b.duration - a.duration).slice(0, SLOWEST);
  const failed = results.filter(hasFailed);
  const counts = COUNTS.map(
    (name) => `ℹ ${name} ${results.reduce((sum, { counts }) => sum + counts[name], 0)}\n`,
  );
  return [
    ...(skipped.length > 0 ? ['\nSkipped:\n', ...skipped] : []),
    '\nSlowest files:\n',
    ...slowest.map((each) => `  ${seconds(each.duration)} ${each.file}${cpuOf(each)}\n`),
    ...(flaky.length > 0 ? ['\nFlaky (failed first, passed alone):\n', ...flaky.map(detailsOf)] : []),
    ...(failed.length > 0 ? ['\nFailed:\n', ...failed.map(detailsOf)] : []),
    ...(left.length > 0
      ? [`\nLeft to npm run test:all: ${left.length} ${left.length === 1 ? 'file' : 'files'}\n`]
      : []),
    '\n',
    ...counts,
    `ℹ duration_ms ${duration.toFixed(0)}\n`,
  ].join('');
}

function detailsOf({ file, failures, output }) {
  const texts = failures.map(({ name, failure }) => `  ✖ ${name}\n${indented(failure)}\n`);
  const printed = output.trim() === '' ? '' : `  Output of the file:\n${indented(output.trimEnd())}\n`;
  return `${file}\n${texts.join('')}${printed}\n`;
}

/** CPU time beside the duration: a file that waits for the CPU takes longer with the same CPU time. */
function cpuOf({ cpu }) {
  return cpu === undefined ? '' : ` (CPU ${seconds(cpu)})`;
}

function indented(text) {
  return text.replaceAll(/^/gm, '    ');
}

function seconds(duration) {
  return `${(duration / 1000).toFixed(1)} s`;
}
