/**
 * docs/reliability/index.md names tests that exist, and shows the transitions of the model.
 * After an intended change of the model: `UPDATE_SNAPSHOTS=1 npm test -- test/docs/reliability`.
 */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { lifeTable } from '../property/request-life.ts';
import { ROOT, readPage } from './pages.ts';

const PAGE = 'docs/reliability/index.md';
const page = readPage(PAGE);

/** Returns the part of the page below a heading. */
function section(heading: string): string {
  const [, rest = ''] = page.split(`\n## ${heading}\n`);
  return rest.split('\n## ')[0] ?? '';
}

test('docs/reliability: every guarantee names tests that exist', () => {
  const rows = section('Guarantees')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| guarantee'));
  assert.ok(rows.length > 15, 'the table was not read');
  const missing = rows.flatMap((row) => {
    const named = [...row.matchAll(/`(test\/[\w./-]+)` "([^"]+)"/g)];
    if (named.length === 0) return [`the row names no test: ${row}`];
    return named.flatMap(([, file = '', title = '']) => {
      const there = existsSync(path.join(ROOT, file)) && readPage(file).includes(title);
      return there ? [] : [`${file}: ${title}`];
    });
  });
  assert.deepEqual(missing, []);
});

/** Returns the fault tests that the page lists. */
const SCRIPTS = [
  'worker-killed',
  'worker-stopped',
  'router-restarted',
  'replies',
  'slow-consumer',
  'queue-full',
  'wrong-key',
  'clock-jumps',
  'partition',
  'overload',
  'contract-restarts',
];

test('docs/reliability: the checker judges every listed fault test', () => {
  const unjudged = SCRIPTS.filter(
    (name) => !readPage(`test/fault/${name}.test.ts`).includes('scene.assertGuarantees('),
  );
  assert.deepEqual(unjudged, []);
});

test('docs/reliability: the table of transitions matches the model', () => {
  const right = page.replace(
    /(<!-- life -->\n)[^]*?(<!-- \/life -->)/,
    (_, start: string, end: string) => `${start}\n${lifeTable()}\n\n${end}`,
  );
  if (process.env['UPDATE_SNAPSHOTS']) writeFileSync(path.join(ROOT, PAGE), right);
  assert.equal(readPage(PAGE), right);
  assert.ok(right.includes(lifeTable()), 'the page has no marks for the table');
});
