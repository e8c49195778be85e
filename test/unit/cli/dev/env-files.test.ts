/** Environment files. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { envFilesIn, readEnvFiles } from '../../../../src/cli/dev/env-files.ts';
import { tempFolder } from '../../../helpers/temp.ts';

test('environment files: later files take precedence, and the environment over all of them', (t) => {
  const folder = tempFolder(t);
  const [first, second] = ['a.env', 'b.env'].map((name) => path.join(folder, name)) as [string, string];
  writeFileSync(first, 'A=1\nB="two words"\nC=1 # comment\n');
  writeFileSync(second, 'A=2\nC=2\n');
  assert.deepEqual(readEnvFiles([first, second], { C: 'shell' }), {
    env: { A: '2', B: 'two words', C: 'shell' },
    problems: [],
  });
});

test('environment files: .env of the working folder need not exist; a given file must', (t) => {
  const folder = tempFolder(t);
  assert.deepEqual(envFilesIn(folder, undefined), [path.join(folder, '.env')]);
  assert.deepEqual(readEnvFiles(envFilesIn(folder, undefined), { A: '1' }), {
    env: { A: '1' },
    problems: [],
  });
  const missing = path.join(folder, 'prod.env');
  const { problems } = readEnvFiles(envFilesIn(folder, [missing]), {});
  assert.equal(problems.length, 1);
  assert.ok(problems[0]?.startsWith(`cannot read the environment file ${missing}: ENOENT`));
});
