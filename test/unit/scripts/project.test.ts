// test:all: 10 s, tests installation and build
/** The checks of `npm start` and `npm test` before they run. Each test runs the scripts in a small project. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '../../helpers/temp.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const MANIFEST = { dependencies: { a: '1.0.0' }, devDependencies: { b: '2.0.0', esbuild: '3.0.0' } };

const LOCK = {
  packages: {
    '': { name: 'project' },
    'node_modules/a': { version: '1.0.0', dependencies: { c: '^1.0.0' } },
    'node_modules/a/node_modules/c': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0', dev: true },
    'node_modules/c': { version: '2.0.0', dev: true },
    'node_modules/esbuild': {
      version: '3.0.0',
      dev: true,
      optionalDependencies: { 'for-another-system': '1.0.0' },
    },
    'node_modules/for-another-system': { version: '1.0.0', dev: true, optional: true },
  },
};

/** Packages of LOCK that `npm start` needs. */
const START = ['', 'node_modules/a', 'node_modules/a/node_modules/c', 'node_modules/esbuild'];

/**
 * Replaces npm, tsc and esbuild: each prints that it ran, and creates the files that the original
 * would create.
 */
const NPM = `#!/bin/sh
echo "npm $*" >> "$PROJECT/calls"
case "$PWD" in
  */.cache/install) from=start ;;
  *) from=all ;;
esac
mkdir -p node_modules
cp -R "$PROJECT/registry/$from/." node_modules/
cp package-lock.json node_modules/.package-lock.json
`;
const TSC = `
const fs = require('node:fs');
fs.appendFileSync('calls', 'tsc\\n');
if (fs.existsSync('src/broken.ts')) process.exit(2);
fs.mkdirSync('dist/cli', { recursive: true });
fs.writeFileSync('dist/cli/main.js', "console.log('started', ...process.argv.slice(2)); process.exitCode = 7;");
`;
const ESBUILD = `
const fs = require('node:fs');
exports.build = async ({ entryPoints }) => {
  fs.appendFileSync('calls', 'esbuild\\n');
  if (entryPoints.includes('src/broken.ts')) throw new Error('Build failed with 1 error');
  fs.mkdirSync('dist/cli', { recursive: true });
  fs.writeFileSync('dist/cli/main.js', "console.log('started', ...process.argv.slice(2)); process.exitCode = 7;");
};
`;

/** Replaces the packages from which the build generates Swagger UI. */
const SWAGGER_UI_EXPRESS = `
const script = JSON.stringify({ swaggerUrl: '__DOCUMENT_URL__' });
exports.generateHTML = () => '<html>';
exports.serveFiles = () => [(request, response) => response.send(script)];
`;
const SWAGGER_UI_DIST = [
  'package.json',
  'LICENSE',
  'NOTICE',
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'swagger-ui-standalone-preset.js',
  'favicon-16x16.png',
  'favicon-32x32.png',
];

class Project {
  constructor(readonly folder: string) {
    cpSync(path.join(ROOT, 'scripts'), this.at('scripts'), { recursive: true });
    mkdirSync(this.at('bin'));
    writeFileSync(this.at('bin/npm'), NPM, { mode: 0o755 });
    for (const registry of ['registry/start', 'registry/all']) {
      this.write(`${registry}/esbuild/index.js`, ESBUILD);
      this.write(`${registry}/swagger-ui-express/index.js`, SWAGGER_UI_EXPRESS);
      for (const name of SWAGGER_UI_DIST) this.write(`${registry}/swagger-ui-dist/${name}`, '{}');
    }
    this.write('registry/all/typescript/bin/tsc', TSC);
    this.write('package.json', JSON.stringify(MANIFEST));
    this.write('package-lock.json', JSON.stringify(LOCK));
    this.write('src/cli/main.ts', '');
    this.write('src/data.txt', 'data');
    this.write('src/gateway/pages/swagger-ui-streams.js', '');
    this.write('src/gateway/pages/swagger-ui-page.js', '');
    this.write('src/gateway/pages/swagger-ui-operations.js', '');
    this.write('tsconfig.json', '{}');
    this.write('tsconfig.build.json', '{}');
  }

  at(name: string): string {
    return path.join(this.folder, name);
  }

  write(name: string, text: string): void {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), text);
  }

  /** Paths of the installed packages. */
  get packages(): string[] {
    return Object.keys(this.installedPackages).sort();
  }

  private get installedPackages(): Record<string, object> {
    const text = readFileSync(this.at('node_modules/.package-lock.json'), 'utf8');
    return (JSON.parse(text) as { packages: Record<string, object> }).packages;
  }

  /** Changes what is recorded as installed. */
  installed(changes: Record<string, object | undefined>): void {
    const packages = { ...this.installedPackages, ...changes };
    this.write('node_modules/.package-lock.json', JSON.stringify({ packages }));
  }

  /** Makes a file newer than the last build. */
  touch(name: string): void {
    const later = new Date(Date.now() + 60_000);
    utimesSync(this.at(name), later, later);
  }

  run(
    script: string,
    args: readonly string[],
    variables: NodeJS.ProcessEnv = {},
  ): { status: number | null; stdout: string; stderr: string; calls: string[] } {
    rmSync(this.at('calls'), { force: true });
    const PATH = `${this.at('bin')}:${process.env['PATH']}`;
    const run = spawnSync(process.execPath, [`scripts/${script}.mjs`, ...args], {
      cwd: this.folder,
      encoding: 'utf8',
      env: { ...process.env, ...variables, PATH, PROJECT: this.folder },
    });
    const calls = existsSync(this.at('calls'))
      ? readFileSync(this.at('calls'), 'utf8').trim().split('\n')
      : [];
    return { status: run.status, stdout: run.stdout, stderr: run.stderr, calls };
  }

  start(...args: string[]) {
    return this.run('start', args);
  }

  /** Does before a build what `npm test` does before the tests. */
  build() {
    return this.run('build', []);
  }
}

