/** Code frames. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { codeFrame } from '../../../../src/cli/dev/code-frame.ts';
import { painter } from '../../../../src/cli/terminal/colours.ts';
import { tempFolder } from '../../../helpers/temp.ts';

const plain = painter();

test('code frame: shows two lines before and after, and marks the column', (t) => {
  const file = path.join(tempFolder(t), 'a.ts');
  writeFileSync(file, Array.from({ length: 12 }, (_, index) => `line${index + 1}`).join('\n'));
  assert.deepEqual(codeFrame({ file, line: 10, column: 3 }, plain), [
    '   8 | line8',
    '   9 | line9',
    '> 10 | line10',
    '     |   ^',
    '  11 | line11',
    '  12 | line12',
  ]);
});

test('code frame: keeps tabs before the mark, and works at both ends of a file and without a column', (t) => {
  const file = path.join(tempFolder(t), 'a.ts');
  writeFileSync(file, '\tone\r\ntwo\r\n');
  assert.deepEqual(codeFrame({ file, line: 1, column: 2 }, plain), [
    '> 1 | \tone',
    '    | \t^',
    '  2 | two',
    '  3 |',
  ]);
  assert.deepEqual(codeFrame({ file, line: 3, column: undefined }, plain), [
    '  1 | \tone',
    '  2 | two',
    '> 3 |',
  ]);
});

test('code frame: is empty for a file or line that does not exist', (t) => {
  const file = path.join(tempFolder(t), 'a.ts');
  assert.deepEqual(codeFrame({ file, line: 1, column: 1 }, plain), []);
  writeFileSync(file, 'one');
  assert.deepEqual(codeFrame({ file, line: 2, column: 1 }, plain), []);
  assert.deepEqual(codeFrame({ file, line: 0, column: 1 }, plain), []);
});
