// test:all: 90 s, installs packages; test/integration/cli/new.test.ts represents it
/** A project of `zeromq-gateway new project`, created by the packed package and installed by npm. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { checkDockerfile } from '../../scripts/lib/docker.ts';
import { NEEDS_CLASSIC } from '../helpers/classic.ts';
import { FREE_PORTS } from '../helpers/command.ts';
import { within } from '../helpers/eventually.ts';
import { allowed, PATIENCE } from '../helpers/patience.ts';
import { startProcess } from '../helpers/processes.ts';
import { Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { packPackage, run } from './packed.ts';
import { Reader } from './tutorial.ts';

/** Time from an empty folder to the first reply, in ms, with warm caches on a free machine. */
const TWO_MINUTES = 120_000;

const INSTALL = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];

const scope = new Scope();

describe('new project, from the package', () => {
  let tool: string;
  let project: string;
  let began: number;
  before(async () => {
    const { tarball } = await packPackage(scope);
    const app = path.join(tempFolder(scope), 'tool');
    mkdirSync(app);
    writeFileSync(path.join(app, 'package.json'), '{"private":true}');
    await run(scope, app, 'npm', ...INSTALL, tarball);
    tool = path.join(app, 'node_modules/.bin/zeromq-gateway');
    began = performance.now();
    const home = path.join(tempFolder(scope), 'my projects');
    mkdirSync(home);
    const output = await run(scope, home, tool, 'new', 'project', 'shop');
    assert.match(output, new RegExp(`depends on vendor/${path.basename(tarball).replaceAll('.', '\\.')}\\.`));
    project = path.join(home, 'shop');
    await run(scope, project, 'npm', ...INSTALL);
  });
  after(() => scope.close());

  it('has correct types, no lint, and passes its tests', async () => {
    await run(scope, project, 'npm', 'run', '--silent', 'typecheck');
    await run(scope, project, 'npm', 'run', '--silent', 'lint');
    assert.match(await run(scope, project, 'npm', 'test'), /pass 3\b/);
  });

  it('answers the first request of `npm run dev`, within two minutes of its creation', async (t) => {
    const args = ['run', '--silent', 'dev', '--', '--port', '0', ...FREE_PORTS, '--admin', 'off'];
    const dev = startProcess(scopeOf(t), 'npm', args, { cwd: project });
    const line = await dev.waitForLine(/ is ready: /, PATIENCE);
    const { origin } = new URL(/http:[^\s,]+/.exec(line)?.[0] ?? '');
    const reply = await fetch(`${origin}/shop/world`);
    const took = performance.now() - began;
    assert.deepEqual([reply.status, await reply.json()], [200, { message: 'Welcome, world' }]);
    t.diagnostic(`from new project to the first reply: ${(took / 1000).toFixed(1)} s`);
    assert.ok(took < allowed(TWO_MINUTES), `${took} ms`);

    const worker = path.join(project, 'workers/shop.ts');
    const changed = readFileSync(worker, 'utf8').replace('Welcome, ', 'Hello, ');
    writeFileSync(worker, changed.replace('{ name })', '{ name, age })'));
    await dev.waitForError(/^workers\/shop\.ts:\d+:\d+ - error TS2339: Property 'age' does not exist/m);
    await dev.waitForError(/workers\/shop\.ts has type errors; the version before keeps running$/m);
    assert.deepEqual(await (await fetch(`${origin}/shop/world`)).json(), { message: 'Welcome, world' });
    writeFileSync(worker, changed);
    await dev.waitForError(/^reloaded workers\/shop\.ts/m);
    assert.deepEqual(await (await fetch(`${origin}/shop/world`)).json(), { message: 'Hello, world' });
    // Its output ends when the last process has ended: npm, its shell, `dev` and the compiler.
    dev.kill('SIGTERM');
    await within(dev.exited, 'the end of all processes', PATIENCE);
  });

  it('type-checks the handlers against the contract', async () => {
    const worker = path.join(project, 'workers/shop.ts');
    const text = readFileSync(worker, 'utf8');
    writeFileSync(worker, text.replace(/'shop\.get': \(.*/, "'shop.gte': () => {"));
    const check = startProcess(scope, 'npm', ['run', '--silent', 'typecheck'], { cwd: project });
    assert.notEqual((await check.exited).code, 0);
    assert.match(check.lines.join('\n'), /shop\.gte/);
    writeFileSync(worker, text);
  });

  it('has a Dockerfile whose sources exist, and a CI file that runs its scripts', () => {
    assert.deepEqual(checkDockerfile(project), []);
    const ci = parse(readFileSync(path.join(project, '.github/workflows/ci.yml'), 'utf8')) as {
      jobs: { check: { steps: { run?: string }[] } };
    };
    const { scripts } = JSON.parse(readFileSync(path.join(project, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const commands = ci.jobs.check.steps.flatMap(({ run: command }) => command ?? []);
    assert.deepEqual(commands, ['npm ci', 'npm run lint', 'npm run typecheck', 'npm test']);
    for (const command of commands.slice(1)) assert.ok(scripts[command.split(' ').at(-1) ?? ''], command);
  });

  describe('tutorial', NEEDS_CLASSIC, () => {
    let reader: Reader;
    before(async () => {
      const home = path.dirname(path.dirname(path.dirname(tool)));
      reader = await Reader.in(scope, home);
    });

    it('tutorial 1: every block works, and a saved file is reloaded', async () => {
      await reader.read('docs/tutorial/1-first-worker.md');
      reader.edit('workers/shop.ts', 'Welcome', 'Hello');
      await reader.type('curl -s localhost:8080/shop/world     # {"message":"Hello, world"}', 'the change');
    });

    for (const page of ['2-from-python', '3-to-production', '4-streams']) {
      it(`tutorial ${page[0]}: every block works`, () => reader.read(`docs/tutorial/${page}.md`));
    }
  });
});
