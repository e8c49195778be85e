/**
 * Builds the project: src to dist, and the sample workers to dist/samples. The build of `npm start`
 * is JavaScript without declarations and without a type check, which esbuild makes in a second.
 */
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
import { MAIN, ROOT, run } from './project.mjs';
import { buildSwaggerUi } from './swagger-ui.mjs';

/** Its time is the start of the build. Its text is `types` if dist contains declarations. */
const STAMP = 'dist/.built';

/** Folders of the samples. */
const SAMPLES = ['openapi', 'workers'];

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

/** Whether dist was built after the last change of the sources, with declarations if `types`. */
export function buildIsFresh(root = ROOT, { types = true } = {}) {
  const stamp = statSync(path.join(root, STAMP), { throwIfNoEntry: false });
  if (!stamp || !existsSync(path.join(root, MAIN))) return false;
  if (types && readFileSync(path.join(root, STAMP), 'utf8') !== 'types') return false;
  const sources = ['src', ...SAMPLES, 'tsconfig.json', 'tsconfig.build.json'].map((name) =>
    newestChange(path.join(root, name)),
  );
  return Math.max(...sources) < stamp.mtimeMs;
}

/** Builds if the sources are newer than dist. */
export async function ensureBuild(root = ROOT, { types = true } = {}) {
  if (buildIsFresh(root, { types })) return;
  process.stderr.write(
    types ? 'Building with declarations (usually 5 to 15 s): tsc\n' : 'Building (usually 2 s): esbuild\n',
  );
  await build(root, { types });
}

function filesUnder(folder, prefix = '') {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesUnder(path.join(folder, entry.name), `${prefix}${entry.name}/`)
      : [`${prefix}${entry.name}`],
  );
}

/** Imports of files of the project, which keep their place, and of packages stay imports. */
const KEEP_IMPORTS = {
  name: 'keep imports',
  setup(compilation) {
    compilation.onResolve({ filter: /./ }, ({ kind, path: imported }) => {
      if (kind === 'entry-point') return undefined;
      return { external: true, path: imported.replace(/^(\..*)\.ts$/, '$1.js') };
    });
  },
};

/** Compiles files, without a type check. */
async function transpile(root, files, outbase, outdir, options = {}) {
  if (files.length === 0) return;
  const { build: compile } = await import('esbuild');
  const compiled = compile({
    absWorkingDir: root,
    entryPoints: files,
    outbase,
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    plugins: [KEEP_IMPORTS],
    tsconfigRaw: { compilerOptions: { target: 'ES2022', verbatimModuleSyntax: true } },
    logLevel: 'error',
    ...options,
  });
  await compiled.catch(({ message }) => {
    process.stderr.write(`${message}\n`);
    process.exit(1);
  });
}

/** Columns after which compacted JavaScript gets a new line, so that stack traces have useful lines. */
const LINE_LIMIT = 120;

/**
 * Prepares dist for the published package, which is 1.5 MB smaller then: writes the JavaScript again
 * without comments and indentation, and compacts the declarations. Names and statements stay. Editors
 * show the comments of the declarations.
 */
export async function compact(root = ROOT) {
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
  const declarations = filesUnder(path.join(root, 'dist')).filter((name) => name.endsWith('.d.ts'));
  const { compactTypes } = await import('./published-types.mjs');
  compactTypes(root, declarations);
}

/** Compiles src to dist, with the compiler if there are to be declarations. */
async function compileSources(root, types) {
  if (types) run(root, process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
  else {
    const files = filesUnder(path.join(root, 'src'), 'src/').filter((name) => name.endsWith('.ts'));
    await transpile(root, files, 'src', 'dist', { sourcemap: true, sourcesContent: false });
  }
}

/**
 * Compiles src to dist, copies files other than TypeScript, and deletes files from dist that no
 * longer have a source.
 */
export async function build(root = ROOT, { types = true } = {}) {
  const began = new Date();
  const src = path.join(root, 'src');
  const dist = path.join(root, 'dist');
  rmSync(path.join(root, STAMP), { force: true });
  await compileSources(root, types);
  const keep = new Set();
  for (const file of filesUnder(src)) {
    if (file.endsWith('.ts')) {
      const stem = file.slice(0, -'.ts'.length);
      for (const suffix of ['.js', '.js.map', ...(types ? ['.d.ts'] : [])]) keep.add(stem + suffix);
    } else {
      keep.add(file);
      mkdirSync(path.dirname(path.join(dist, file)), { recursive: true });
      copyFileSync(path.join(src, file), path.join(dist, file));
    }
  }
  const swaggerUi = 'gateway/pages/swagger-ui';
  for (const name of buildSwaggerUi(root, path.join(dist, swaggerUi))) keep.add(`${swaggerUi}/${name}`);
  const samples = SAMPLES.flatMap((folder) => filesUnder(path.join(root, folder), `${folder}/`)).filter(
    (name) => name.endsWith('.ts'),
  );
  await transpile(root, samples, '.', 'dist/samples');
  for (const file of samples) keep.add(`samples/${file.slice(0, -'.ts'.length)}.js`);
  for (const file of filesUnder(dist)) if (!keep.has(file)) rmSync(path.join(dist, file));
  if (existsSync(path.join(root, MAIN))) chmodSync(path.join(root, MAIN), 0o755);
  // The stamp has the start time of the build, so that changes made during the build cause another
  // one.
  writeFileSync(path.join(root, STAMP), types ? 'types' : '');
  utimesSync(path.join(root, STAMP), began, began);
}
