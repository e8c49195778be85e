/**
 * `npm run tsdoc [-- NAME… | --update]`: checks that everything exported from the public entries
 * has TSDoc.
 *
 * Without names, it fails on findings in exports that scripts/lib/tsdoc-todo.txt does not list, and
 * on listed names without findings. `--update` removes such names from the list. With names, it
 * prints what each of them lacks.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { readList } from './lib/prose.ts';
import { checkTsdoc, type TsdocFinding } from './lib/tsdoc.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const TODO = path.join(ROOT, 'scripts/lib/tsdoc-todo.txt');
const ENTRIES = ['src/index.ts', 'src/gateway/index.ts'].map((file) => path.join(ROOT, file));

function print(lines: Iterable<string>): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

const describe = ({ place, missing }: TsdocFinding) =>
  missing === 'sentence' ? `${place} has no TSDoc` : `${place} has no ${missing}`;

const config = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file));
const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
const findings = checkTsdoc(ENTRIES, options);
const names = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));

if (names.length > 0) {
  const found = findings.filter(({ name }) => names.includes(name));
  print(found.map(describe));
  process.exitCode = found.length > 0 ? 1 : 0;
} else {
  const text = readFileSync(TODO, 'utf8');
  const list = readList(text);
  const unlisted = findings.filter(({ name }) => !list.includes(name));
  const clean = list.filter((name) => !findings.some((finding) => finding.name === name));
  print(unlisted.map(describe));
  if (process.argv.includes('--update')) {
    const kept = text.split('\n').filter((line) => !clean.includes(line));
    writeFileSync(TODO, kept.join('\n'));
  } else {
    print(
      clean.map((name) => `scripts/lib/tsdoc-todo.txt: ${name} lacks nothing; run npm run tsdoc -- --update`),
    );
    if (clean.length > 0) process.exitCode = 1;
  }
  if (unlisted.length > 0) process.exitCode = 1;
}
