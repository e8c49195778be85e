/** `new`: the files that it writes, what it prints, and the names that it accepts. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { runCommandHere } from '../../helpers/run-command-here.ts';
import { tempFolder } from '../../helpers/temp.ts';

describe('command new', () => {
  it('shows the next steps in README and output', async (t) => {
    const cwd = tempFolder(t);
    const { stdout } = await runCommandHere(
      ['new', 'project', 'shop', '--folder', 'a/b', '--package', '^1.0.0'],
      {
        cwd,
      },
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

  it('writes no file if one of them exists', async (t) => {
    const cwd = tempFolder(t);
    mkdirSync(path.join(cwd, 'shop'));
    writeFileSync(path.join(cwd, 'shop/package.json'), '{}');
    const { code, stdout, stderr } = await runCommandHere(['new', 'project', 'shop'], { cwd });
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(
      stderr,
      /^error: shop\/package\.json already exists: no file was written; choose another name/,
    );
    assert.deepEqual(readdirSync(path.join(cwd, 'shop')), ['package.json']);
  });

  it('accepts a path that ends in the name', async (t) => {
    const cwd = tempFolder(t);
    const args = ['new', 'project', '../shops/shop', '--package', '1.0.0'];
    mkdirSync(path.join(cwd, 'here'));
    const { code, stdout } = await runCommandHere(args, { cwd: path.join(cwd, 'here') });
    assert.equal(code, 0);
    assert.match(stdout, /^ {2}cd \.\.\/shops\/shop$/m);
    const text = readFileSync(path.join(cwd, 'shops/shop/package.json'), 'utf8');
    assert.equal((JSON.parse(text) as { name: string }).name, 'shop');
    const added = await runCommandHere(['new', 'worker', 'lib/orders'], { cwd });
    assert.match(added.stdout, /^created lib\/orders\.ts$/m);
  });

  it('rejects names that are not valid for events and files', async (t) => {
    const cwd = tempFolder(t);
    for (const name of ['Shop', '../Shop', 'a b', 'x'.repeat(51)]) {
      const { code, stderr } = await runCommandHere(['new', 'worker', name], { cwd });
      assert.equal(code, 2);
      assert.match(stderr, /error: name: .* is invalid; allowed: small letters/);
    }
    assert.ok(!existsSync(path.join(cwd, 'shop.ts')));
  });
});
