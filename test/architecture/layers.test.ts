// test:all: 15 s; `npm run lint` checks the same rules
/**
 * The layer rules of docs/architecture.md, as .dependency-cruiser.js defines them. The sources
 * follow them, and each rule finds a violation in a generated tree.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import { tempFolder } from '../helpers/temp.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const { folders: FOLDERS } = JSON.parse(readFileSync(path.join(ROOT, 'scripts/lib/layers.json'), 'utf8')) as {
  folders: Record<string, Record<string, string[]>>;
};

interface Violation {
  rule: string;
  from: string;
  to: string;
}

async function violations(baseDir: string): Promise<Violation[]> {
  const options = await extractOptions(path.join(ROOT, '.dependency-cruiser.js'));
  const tsConfigFile = path.join(baseDir, 'tsconfig.json');
  const { output } = await cruise(
    ['src', 'openapi', 'workers'],
    {
      ...options,
      baseDir,
      tsConfig: { fileName: tsConfigFile },
    },
    undefined,
    { tsConfig: extractTsConfig(tsConfigFile) },
  );
  assert.ok(typeof output === 'object');
  return output.summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }));
}

/** Writes a tree of the project's shape. `files` maps a file to its imports. */
function plant(folder: string, files: Record<string, string[]>): string {
  const write = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  };
  for (const folderName of ['src', 'openapi', 'workers']) mkdirSync(path.join(folder, folderName));
  for (const name of [
    'zeromq',
    'express',
    'pino',
    'commander',
    'prom-client',
    '@opentelemetry/api',
    'lossless-json',
    'joi',
  ]) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    write(`node_modules/${name}/index.js`, 'module.exports = {};\n');
  }
  const dependencies = {
    zeromq: '*',
    express: '*',
    pino: '*',
    commander: '*',
    'prom-client': '*',
    '@opentelemetry/api': '*',
    'lossless-json': '*',
    joi: '*',
  };
  write('package.json', JSON.stringify({ name: 'zeromq-gateway', type: 'module', dependencies }));
  const paths = {
    'zeromq-gateway': ['./src/index.ts'],
    'zeromq-gateway/gateway': ['./src/gateway/index.ts'],
  };
  write(
    'tsconfig.json',
    JSON.stringify({
      // Outside the working folder, the resolver applies `paths` only with a baseUrl.
      compilerOptions: {
        baseUrl: '.',
        module: 'NodeNext',
        allowImportingTsExtensions: true,
        noEmit: true,
        paths,
      },
      include: ['src', 'openapi', 'workers'],
    }),
  );
  for (const [name, imports] of Object.entries(files)) {
    const lines = imports.map((specifier, i) =>
      specifier.startsWith('type ')
        ? `import type { X as X${i} } from '${specifier.slice('type '.length)}';`
        : `import * as m${i} from '${specifier}';`,
    );
    const used = imports.map((specifier, i) =>
      specifier.startsWith('type ') ? `undefined as X${i}` : `m${i}`,
    );
    write(name, `${lines.join('\n')}\nexport type X = unknown;\nexport const used = [${used.join(', ')}];\n`);
  }
  return folder;
}

