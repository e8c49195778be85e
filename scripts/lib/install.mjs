/**
 * Installs dependencies if needed. `npm start` needs a seventh of the packages that tests and checks
 * need: what the gateway runs with, and what builds it. The rest is installed when `npm test` or
 * another command first needs it, and `npm start` leaves it installed.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { ROOT, readJson, run } from './project.mjs';

/** Development dependencies that `npm start` needs. */
const START_TOOLS = [
  'esbuild', // compiles the sources
  'swagger-ui-dist', // pages of the gateway
  'swagger-ui-express',
  'tsx', // workers in TypeScript
  ...(isBuiltin('node:sqlite') ? [] : ['libsql']), // the sample `tasks`
];

/**
 * The lock file pins the content of each package, so one in the cache of npm is not asked for again:
 * with a warm cache, an installation needs no network.
 */
const OPTIONS = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];

/** The packages of a lock file by their path, such as `node_modules/a/node_modules/b`. */
function packagesOf(root) {
  return readJson(path.join(root, 'package-lock.json'))?.packages;
}

/**
 * Whether node_modules has these packages. Versions are compared instead of times: a checkout changes
 * the time of the lock file without changing its content. Packages for other systems are missing.
 */
function installed(root, wanted) {
  const found = readJson(path.join(root, 'node_modules/.package-lock.json'))?.packages;
  if (!wanted || !found) return false;
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === '' || entry.link) return true;
    return found[name]
      ? found[name].version === entry.version
      : Boolean(entry.optional || entry.devOptional || entry.peer);
  });
}

/** Whether node_modules matches package-lock.json. */
export function dependenciesInstalled(root = ROOT) {
  return installed(root, packagesOf(root));
}

/** Installs all dependencies if any is missing; otherwise returns within a few milliseconds. */
export function ensureDependencies(root = ROOT) {
  if (dependenciesInstalled(root)) return;
  // A running `npm start` keeps its packages: `npm ci` would remove them first.
  const command = startDependenciesInstalled(root) ? ['install', '--no-save'] : ['ci'];
  const count = Object.keys(packagesOf(root) ?? {}).length;
  process.stderr.write(
    `Installing the packages of tests and checks (${count}, usually 20 to 90 s): npm ${command.join(' ')}\n`,
  );
  // npm omits development dependencies with NODE_ENV=production.
  run(root, 'npm', [...command, '--include=dev', ...OPTIONS]);
}

/** package.json and package-lock.json with only what `npm start` needs; undefined without a lock file. */
function startManifests(root) {
  const manifest = readJson(path.join(root, 'package.json'));
  const lock = readJson(path.join(root, 'package-lock.json'));
  if (!manifest || !lock?.packages) return undefined;
  const { name, version, allowScripts, dependencies: own = {}, devDependencies = {} } = manifest;
  const tools = START_TOOLS.filter((tool) => tool in devDependencies);
  const dependencies = { ...own, ...Object.fromEntries(tools.map((tool) => [tool, devDependencies[tool]])) };
  const packages = { '': { name, version, dependencies } };
  const add = (from, names) => {
    for (const each of names) {
      const place = placeOf(lock.packages, from, each);
      if (place === undefined || packages[place]) continue;
      const { dev: _dev, devOptional, peer: _peer, ...entry } = lock.packages[place];
      packages[place] = devOptional ? { ...entry, optional: true } : entry;
      const { dependencies: needed, optionalDependencies, peerDependencies, peerDependenciesMeta } = entry;
      const peers = Object.keys(peerDependencies ?? {}).filter(
        (peer) => !peerDependenciesMeta?.[peer]?.optional,
      );
      add(place, [...Object.keys({ ...needed, ...optionalDependencies }), ...peers]);
    }
  };
  add('', Object.keys(dependencies));
  return {
    manifest: { name, version, private: true, dependencies, allowScripts },
    lock: { ...lock, packages },
  };
}

/** Finds a package as Node.js does: beside the package that needs it, or further up. */
function placeOf(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const place = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[place]) return place;
    if (folder === '') return undefined;
  }
}

function startDependenciesInstalled(root) {
  return installed(root, startManifests(root)?.lock.packages);
}

/**
 * Installs what `npm start` needs. A folder that holds the other packages as well is updated as a
 * whole, so that they stay.
 */
export function ensureStartDependencies(root = ROOT) {
  const manifests = startManifests(root);
  const modules = path.join(root, 'node_modules');
  if (manifests === undefined) return ensureDependencies(root);
  if (installed(root, manifests.lock.packages)) return;
  if (existsSync(path.join(modules, 'typescript'))) return ensureDependencies(root);
  const count = Object.keys(manifests.lock.packages).length - 1;
  process.stderr.write(`Installing ${count} packages (usually 5 to 30 s): npm ci\n`);
  // npm installs a whole lock file: this folder has one of only these packages.
  const folder = path.join(root, '.cache/install');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifests.manifest, undefined, 2));
  writeFileSync(path.join(folder, 'package-lock.json'), JSON.stringify(manifests.lock, undefined, 2));
  run(folder, 'npm', ['ci', ...OPTIONS]);
  rmSync(modules, { recursive: true, force: true });
  renameSync(path.join(folder, 'node_modules'), modules);
  rmSync(folder, { recursive: true, force: true });
}
