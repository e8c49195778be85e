/** A project of `zeromq-gateway new project`, created by the packed package and installed by npm. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { checkDockerfile } from '../../scripts/lib/docker.ts';
import { ROOT } from '../docs/pages.ts';
import { FREE_PORTS } from '../helpers/command.ts';
import { within } from '../helpers/eventually.ts';
import { allowed, PATIENCE } from '../helpers/patience.ts';
import { startProcess } from '../helpers/processes.ts';
import { Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

/** Time from an empty folder to the first reply, in ms, with warm caches on a free machine. */
const TWO_MINUTES = 120_000;

const INSTALL = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];

const scope = new Scope();

/** Runs a command in a folder and returns its output. */
async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const env = { NODE_TEST_CONTEXT: undefined, FORCE_COLOR: undefined };
  const started = startProcess(scope, command, args, { cwd, env });
  const { code } = await started.exited;
  const output = `${started.lines.join('\n')}\n${started.stderr}`;
  assert.equal(code, 0, `${command} ${args.join(' ')}\n${output}`);
  return output;
}

describe('new project, from the package', () => {
  let tool: string;
  let project: string;
  let began: number;
  before(async () => {
    await run(ROOT, process.execPath, 'scripts/build.mjs', '--package');
    const folder = tempFolder(scope);
    await run(ROOT, 'npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', folder);
    const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    const app = path.join(tempFolder(scope), 'tool');
    mkdirSync(app);
    writeFileSync(path.join(app, 'package.json'), '{"private":true}');
    await run(app, 'npm', ...INSTALL, path.join(folder, `zeromq-gateway-${version}.tgz`));
    tool = path.join(app, 'node_modules/.bin/zeromq-gateway');
    began = performance.now();
    const home = path.join(tempFolder(scope), 'my projects');
    mkdirSync(home);
    const output = await run(home, tool, 'new', 'project', 'shop');
    assert.match(output, new RegExp(`depends on vendor/zeromq-gateway-${version}\\.tgz\\.`));
    project = path.join(home, 'shop');
    await run(project, 'npm', ...INSTALL);
  });
  after(() => scope.close());

  it('has correct types, no lint, and passes its tests', async () => {
    await run(project, 'npm', 'run', '--silent', 'typecheck');
    await run(project, 'npm', 'run', '--silent', 'lint');
    assert.match(await run(project, 'npm', 'test'), /pass 3\b/);
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
});