/** A tree without violations. */
const CLEAN: Record<string, string[]> = {
  'src/core/a.ts': [],
  'src/core/logging/logging.ts': ['pino'],
  'src/core/observability/tracing.ts': ['@opentelemetry/api'],
  'src/wire/a.ts': ['../core/a.ts'],
  'src/contract/a.ts': ['../core/a.ts', 'joi'],
  'src/transport/a.ts': ['zeromq', '../wire/a.ts', '../core/a.ts'],
  'src/liveness/a.ts': ['../transport/a.ts'],
  'src/runtime/a.ts': ['../liveness/a.ts', '../contract/a.ts'],
  'src/router/a.ts': ['../liveness/a.ts', '../wire/a.ts'],
  'src/client/a.ts': ['../liveness/a.ts'],
  'src/worker/a.ts': ['../runtime/a.ts', '../contract/a.ts'],
  'src/server/a.ts': ['../runtime/a.ts'],
  'src/metrics/a.ts': ['../core/a.ts', 'prom-client'],
  'src/openapi/a.ts': ['../contract/a.ts', '../core/a.ts'],
  'src/store/a.ts': ['../core/a.ts'],
  'src/gateway/index.ts': ['express', '../openapi/a.ts', '../metrics/a.ts', '../store/a.ts'],
  'src/testing/index.ts': ['../index.ts', '../gateway/index.ts', '../openapi/index.ts'],
  'src/openapi/index.ts': ['./a.ts'],
  'src/cli/main.ts': ['commander', '../gateway/index.ts', '../router/a.ts', '../worker/a.ts'],
  'src/index.ts': ['./router/a.ts', './client/a.ts', './worker/a.ts', './contract/a.ts'],
  'openapi/tasks.ts': ['zeromq-gateway', 'joi'],
  'workers/tasks.ts': ['zeromq-gateway', '../openapi/tasks.ts'],
};

/** A violation of each rule: the rule, the importing file, its import, and the imported file. */
const PLANTED: [rule: string, from: string, specifier: string, to: string][] = [
  ['layer-core', 'src/core/b.ts', '../wire/a.ts', 'src/wire/a.ts'],
  ['layer-wire', 'src/wire/b.ts', '../transport/a.ts', 'src/transport/a.ts'],
  ['layer-contract', 'src/contract/b.ts', '../openapi/a.ts', 'src/openapi/a.ts'],
  ['layer-transport', 'src/transport/b.ts', '../liveness/a.ts', 'src/liveness/a.ts'],
  ['layer-liveness', 'src/liveness/b.ts', '../router/a.ts', 'src/router/a.ts'],
  ['layer-runtime', 'src/runtime/b.ts', '../worker/a.ts', 'src/worker/a.ts'],
  ['layer-router', 'src/router/b.ts', '../client/a.ts', 'src/client/a.ts'],
  ['layer-router', 'src/router/c.ts', 'type ../worker/a.ts', 'src/worker/a.ts'],
  ['layer-streams', 'src/streams/b.ts', '../client/a.ts', 'src/client/a.ts'],
  ['layer-client', 'src/client/b.ts', '../router/a.ts', 'src/router/a.ts'],
  ['layer-worker', 'src/worker/b.ts', '../server/a.ts', 'src/server/a.ts'],
  ['layer-server', 'src/server/b.ts', '../client/a.ts', 'src/client/a.ts'],
  ['layer-openapi', 'src/openapi/b.ts', '../gateway/index.ts', 'src/gateway/index.ts'],
  ['layer-store', 'src/store/b.ts', '../contract/a.ts', 'src/contract/a.ts'],
  ['layer-metrics', 'src/metrics/b.ts', '../wire/a.ts', 'src/wire/a.ts'],
  ['layer-gateway', 'src/gateway/b.ts', '../router/a.ts', 'src/router/a.ts'],
  ['layer-gateway', 'src/gateway/c.ts', '../index.ts', 'src/index.ts'],
  ['layer-testing', 'src/testing/b.ts', '../worker/a.ts', 'src/worker/a.ts'],
  ['layer-testing', 'src/testing/c.ts', 'type ../gateway/top.ts', 'src/gateway/top.ts'],
  ['layer-unknown', 'src/cli/b.ts', '../novelty/a.ts', 'src/novelty/a.ts'],
  ['only-home-of-zeromq', 'src/liveness/c.ts', 'zeromq', 'node_modules/zeromq/index.js'],
  ['only-home-of-express', 'src/cli/c.ts', 'express', 'node_modules/express/index.js'],
  ['only-home-of-pino', 'src/router/d.ts', 'pino', 'node_modules/pino/index.js'],
  ['only-home-of-commander', 'src/gateway/d.ts', 'commander', 'node_modules/commander/index.js'],
  ['only-home-of-prom-client', 'src/gateway/e.ts', 'prom-client', 'node_modules/prom-client/index.js'],
  [
    'only-home-of-@opentelemetry/api',
    'src/router/e.ts',
    '@opentelemetry/api',
    'node_modules/@opentelemetry/api/index.js',
  ],
  ['only-home-of-lossless-json', 'src/router/f.ts', 'lossless-json', 'node_modules/lossless-json/index.js'],
  ['public-entry', 'src/index.ts', './gateway/index.ts', 'src/gateway/index.ts'],
  ['samples-use-the-public-entry', 'workers/b.ts', '../src/worker/a.ts', 'src/worker/a.ts'],
  ['samples-use-the-public-entry', 'openapi/b.ts', 'zeromq-gateway/gateway', 'src/gateway/index.ts'],
  ['samples-use-the-package-name', 'workers/c.ts', '../src/index.ts', 'src/index.ts'],
  ['nothing-imports-samples', 'src/cli/d.ts', '../../workers/tasks.ts', 'workers/tasks.ts'],
  ['no-cycles', 'src/core/round.ts', './trip.ts', 'src/core/trip.ts'],
  ['no-cycles', 'src/core/types/round.ts', 'type ./trip.ts', 'src/core/types/trip.ts'],
  ['resolvable', 'src/core/c.ts', './missing.ts', './missing.ts'],
];

