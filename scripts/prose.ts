/**
 * `npm run prose [-- PATH… | --update]`: checks the text of the project against
 * scripts/lib/prose-phrases.yml.
 *
 * Without a path, it fails on findings outside the folders listed in scripts/lib/prose-todo.txt,
 * and on listed folders without findings. `--update` removes such folders from the list. With
 * paths, it prints the findings under each path and fails if there are any.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareWithList, entryOf, findPhrases, readList } from './lib/prose.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const TODO = path.join(ROOT, 'scripts/lib/prose-todo.txt');

/** Folders and files that contain text. */
const PLACES = [
  ...[
    'src',
    'openapi',
    'workers',
    'templates',
    'examples',
    'test',
    'bench',
    'soak',
    'scripts',
    'deploy',
    'docs',
  ],
  ...[
    'README.md',
    'CHANGELOG.md',
    'Dockerfile',
    'compose.yaml',
    'eslint.config.js',
    '.dependency-cruiser.js',
  ],
];
const EXTENSIONS = /\.(?:ts|mjs|js|md|ya?ml|py|sh|html|service)$|Dockerfile$|^deploy\/.*\.json$/;
/** Generated or third-party text, and the files that contain the phrases themselves. */
const SKIPPED =
  /(?:^|\/)node_modules\/|^docs\/api\/|^docs\/\.vitepress\/(?:cache|dist)\/|^bench\/(?:peers|results)\/|prose-phrases\.yml$|\/prose\.test\.ts$/;

function filesOf(place: string): string[] {
  const stat = statSync(path.join(ROOT, place), { throwIfNoEntry: false });
  if (!stat) return [];
  if (!stat.isDirectory()) return SKIPPED.test(place) || !EXTENSIONS.test(place) ? [] : [place];
  return readdirSync(path.join(ROOT, place))
    .map((name) => path.posix.join(place, name))
    .filter((name) => !SKIPPED.test(`${name}/`))
    .flatMap(filesOf);
}

/** Returns the findings of each file as lines to print. */
function findings(places: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const file of places.flatMap(filesOf).sort()) {
    const lines = findPhrases(file, readFileSync(path.join(ROOT, file), 'utf8')).map(
      ({ line, phrase, advice }) => `${file}:${line} "${phrase}" -> ${advice}`,
    );
    if (lines.length > 0) found.set(file, lines);
  }
  return found;
}

function print(lines: Iterable<string>): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

function check(update: boolean): boolean {
  const text = readFileSync(TODO, 'utf8');
  const found = findings(PLACES);
  const { unlisted, clean } = compareWithList([...found.keys()], readList(text));
  print(unlisted.flatMap((file) => found.get(file) ?? []));
  if (update) {
    const kept = text.split('\n').filter((line) => !clean.includes(line));
    writeFileSync(TODO, kept.join('\n'));
    print(clean.map((entry) => `scripts/lib/prose-todo.txt: removed ${entry}`));
    return unlisted.length === 0;
  }
  print(
    clean.map(
      (entry) => `scripts/lib/prose-todo.txt: ${entry} has no findings; run npm run prose -- --update`,
    ),
  );
  return unlisted.length === 0 && clean.length === 0;
}

function report(places: readonly string[]): boolean {
  const found = findings(places.map((place) => path.posix.normalize(place).replace(/\/$/, '')));
  const byFolder = new Map<string, string[]>();
  for (const [file, lines] of found) {
    const folder = entryOf(file);
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), ...lines]);
  }
  for (const [folder, lines] of byFolder)
    print([`${folder} (${lines.length})`, ...lines.map((line) => `  ${line}`)]);
  return found.size === 0;
}

const places = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const passed = places.length > 0 ? report(places) : check(process.argv.includes('--update'));
process.exitCode = passed ? 0 : 1;
