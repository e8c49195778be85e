/**
 * Each folder of src says what lives there: the first comment of its `index.ts`, or else of its
 * first file, begins with the name of the folder.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '../helpers/temp.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Least and greatest length of an introduction, in characters. */
const SHORTEST = 40;
const LONGEST = 500;

/** The folders below `folder` that contain TypeScript files, each with them in order. */
function folders(folder: string): [string, string[]][] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
  const below = entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => folders(path.join(folder, name)));
  return files.length === 0 ? below : [[folder, files.map(({ name }) => name).sort()], ...below];
}

/** The first paragraph of the comment at the top of a file. */
function introduction(text: string): string {
  const comment = /^(?:#!.*\n)?\/\*\*([^]*?)\*\//.exec(text)?.[1] ?? '';
  const paragraph = comment
    .replaceAll(/^ *\* ?/gm, '')
    .trim()
    .split(/\n\s*\n/)[0];
  return (paragraph ?? '').replaceAll(/\s+/g, ' ');
}

/** The files whose introduction does not say what lives in their folder. */
function missing(root: string): string[] {
  return folders(root).flatMap(([folder, files]) => {
    const file = files.includes('index.ts') ? 'index.ts' : (files[0] ?? '');
    const text = introduction(readFileSync(path.join(folder, file), 'utf8'));
    const [name = '', ...rest] = text.split(': ');
    const described = rest.join(': ').length;
    const isNamed = name.toLowerCase().split('/').at(-1) === path.basename(folder);
    return isNamed && described >= SHORTEST && described <= LONGEST
      ? []
      : [path.relative(root, path.join(folder, file))];
  });
}

test('folders: each folder of src says what lives there', () => {
  assert.deepEqual(missing(path.join(ROOT, 'src')), []);
});

test('folders: one without an introduction is reported', (t) => {
  const root = tempFolder(t);
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  const good = 'what a caller and a handler share, in two lines of text.';
  write('good/index.ts', `#!/usr/bin/env node\n/**\n * good: ${good}\n *\n * Details.\n */\n`);
  write('good/a.ts', '/** Another file. */\n');
  write('good/below/b.ts', `/** good/below: ${good} */\n`);
  write('other/a.ts', `/** good: ${good} */\n`);
  write('short/a.ts', '/** short: files. */\n');
  write('late/a.ts', '/** Another file. */\n');
  write('late/b.ts', `/** late: ${good} */\n`);
  write('none/a.ts', 'export const a = 1;\n');
  assert.deepEqual(missing(root), ['late/a.ts', 'none/a.ts', 'other/a.ts', 'short/a.ts']);
});
