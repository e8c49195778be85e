import { readFileSync } from 'node:fs';

/**
 * The layer rules of the project. `npm run lint` checks them, and test/architecture/layers.test.ts proves that
 * breaking each of them is found.
 */

/**
 * `layers`: the folders of src/, each with those that it may import besides itself; the command line may import all.
 * `folders`: the folders inside a layer, each with the folders of the same layer that it may import. They import no file
 * that lies directly in the layer's folder: those files put the folders together.
 *
 * @type {{ layers: Record<string, string[]>, folders: Record<string, Record<string, string[]>> }}
 */
const { layers: LAYERS, folders: FOLDERS } = JSON.parse(
  readFileSync(new URL('scripts/lib/layers.json', import.meta.url), 'utf8'),
);

/** Packages that one folder alone knows. */
const HOMES = {
  zeromq: 'src/transport/',
  express: 'src/gateway/',
  pino: 'src/core/logging/',
  commander: 'src/cli/',
  'prom-client': 'src/metrics/',
  '@opentelemetry/api': 'src/core/observability/(tracing|span-export)',
  'lossless-json': 'src/core/json/',
};

const layers = Object.entries(LAYERS).map(([layer, allowed]) => ({
  name: `layer-${layer}`,
  comment: `src/${layer} may import ${allowed.join(', ') || 'no other layer'}.`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: {
    path: '^src/',
    // An entry of the table that is a file is allowed alone.
    pathNot: `^src/(${[layer, ...allowed].map((one) => (one.endsWith('.ts') ? `${one.replaceAll('.', '\\.')}$` : `${one}/`)).join('|')})`,
  },
}));

const folders = Object.entries(FOLDERS).flatMap(([layer, entries]) =>
  Object.entries(entries).map(([folder, allowed]) => ({
    name: `folder-${layer}-${folder}`,
    comment: `src/${layer}/${folder} may import ${allowed.join(', ') || 'no other folder'} of its layer.`,
    severity: 'error',
    from: { path: `^src/${layer}/${folder}/` },
    to: { path: `^src/${layer}/`, pathNot: `^src/${layer}/(${[folder, ...allowed].join('|')})/` },
  })),
);

/** A new folder of such a layer needs a line in the table. */
const unknownFolders = Object.entries(FOLDERS).map(([layer, entries]) => ({
  name: `folder-unknown-${layer}`,
  comment: `Every folder of src/${layer}/ is in the table of folders.`,
  severity: 'error',
  from: {},
  to: { path: `^src/${layer}/[^/]+/`, pathNot: `^src/${layer}/(${Object.keys(entries).join('|')})/` },
}));

const packages = Object.entries(HOMES).map(([name, home]) => ({
  name: `only-home-of-${name}`,
  comment: `${name} is imported in ${home} only.`,
  severity: 'error',
  from: { path: '^(src|openapi|workers)/', pathNot: `^${home}` },
  to: { path: `(^|/)node_modules/(@types/)?${name}/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...layers,
    ...folders,
    ...unknownFolders,
    ...packages,
    {
      name: 'layer-unknown',
      comment: 'Every folder of src/ is in the table of layers.',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: `^src/(${[...Object.keys(LAYERS), 'cli'].join('|')})/` },
    },
    {
      name: 'public-entry',
      comment:
        'The public entry exports the framework; the gateway has its own entry, the command line none.',
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { path: '^src/(gateway|cli)/' },
    },
    {
      name: 'samples-use-the-public-entry',
      comment: 'openapi/ and workers/ import only zeromq-gateway, packages and each other, as users do.',
      severity: 'error',
      from: { path: '^(openapi|workers)/' },
      to: { path: '^src/(?!index\\.ts$)' },
    },
    {
      name: 'samples-use-the-package-name',
      comment: 'openapi/ and workers/ import the entry by the name of the package, not by its path.',
      severity: 'error',
      from: { path: '^(openapi|workers)/' },
      to: { path: '^src/', dependencyTypesNot: ['aliased', 'aliased-tsconfig', 'aliased-tsconfig-paths'] },
    },
    {
      name: 'nothing-imports-samples',
      comment: 'The framework does not know its samples; the command line loads them by file name.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(openapi|workers|test|bench|scripts)/' },
    },
    {
      name: 'no-cycles',
      comment: 'No circular imports, type imports included.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'Every import is found.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    // A type import is knowledge too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
};
