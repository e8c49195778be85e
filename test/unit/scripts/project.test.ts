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

const LOCK = {
  packages: {
    '': { name: 'project' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0', dev: true },
    'node_modules/for-another-system': { version: '1.0.0', optional: true },
  },
};

/** Replaces npm and tsc: prints that it ran, and creates the files that the original would create. */
const NPM = `#!/bin/sh
echo "npm $*" >> calls
cp package-lock.json node_modules/.package-lock.json
`;
const TSC = `
const fs = require('node:fs');
fs.appendFileSync('calls', 'tsc\\n');
if (fs.existsSync('src/broken.ts')) process.exit(2);
fs.mkdirSync('dist/cli', { recursive: true });
fs.writeFileSync('dist/cli/main.js', "console.log('started', ...process.argv.slice(2)); process.exitCode = 7;");
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
    this.write('node_modules/typescript/bin/tsc', TSC);
    this.write('node_modules/swagger-ui-express/index.js', SWAGGER_UI_EXPRESS);
    for (const name of SWAGGER_UI_DIST) this.write(`node_modules/swagger-ui-dist/${name}`, '{}');
    this.write('package.json', '{}');
    this.write('package-lock.json', JSON.stringify(LOCK));
    this.write('src/cli/main.ts', '');
    this.write('src/data.txt', 'data');
    this.write('src/gateway/pages/swagger-ui-streams.js', '');
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

  installed(packages: object): void {
    this.write('node_modules/.package-lock.json', JSON.stringify({ packages }));
  }

  /** Makes a file newer than the last build. */
  touch(name: string): void {
    const later = new Date(Date.now() + 60_000);
    utimesSync(this.at(name), later, later);
  }

  start(...args: string[]): { status: number | null; stdout: string; stderr: string; calls: string[] } {
    rmSync(this.at('calls'), { force: true });
    const env = { ...process.env, PATH: `${this.at('bin')}:${process.env['PATH']}` };
    const run = spawnSync(process.execPath, ['scripts/start.mjs', ...args], {
      cwd: this.folder,
      encoding: 'utf8',
      env,
    });
    const calls = existsSync(this.at('calls'))
      ? readFileSync(this.at('calls'), 'utf8').trim().split('\n')
      : [];
    return { status: run.status, stdout: run.stdout, stderr: run.stderr, calls };
  }
}

const project = (t: TestContext): Project => new Project(tempFolder(t));

const INSTALL = 'npm ci --no-audit --no-fund';

describe('npm start', () => {
  it('installs, builds and runs the command', (t) => {
    const { status, stdout, calls } = project(t).start('--port', '0');
    assert.deepEqual(calls, [INSTALL, 'tsc']);
    assert.equal(stdout, 'started up --port 0\n');
    assert.equal(status, 7);
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
    const { 'node_modules/b': _, ...withoutDev } = LOCK.packages;
    made.installed(withoutDev);
    assert.deepEqual(made.start().calls, [INSTALL]);
    made.installed({ ...LOCK.packages, 'node_modules/a': { version: '0.9.0' } });
    assert.deepEqual(made.start().calls, [INSTALL]);
  });

  it('ignores packages for other systems', (t) => {
    const made = project(t);
    const { 'node_modules/for-another-system': _, ...here } = LOCK.packages;
    made.installed(here);
    assert.deepEqual(made.start().calls, ['tsc']);
  });

  it('builds after a source or the compiler options changed', (t) => {
    const made = project(t);
    made.start();
    for (const name of ['src/cli/main.ts', 'src/cli', 'tsconfig.json']) {
      made.touch(name);
      assert.deepEqual(made.start().calls, ['tsc'], name);
      utimesSync(made.at(name), new Date(0), new Date(0));
      made.start(); // the clock of this test went ahead: build once more with all sources in the past
    }
    rmSync(made.at('dist/cli/main.js'));
    assert.deepEqual(made.start().calls, ['tsc']);
  });

  it('exits with the code of the failed step, and retries it the next time', (t) => {
    const made = project(t);
    made.write('src/broken.ts', '');
    const { status, stderr } = made.start();
    assert.equal(status, 2);
    assert.match(stderr, /tsc -p tsconfig\.build\.json failed \(exit code 2\)/);
    rmSync(made.at('src/broken.ts'));
    assert.deepEqual(made.start().calls, ['tsc']);
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