/** The path of the project contains spaces. */
const project = (t: TestContext): Project => {
  const folder = path.join(tempFolder(t), 'a project');
  mkdirSync(folder);
  return new Project(folder);
};

const OPTIONS = '--prefer-offline --no-audit --no-fund --loglevel=error';
const INSTALL = `npm ci ${OPTIONS}`;

describe('npm start', () => {
  it('installs what it needs, builds and runs the command', (t) => {
    const made = project(t);
    const { status, stdout, stderr, calls } = made.start('--port', '0');
    assert.deepEqual(calls, [INSTALL, 'esbuild']);
    assert.deepEqual(made.packages, [...START, 'node_modules/for-another-system']);
    assert.equal(stdout, 'started up --port 0\n');
    assert.equal(status, 7);
    assert.match(
      stderr,
      /^Installing 4 packages \(usually .*\): npm ci\nBuilding \(usually .*\): esbuild\n$/,
    );
    assert.ok(!existsSync(made.at('.cache/install')));
  });

  it('installs the same with NODE_ENV=production', (t) => {
    const made = project(t);
    const { calls } = made.run('start', [], { NODE_ENV: 'production' });
    assert.deepEqual(calls, [INSTALL, 'esbuild']);
    assert.deepEqual(made.packages, [...START, 'node_modules/for-another-system']);
  });

  it('neither installs nor builds if nothing has changed', (t) => {
    const made = project(t);
    made.start();
    assert.deepEqual(made.start().calls, []);
  });

  it('installs when a version differs or a package is missing, not when the lock file was only touched', (t) => {
    const made = project(t);
    made.start();
    made.touch('package-lock.json');
    assert.deepEqual(made.start().calls, []);
    made.installed({ 'node_modules/esbuild': undefined });
    assert.deepEqual(made.start().calls, [INSTALL]);
    made.installed({ 'node_modules/a': { version: '0.9.0' } });
    assert.deepEqual(made.start().calls, [INSTALL]);
  });

  it('ignores packages for other systems', (t) => {
    const made = project(t);
    made.start();
    made.installed({ 'node_modules/for-another-system': undefined });
    assert.deepEqual(made.start().calls, []);
  });

  it('builds after a source or the compiler options changed', (t) => {
    const made = project(t);
    made.start();
    for (const name of ['src/cli/main.ts', 'src/cli', 'tsconfig.json']) {
      made.touch(name);
      assert.deepEqual(made.start().calls, ['esbuild'], name);
      utimesSync(made.at(name), new Date(0), new Date(0));
      made.start(); // the clock of this test went ahead: build once more with all sources in the past
    }
    rmSync(made.at('dist/cli/main.js'));
    assert.deepEqual(made.start().calls, ['esbuild']);
  });

  it('exits with an error if the build fails, and retries it the next time', (t) => {
    const made = project(t);
    made.write('src/broken.ts', '');
    const { status, stderr } = made.start();
    assert.equal(status, 1);
    assert.match(stderr, /^Build failed with 1 error$/m);
    rmSync(made.at('src/broken.ts'));
    assert.deepEqual(made.start().calls, ['esbuild']);
  });

  it('copies other files, removes outputs without a source, and makes the command executable', (t) => {
    const made = project(t);
    made.write('dist/gone.js', '');
    made.start();
    assert.equal(readFileSync(made.at('dist/data.txt'), 'utf8'), 'data');
    assert.ok(!existsSync(made.at('dist/gone.js')));
    assert.equal(statSync(made.at('dist/cli/main.js')).mode & 0o111, 0o111);
  });
});

describe('npm start and npm test', () => {
  it('add to what the other one installed, and use each other’s build where it suffices', (t) => {
    const made = project(t);
    made.start();
    // What runs keeps its packages: `npm ci` would remove them.
    const added = made.build();
    assert.deepEqual(added.calls, [`npm install --no-save --include=dev ${OPTIONS}`, 'tsc']);
    assert.deepEqual(made.packages, Object.keys(LOCK.packages).sort());
    assert.deepEqual(made.start().calls, []);
  });

  it('npm start updates the packages of both if both are installed', (t) => {
    const made = project(t);
    assert.deepEqual(made.build().calls, [`npm ci --include=dev ${OPTIONS}`, 'tsc']);
    made.installed({ 'node_modules/a': { version: '0.9.0' } });
    assert.deepEqual(made.start().calls, [`npm ci --include=dev ${OPTIONS}`]);
  });

  it('exit with the code of the failed step', (t) => {
    const made = project(t);
    made.write('src/broken.ts', '');
    const { status, stderr } = made.build();
    assert.equal(status, 2);
    assert.match(stderr, /tsc -p tsconfig\.build\.json failed \(exit code 2\)/);
  });
});
