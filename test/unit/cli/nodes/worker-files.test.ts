import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { workerFilesIn } from '../../../../src/cli/nodes/worker-files.ts';
import { UsageError } from '../../../../src/cli/settings/errors.ts';
import { tempFolder } from '../../../helpers/temp.ts';

it('worker files: finds TypeScript and JavaScript files only', (t) => {
  const folder = tempFolder(t);
  const files = [
    'b.ts',
    'a.mjs',
    'c.js',
    'd.mts',
    'types.d.ts',
    '_shared.ts',
    '.hidden.js',
    'e.cjs',
    'readme.md',
  ];
  for (const name of files) writeFileSync(path.join(folder, name), '');
  mkdirSync(path.join(folder, 'python.ts'));
  const names = workerFilesIn(folder).map((file) => path.relative(folder, file));
  assert.deepEqual(names, ['a.mjs', 'b.ts', 'c.js', 'd.mts']);
});

it('worker files: rejects a folder without worker files by name', (t) => {
  const folder = tempFolder(t);
  assert.throws(
    () => workerFilesIn(folder),
    (error) =>
      error instanceof UsageError &&
      error.message ===
        `workers: ${JSON.stringify(folder)} contains no worker file; allowed: a folder with files *.ts, *.mts, *.js, *.mjs`,
  );
});
