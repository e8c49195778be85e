import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { listWorkerFiles } from '../../../../src/cli/nodes/worker-files.ts';
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
  const names = listWorkerFiles(folder).map((file) => path.relative(folder, file));
  assert.deepEqual(names, ['a.mjs', 'b.ts', 'c.js', 'd.mts']);
});

it('worker files: a folder may have none', (t) => {
  assert.deepEqual(listWorkerFiles(tempFolder(t)), []);
});