/**
 * For each folder of a layer: an import of a file of the layer itself, and an import of a folder
 * that it may not import.
 */
const plantedFolders: typeof PLANTED = Object.entries(FOLDERS).flatMap(([layer, folders]) =>
  Object.entries(folders).flatMap(([folder, allowed]) => {
    const rule = `folder-${layer}-${folder}`;
    const from = `src/${layer}/${folder}/planted.ts`;
    const above = Object.keys(folders).find((other) => other !== folder && !allowed.includes(other));
    const planted: typeof PLANTED = [[rule, from, '../top.ts', `src/${layer}/top.ts`]];
    if (above !== undefined)
      planted.push([rule, from, `type ../${above}/top.ts`, `src/${layer}/${above}/top.ts`]);
    return planted;
  }),
);
const unknownFolders: typeof PLANTED = Object.keys(FOLDERS).map((layer) => [
  `folder-unknown-${layer}`,
  `src/${layer}/top.ts`,
  './novelty/top.ts',
  `src/${layer}/novelty/top.ts`,
]);
const ALL_PLANTED = [...PLANTED, ...plantedFolders, ...unknownFolders];

test('layers: the sources follow the rules', async () => {
  assert.deepEqual(await violations(ROOT), []);
});

test('layers: a tree without violations passes', async (t) => {
  assert.deepEqual(await violations(plant(tempFolder(t), CLEAN)), []);
});

test('layers: each rule finds its violation', async (t) => {
  const files: Record<string, string[]> = {
    ...CLEAN,
    'src/novelty/a.ts': [],
    'src/core/trip.ts': ['./round.ts'],
    'src/core/types/trip.ts': ['type ./round.ts'],
  };
  for (const [layer, folders] of Object.entries(FOLDERS)) {
    files[`src/${layer}/top.ts`] = [];
    for (const folder of [...Object.keys(folders), 'novelty']) files[`src/${layer}/${folder}/top.ts`] = [];
  }
  for (const [, from, specifier] of ALL_PLANTED) files[from] = [...(files[from] ?? []), specifier];
  const found = await violations(plant(tempFolder(t), files));
  for (const [rule, from, , to] of ALL_PLANTED) {
    assert.ok(
      found.some(
        (violation) => violation.rule === rule && violation.from === from && violation.to.endsWith(to),
      ),
      `${rule} does not find that ${from} imports ${to}; found ${JSON.stringify(found, undefined, 1)}`,
    );
  }
});

test('layers: each rule has a test', async () => {
  const { ruleSet } = await extractOptions(path.join(ROOT, '.dependency-cruiser.js'));
  const tried = new Set(ALL_PLANTED.map(([rule]) => rule));
  const rules = ruleSet?.forbidden?.map((rule) => rule.name) ?? [];
  assert.deepEqual(
    rules.filter((name) => name !== undefined && !tried.has(name)),
    [],
  );
});
