/**
 * The layer rules of the project. `npm run lint` checks them, and test/architecture/layers.test.ts proves that
 * breaking each of them is found.
 */

/** Who may import whom in src/. A folder may always import itself. */
const LAYERS = {
  core: [],
  wire: ['core'],
  contract: ['core'],
  transport: ['wire', 'core'],
  liveness: ['transport', 'wire', 'core'],
  service: ['liveness', 'transport', 'wire', 'contract', 'core'],
  router: ['liveness', 'transport', 'wire', 'contract', 'core'],
  client: ['liveness', 'transport', 'wire', 'core'],
  worker: ['service', 'liveness', 'transport', 'wire', 'contract', 'core'],
  server: ['service', 'liveness', 'transport', 'wire', 'contract', 'core'],
  apidoc: ['contract', 'core'],
  metrics: ['core'],
  gateway: ['apidoc', 'contract', 'metrics', 'core'],
};

/** Packages that one folder alone knows. */
const HOMES = {
  zeromq: 'src/transport/',
  express: 'src/gateway/',
  'swagger-ui-express': 'src/gateway/',
  'swagger-ui-dist': 'src/gateway/',
  pino: 'src/core/logging',
  commander: 'src/cli/',
  'prom-client': 'src/metrics/',
  '@opentelemetry/api': 'src/core/tracing',
  'lossless-json': 'src/core/(exact-json|decimal)',
};

const layers = Object.entries(LAYERS).map(([layer, allowed]) => ({
  name: `layer-${layer}`,
  comment: `src/${layer} may import ${allowed.join(', ') || 'nothing of ours'}.`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^src/', pathNot: `^src/(${[layer, ...allowed].join('|')})/` },
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
      comment: 'Modules that run do not wait for each other in a circle. Types may: they are gone by then.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
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
