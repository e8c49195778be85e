// test:all: 30 s; new.test.ts represents it
/**
 * A project of `new`, with this build in place of the package: its tests pass, its types are correct,
 * and its routes work.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../../../src/cli/process/package.ts';
import { FREE_PORTS, runCommand, startNode, urlIn } from '../../helpers/command.ts';
import { within } from '../../helpers/eventually.ts';
import { startProcess } from '../../helpers/processes.ts';
import { runCommandHere } from '../../helpers/run-command-here.ts';
import { type Scope, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Links this build and its packages, in place of `npm install`. */
function install(project: string): void {
  const modules = path.join(project, 'node_modules');
  mkdirSync(path.join(modules, '@types'), { recursive: true });
  symlinkSync(ROOT, path.join(modules, 'zeromq-gateway'));
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(path.join(project, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'devDependencies', Record<string, string>>;
  for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (name === 'zeromq-gateway') continue;
    assert.match(range, /^\^\d+\.\d+\.\d+$/, name);
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  }
}

async function npm(scope: Scope, cwd: string, script: string): Promise<string> {
  const env = { NODE_TEST_CONTEXT: undefined, PATH: `${ROOT}node_modules/.bin:${process.env['PATH']}` };
  const run = startProcess(scope, 'npm', ['run', '--silent', script], { cwd, env });
  const { code } = await within(run.exited, `npm run ${script}`);
  assert.equal(code, 0, `${run.lines.join('\n')}\n${run.stderr}`);
  return run.lines.join('\n');
}

describe('new project', () => {
  it('creates a project that passes its tests and type check, and serves requests', async (t) => {
    const scope = scopeOf(t);
    const cwd = tempFolder(scope);
    const made = await runCommand(scope, ['new', 'project', 'stock-levels'], { cwd });
    assert.equal(made.code, 0, made.stderr);
    const project = path.join(cwd, 'stock-levels');
    assert.deepEqual(
      readdirSync(project, { recursive: true, encoding: 'utf8' }).sort(),
      [
        ...['.dockerignore', '.github', '.github/workflows', '.github/workflows/ci.yml', '.gitignore'],
        ...['Dockerfile', 'README.md', 'biome.json', 'package.json', 'tsconfig.json', 'zeromq-gateway.yaml'],
        ...['test', 'test/stock-levels.test.ts', 'workers', 'workers/stock-levels.ts'],
        ...['vendor', `vendor/zeromq-gateway-${VERSION}.tgz`],
      ].sort(),
    );
    install(project);
    const added = await runCommandHere(['new', 'worker', 'orders'], { cwd: project });
    assert.match(added.stdout, /^created workers\/orders\.ts\n/);

    assert.match(await npm(scope, project, 'test'), /pass 3\b/);
    await npm(scope, project, 'typecheck');
    await npm(scope, project, 'lint');
    const { line } = await startNode(scope, ['dev', '--port', '0', ...FREE_PORTS], { cwd: project });
    assert.match(line, /workers orders\.ts, stock-levels\.ts,/);
    for (const name of ['stock-levels', 'orders']) {
      const reply = await fetch(`${new URL(urlIn(line)).origin}/${name}/world`);
      assert.deepEqual(await reply.json(), { message: 'Welcome, world' });
    }
  });
});
