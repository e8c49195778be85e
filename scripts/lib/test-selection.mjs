/** Which test files `npm test` runs, and in which order. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * First line of a test file that `npm test` leaves to `npm run test:all`. It names the reason: what
 * the file takes long for, and which file represents it in `npm test`.
 */
const MARK = /^\/\/ test:all: \S/;

/** Folders whose files mostly wait or take longest run first, so that all cores stay busy until the end. */
const FIRST = ['release', 'docs/snippets', 'browser', 'fault', 'interop', 'integration'];

/** Folders with dependencies and compiler options of their own. */
const OTHER_PROJECTS = /node_modules\/|^bench\/(peers|comparison)\//;

/** TypeScript files under a folder, relative to the root folder, with `/` on every system. */
export function typescriptUnder(root, folder) {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .filter((name) => /(?<!\.d)\.ts$/.test(name) && !OTHER_PROJECTS.test(name))
    .sort();
}

function rank(file) {
  const at = FIRST.findIndex((folder) => file.startsWith(`test/${folder}/`));
  return at < 0 ? FIRST.length : at;
}

/**
 * Selects test files.
 *
 * @param {string} root
 * @param {{ filters: readonly string[], all: boolean }} how `filters`: parts of paths. A file that
 *   one of them selects runs with or without the mark.
 * @returns {{ files: string[], left: string[] }} `left`: files left to `npm run test:all`.
 */
export function selectTests(root, { filters, all }) {
  const files = typescriptUnder(root, 'test')
    .filter((file) => file.endsWith('.test.ts') && !file.startsWith('test/soak/'))
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .sort((a, b) => rank(a) - rank(b));
  if (all || filters.length > 0) return { files, left: [] };
  const isLeft = (file) => MARK.test(readFileSync(path.join(root, file), 'utf8'));
  return { files: files.filter((file) => !isLeft(file)), left: files.filter(isLeft) };
}
