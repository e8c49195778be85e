/**
 * Compiles TypeScript for the processes of tests, once for each content of a file: the result is
 * kept in `node_modules/.cache/typescript`. `npm test` compiles all files before it starts the first
 * process; files that tests write are compiled when they are loaded.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const CACHE = path.join(ROOT, 'node_modules/.cache/typescript');

/** Changes with the options below and with esbuild, so that old results are not used. */
const VERSION = '1';

/** Age in milliseconds from which a result is removed if no file of the project has its content. */
const DAY = 86_400_000;

const OPTIONS = {
  loader: 'ts',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  sourcesContent: false,
  tsconfigRaw: { compilerOptions: { target: 'ES2022', verbatimModuleSyntax: true } },
};

/** The folder of results, whose name contains everything but the file that a result depends on. */
function folder() {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'node_modules/esbuild/package.json'), 'utf8'));
  return path.join(CACHE, `${VERSION}-${version}`);
}

let results;

/** Path of the result. Source maps contain the name of the file. */
function resultOf(file, source) {
  results ??= folder();
  const hash = createHash('sha1').update(source).digest('hex');
  return path.join(results, `${path.basename(file, '.ts')}-${hash}.js`);
}

function store(result, code) {
  mkdirSync(path.dirname(result), { recursive: true });
  const temporary = `${result}.${process.pid}`;
  writeFileSync(temporary, code);
  renameSync(temporary, result);
  return code;
}

/** Returns the JavaScript of a TypeScript file. */
export async function compiled(file) {
  const source = readFileSync(file, 'utf8');
  const result = resultOf(file, source);
  try {
    return readFileSync(result, 'utf8');
  } catch {
    const { transform } = await import('esbuild');
    const { code } = await transform(source, { ...OPTIONS, sourcefile: path.basename(file) });
    return store(result, code);
  }
}

/**
 * Compiles files that changed since the last run, and removes old results. The process that loads a
 * file with a syntax error reports it.
 */
export async function compileAll(files) {
  const wanted = new Set(files.map((file) => path.basename(resultOf(file, readFileSync(file, 'utf8')))));
  await Promise.allSettled(files.map(compiled));
  if (!existsSync(results)) return;
  for (const name of readdirSync(CACHE)) {
    if (name !== path.basename(results)) rmSync(path.join(CACHE, name), { recursive: true, force: true });
  }
  for (const name of readdirSync(results)) {
    const file = path.join(results, name);
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (!wanted.has(name) && age > DAY) rmSync(file, { force: true });
  }
}
