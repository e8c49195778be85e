import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkCompose, checkDockerfile } from '../../../scripts/lib/docker.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const BASE = `docker.io/library/node:22-slim@${DIGEST}`;

const GOOD = `FROM ${BASE} AS build
COPY package.json src/a.ts ./
RUN true
FROM ${BASE}
COPY --from=build /app ./
USER node
HEALTHCHECK CMD ["true"]
ENTRYPOINT ["node"]
`;

const COMPOSE = `services:
  router: { build: { context: . } }
  worker: { build: { context: ., target: build }, depends_on: [router] }
`;

function project(t: TestContext, files: Record<string, string>): string {
  const folder = tempFolder(t);
  for (const [name, text] of Object.entries({ 'package.json': '', 'src/a.ts': '', ...files })) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

describe('check of the Dockerfile', () => {
  it('finds no fault in the Dockerfile', () => assert.deepEqual(checkDockerfile(ROOT), []));

  it('accepts a valid file', (t) => {
    const ignore = '*\n!package.json\n!src\n# done\n';
    assert.deepEqual(checkDockerfile(project(t, { Dockerfile: GOOD, '.dockerignore': ignore })), []);
  });

  const faults: [what: string, change: [from: string, to: string], found: RegExp][] = [
    ['an unknown instruction', ['RUN true', 'RUNN true'], /^Dockerfile:3: Unknown instruction: RUNN/],
    ['a missing source', ['src/a.ts', 'src/b.ts'], /^Dockerfile:2: src\/b\.ts does not exist/],
    [
      'an unknown stage',
      ['--from=build', '--from=bild'],
      /^Dockerfile:5: no stage before this one is named bild/m,
    ],
    ['no user', ['USER node\n', ''], /^Dockerfile:4: stage 1 runs as root/],
    ['root', ['USER node', 'USER root'], /stage 1 runs as root/],
    ['no health check', ['HEALTHCHECK CMD ["true"]\n', ''], /stage 1 has no HEALTHCHECK/],
    ['a shell between signals and node', ['["node"]', 'node'], /no ENTRYPOINT in exec form/],
    ['a base without a digest', [`${BASE}\n`, 'node:22-slim\n'], /does not name the version and the digest/],
    [
      'a base without a version',
      [`${BASE}\n`, `node@${DIGEST}\n`],
      /does not name the version and the digest/,
    ],
    [
      'an unknown variable for the base',
      [`FROM ${BASE}\n`, 'FROM ${BASE}\n'],
      /does not name the version and the digest/,
    ],
  ];
  for (const [what, [from, to], found] of faults) {
    it(`finds ${what}`, (t) => {
      const changed = GOOD.replace(from, to);
      assert.notEqual(changed, GOOD);
      assert.match(checkDockerfile(project(t, { Dockerfile: changed })).join('\n'), found);
    });
  }

  it('finds a copied file that .dockerignore excludes', (t) => {
    for (const rules of ['*', 'src', '**/*.ts', 'src/a.*', '!src\nsrc/a.ts']) {
      const faultsOf = checkDockerfile(project(t, { Dockerfile: GOOD, '.dockerignore': rules }));
      assert.match(faultsOf.join('\n'), /:2: src\/a\.ts is left out by \.dockerignore/, rules);
    }
  });
});

describe('check of compose.yaml', () => {
  it('finds no fault in compose.yaml', () => assert.deepEqual(checkCompose(ROOT), []));
  it('finds no fault in the file with Prometheus', () =>
    assert.deepEqual(checkCompose(ROOT, 'deploy/compose.yaml'), []));

  it('checks included files', (t) => {
    const more = `include: [../compose.yaml]
services:
  watcher: { image: "watcher:1", depends_on: [router], volumes: ["./rules:/rules:ro", "store:/store"] }
volumes: { store: }
`;
    const files = { Dockerfile: GOOD, 'compose.yaml': COMPOSE, 'deploy/rules/a.yml': '' };
    const check = (text: string) =>
      checkCompose(project(t, { ...files, 'deploy/compose.yaml': text }), 'deploy/compose.yaml');
    assert.deepEqual(check(more), []);
    assert.match(
      check(more.replace('[router]', '[ruter]'))[0] ?? '',
      /watcher: depends on ruter, which is not a service/,
    );
    assert.match(check(more.replace('./rules', './rulez'))[0] ?? '', /watcher: \.\/rulez does not exist/);
    assert.match(
      check(more.replace('store:/', 'stor:/'))[0] ?? '',
      /watcher: stor is not a volume of the file/,
    );
    assert.match(check(more.replace('../compose', '../compos'))[0] ?? '', /^compos\.yaml does not exist/);
  });

  const faults: [what: string, change: [from: string, to: string], found: RegExp][] = [
    ['broken YAML', ['{ build', '{{ build'], /^compose\.yaml: /],
    [
      'an unknown key',
      ['depends_on', 'depend_on'],
      /\/services\/worker must NOT have (additional|unevaluated) properties/,
    ],
    [
      'an unknown stage',
      ['target: build', 'target: bild'],
      /worker: the Dockerfile has no stage bild, only build, 1/,
    ],
    ['an unknown service', ['[router]', '[rooter]'], /worker: depends on rooter, which is not a service/],
    ['a context without Dockerfile', ['context: .,', 'context: src,'], /worker: src has no Dockerfile/],
  ];
  for (const [what, [from, to], found] of faults) {
    it(`finds ${what}`, (t) => {
      const changed = COMPOSE.replace(from, to);
      assert.notEqual(changed, COMPOSE);
      const folder = project(t, { Dockerfile: GOOD, 'compose.yaml': changed });
      assert.match(checkCompose(folder).join('\n'), found);
    });
  }
});
