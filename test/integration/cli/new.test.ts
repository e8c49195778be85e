/** Projects and workers created by `new`: their tests pass, their types are correct and their routes work. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../../../src/cli/process/package.ts';
import { FREE_PORTS, runCommand, startNode, urlIn } from '../../helpers/command.ts';
import { within } from '../../helpers/eventually.ts';
import { startProcess } from '../../helpers/processes.ts';
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
    const added = await runCommand(scope, ['new', 'worker', 'orders'], { cwd: project });
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

  it('shows the next steps in README and output', async (t) => {
    const cwd = tempFolder(t);
    const { stdout } = await runCommand(
      scopeOf(t),
      ['new', 'project', 'shop', '--folder', 'a/b', '--package', '^1.0.0'],
      { cwd },
    );
    assert.match(
      stdout,
      / {2}cd a\/b\n {2}npm install\n {2}npm run dev\n {2}curl -s localhost:8080\/shop\/world$/,
    );
    const { dependencies } = JSON.parse(readFileSync(path.join(cwd, 'a/b/package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    assert.equal(dependencies['zeromq-gateway'], '^1.0.0');
    assert.doesNotMatch(readFileSync(path.join(cwd, 'a/b/Dockerfile'), 'utf8'), /vendor/);
    assert.match(
      readFileSync(path.join(cwd, 'a/b/README.md'), 'utf8'),
      /^# shop\n[^]*localhost:8080\/shop\/world/,
    );
  });
});

describe('command new', () => {
  it('writes no file if one of them exists', async (t) => {
    const cwd = tempFolder(t);
    mkdirSync(path.join(cwd, 'shop'));
    writeFileSync(path.join(cwd, 'shop/package.json'), '{}');
    const { code, stdout, stderr } = await runCommand(scopeOf(t), ['new', 'project', 'shop'], { cwd });
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(
      stderr,
      /^error: shop\/package\.json already exists: no file was written; choose another name/,
    );
    assert.deepEqual(readdirSync(path.join(cwd, 'shop')), ['package.json']);
  });

  it('rejects names that are not valid for events and files', async (t) => {
    const cwd = tempFolder(t);
    for (const name of ['Shop', '../shop', 'a b', 'x'.repeat(51)]) {
      const { code, stderr } = await runCommand(scopeOf(t), ['new', 'worker', name], { cwd });
      assert.equal(code, 2);
      assert.match(stderr, /error: name: .* is invalid; allowed: small letters/);
    }
    assert.ok(!existsSync(path.join(cwd, 'shop.ts')));
  });
});
