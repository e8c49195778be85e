/**
 * `npm run prose [-- PATH…]`: checks the text of the project against scripts/lib/prose-phrases.yml.
 *
 * It prints the findings and fails if there are any. With paths, it checks only the files there.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPhrases } from './lib/prose.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

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

const paths = process.argv.slice(2).map((place) => path.posix.normalize(place).replace(/\/$/, ''));
const files = (paths.length > 0 ? paths : PLACES).flatMap(filesOf).sort();
let failed = false;
for (const file of files) {
  for (const { line, phrase, advice } of findPhrases(file, readFileSync(path.join(ROOT, file), 'utf8'))) {
    process.stdout.write(`${file}:${line} "${phrase}" -> ${advice}\n`);
    failed = true;
  }
}
process.exitCode = failed ? 1 : 0;
