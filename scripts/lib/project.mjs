/**
 * Installs and builds the project if needed, for `npm start` and `npm test`. Plain JavaScript
 * without dependencies, because it runs first in a fresh clone.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSwaggerUi } from './swagger-ui.mjs';

/** Root folder of the project. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** The built command, relative to the root folder. */
export const MAIN = 'dist/cli/main.js';

const STAMP = 'dist/.built';

/**
 * Runs a command with its output on standard error. If it fails, exits with the same code or
 * signal.
 */
function run(root, command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.error) throw result.error;
  if (result.signal) process.kill(process.pid, result.signal);
  if (result.status !== 0) {
    process.stderr.write(
      `${[path.basename(command), ...args].join(' ')} failed (exit code ${result.status}).\n`,
    );
    process.exit(result.status ?? 1);
  }
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Whether node_modules matches package-lock.json. Versions are compared instead of times: a
 * checkout changes the time of the lock file without changing its content, and an install with
 * --omit=dev is newer than the lock file but lacks the compiler.
 */
export function dependenciesInstalled(root = ROOT) {
  const wanted = readJson(path.join(root, 'package-lock.json'))?.packages;
  const installed = readJson(path.join(root, 'node_modules/.package-lock.json'))?.packages;
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === '' || entry.link) return true;
    const found = installed[name];
    return found
      ? found.version === entry.version
      : Boolean(entry.optional || entry.devOptional || entry.peer);
  });
}

/** Installs dependencies if any is missing; otherwise returns within a few milliseconds. */
export function ensureDependencies(root = ROOT) {
  if (dependenciesInstalled(root)) return;
  process.stderr.write('Installing dependencies (npm ci)\n');
  run(root, 'npm', ['ci', '--no-audit', '--no-fund']);
}

/**
 * Returns the latest modification time under a file or folder. The time of a folder covers deleted
 * files.
 */
function newestChange(file) {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(file).map((name) => newestChange(path.join(file, name))));
}

/** Whether dist was built after the last change of the sources. */
export function buildIsFresh(root = ROOT) {
  const stamp = statSync(path.join(root, STAMP), { throwIfNoEntry: false });
  if (!stamp || !existsSync(path.join(root, MAIN))) return false;
  const sources = ['src', 'tsconfig.json', 'tsconfig.build.json'].map((name) =>
    newestChange(path.join(root, name)),
  );
  return Math.max(...sources) < stamp.mtimeMs;
}

/** Builds if the sources are newer than dist. */
export function ensureBuild(root = ROOT) {
  if (buildIsFresh(root)) return;
  process.stderr.write('Building (tsc)\n');
  build(root);
}

function filesUnder(folder, prefix = '') {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesUnder(path.join(folder, entry.name), `${prefix}${entry.name}/`)
      : [`${prefix}${entry.name}`],
  );
}

/**
 * Compiles the sample contracts and workers to dist/samples, for the published package: Node.js
 * does not run TypeScript under node_modules. The next build removes them.
 */
export function buildSamples(root = ROOT) {
  run(root, process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.samples.json']);
}

/** Columns after which compacted JavaScript gets a new line, so that stack traces have useful lines. */
const LINE_LIMIT = 120;

/**
 * Writes the JavaScript of dist again without comments and indentation, for the published package,
 * which is 1 MB smaller then. Names and statements stay. Editors show the comments of the
 * declarations.
 */
export async function compact(root = ROOT) {
  // Not a dependency of `npm start`.
  const { transform } = await import('esbuild');
  const src = path.join(root, 'src');
  for (const file of filesUnder(src).filter((name) => name.endsWith('.ts'))) {
    const output = path.join(root, 'dist', `${file.slice(0, -'.ts'.length)}.js`);
    const { code } = await transform(readFileSync(output, 'utf8'), {
      minifyWhitespace: true,
      lineLimit: LINE_LIMIT,
      legalComments: 'none',
      target: 'esnext',
    });
    writeFileSync(output, code);
  }
}

/**
 * Compiles src to dist, copies files other than TypeScript, and deletes files from dist that no
 * longer have a source.
 */
export function build(root = ROOT) {
  const began = new Date();
  const src = path.join(root, 'src');
  const dist = path.join(root, 'dist');
  rmSync(path.join(root, STAMP), { force: true });
  run(root, process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
  const keep = new Set();
  for (const file of filesUnder(src)) {
    if (file.endsWith('.ts')) {
      const stem = file.slice(0, -'.ts'.length);
      for (const suffix of ['.js', '.js.map', '.d.ts']) keep.add(stem + suffix);
    } else {
      keep.add(file);
      mkdirSync(path.dirname(path.join(dist, file)), { recursive: true });
      copyFileSync(path.join(src, file), path.join(dist, file));
    }
  }
  const swaggerUi = 'gateway/pages/swagger-ui';
  for (const name of buildSwaggerUi(root, path.join(dist, swaggerUi))) keep.add(`${swaggerUi}/${name}`);
  for (const file of filesUnder(dist)) if (!keep.has(file)) rmSync(path.join(dist, file));
  if (existsSync(path.join(root, MAIN))) chmodSync(path.join(root, MAIN), 0o755);
  // The stamp has the start time of the build, so that changes made during the build cause another
  // one.
  writeFileSync(path.join(root, STAMP), '');
  utimesSync(path.join(root, STAMP), began, began);
}
