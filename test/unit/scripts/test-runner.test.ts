// test:all: 30 s, tests the runner itself
/** `npm test`: the files it runs, the options it passes on, and processes that tests leave behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ended } from '../../helpers/process-table.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Creates an installed and built project with these tests. */
function project(t: TestContext, tests: Record<string, string>): string {
  const folder = tempFolder(t);
  const write = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  };
  cpSync(path.join(ROOT, 'scripts'), path.join(folder, 'scripts'), { recursive: true });
  for (const lock of ['package-lock.json', 'node_modules/.package-lock.json']) write(lock, '{"packages":{}}');
  for (const name of ['esbuild', '@esbuild'])
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name));
  write('package.json', '{"type":"module"}');
  for (const [name, body] of Object.entries(tests)) {
    write(`test/${name}`, body.replace(/^(\/\/.*\n)?/, `$1import { test } from 'node:test';\n`));
  }
  write('dist/cli/main.js', '');
  write('dist/.built', 'types');
  return folder;
}

function npmTest(folder: string, ...args: string[]): { status: number | null; output: string } {
  // A runner within a runner would report to the outer one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/test.mjs', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
  return { status, output: stdout + stderr };
}

const LEAVES_A_PROCESS = `
import { spawn } from 'node:child_process';
test('careless', () => {
  spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { detached: true, stdio: 'ignore' }).unref();
});`;

const NEVER_ENDS = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
test('endless', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  writeFileSync('child.pid', String(child.pid));
  await new Promise(() => undefined);
});`;

describe('npm test', () => {
  it('runs all tests except soaks, and prints the summary last', (t) => {
    const folder = project(t, {
      'unit/a.test.ts': "test('one', () => {});",
      'interop/b.test.ts': "test('two', () => {});",
      'soak/d.test.ts': "test('soak', () => { throw new Error(); });",
      'helpers/e.ts': "test('no test', () => { throw new Error(); });",
    });
    const { status, output } = npmTest(folder, '--concurrency=1');
    assert.equal(status, 0, output);
    assert.match(output, /ℹ tests 2\n[^]*ℹ pass 2\n[^]*ℹ duration_ms [\d.]+\n$/);
    const lines = output.match(/^✔ .*(?=, [\d.]+ s\)$)/gm);
    assert.deepEqual(lines, ['✔ test/interop/b.test.ts (1 test', '✔ test/unit/a.test.ts (1 test']);
  });

  it('leaves marked files to `npm run test:all`, unless a filter selects them', (t) => {
    const folder = project(t, {
      'unit/a.test.ts': "test('one', () => {});",
      'fault/b.test.ts': "// test:all: takes long\ntest('two', () => {});",
    });
    const some = npmTest(folder);
    assert.equal(some.status, 0, some.output);
    assert.match(some.output, /\nLeft to npm run test:all: 1 file\n\nℹ tests 1\n/);
    for (const option of ['--all', 'test/fault']) {
      const { output } = npmTest(folder, option);
      assert.match(output, /✔ test\/fault\/b\.test\.ts \(1 test/);
      assert.doesNotMatch(output, /Left to/);
    }
  });

  it('accepts parts of paths as filters and passes on options', (t) => {
    const folder = project(t, {
      'unit/a.test.ts': "test('one', () => {}); test('other', () => {});",
      'unit/router/b.test.ts': "test('two', () => {});",
    });
    const filtered = npmTest(folder, './test/unit/router');
    assert.match(filtered.output, /ℹ tests 1\n/);
    assert.match(filtered.output, /✔ test\/unit\/router\/b\.test\.ts/);
    assert.match(npmTest(folder, '--test-name-pattern=one', 'a.test').output, /ℹ pass 1\n/);
    const none = npmTest(folder, 'elephants');
    assert.equal(none.status, 1);
    assert.match(none.output, /No test file matches elephants/);
  });

  it('prints failures in full, with the output of their file, and names skipped tests', (t) => {
    const folder = project(t, {
      'unit/a.test.ts': "test('bad', () => { console.log('seen'); throw new Error('no good'); });",
      'unit/b.test.ts':
        "test('good', () => console.log('noise')); test('later', { skip: 'no time' }, () => {});",
      'unit/c.test.ts': "throw new Error('does not load');",
    });
    const { status, output } = npmTest(folder, '--concurrency=1');
    assert.equal(status, 1);
    assert.match(
      output,
      /^✖ test\/unit\/a\.test\.ts \(1 test, 1 failed, [\d.]+ s\)\n {2}✖ bad\n✔ test\/unit\/b/m,
    );
    assert.match(output, /Failed:\n[^]*Error: no good\n[^]*a\.test\.ts:\d+[^]*Output of the file:\n +seen/);
    assert.match(output, /Error: does not load/);
    assert.match(output, /Skipped:\n {2}test\/unit\/b\.test\.ts: later \(no time\)\n/);
    assert.doesNotMatch(output, /noise/);
    assert.match(output, /ℹ fail 2\n/);
  });

  it('runs a failed file again with --retry, and lists it as flaky if it passes then', (t) => {
    const folder = project(t, {
      'unit/a.test.ts': `
import { existsSync, writeFileSync } from 'node:fs';
test('flaky', () => {
  if (existsSync('ran')) return;
  writeFileSync('ran', '');
  throw new Error('the first run');
});`,
      'unit/b.test.ts': "test('one', () => {});",
    });
    const { status, output } = npmTest(folder, '--retry=1');
    assert.equal(status, 0, output);
    assert.match(output, /✖ test\/unit\/a\.test\.ts [^]*Runs again, alone: .*\n✔ test\/unit\/a\.test\.ts /);
    assert.match(output, /\nFlaky \(.*\):\ntest\/unit\/a\.test\.ts\n {2}✖ flaky\n[^]*the first run/);
    assert.doesNotMatch(output, /\nFailed:/);
    assert.match(output, /ℹ tests 2\n[^]*ℹ pass 2\nℹ fail 0\n/);
  });

  it('fails if a file fails again, and runs none again if more files failed than --retry allows', (t) => {
    const fails = "test('broken', () => { throw new Error('always'); });";
    const one = npmTest(project(t, { 'unit/a.test.ts': fails }), '--retry=1');
    assert.equal(one.status, 1, one.output);
    assert.match(one.output, /Runs again, alone: [^]*\nFailed:\ntest\/unit\/a\.test\.ts\n/);
    assert.doesNotMatch(one.output, /Flaky/);
    const two = npmTest(project(t, { 'unit/a.test.ts': fails, 'unit/b.test.ts': fails }), '--retry=1');
    assert.equal(two.status, 1, two.output);
    assert.doesNotMatch(two.output, /Runs again|Flaky/);
    assert.match(two.output, /ℹ fail 2\n/);
  });

  it('ends the processes of a file that it cuts off', async (t) => {
    if (process.platform !== 'linux') return t.skip('needs /proc');
    const folder = project(t, { 'unit/a.test.ts': NEVER_ENDS });
    const { status, output } = npmTest(folder, '--file-timeout=2000');
    assert.equal(status, 1, output);
    assert.match(output, /took more than \d+ ms and was cut off/);
    assert.doesNotMatch(output, /Left behind/);
    await ended([Number(readFileSync(path.join(folder, 'child.pid'), 'utf8'))]);
  });

  it('fails if a test leaves a process behind; names and ends the process', async (t) => {
    if (process.platform !== 'linux') return t.skip('needs /proc');
    const { status, output } = npmTest(project(t, { 'unit/a.test.ts': LEAVES_A_PROCESS }));
    assert.equal(status, 1, output);
    const [, pid] = /Left behind by test\/unit\/a\.test\.ts: process (\d+): .*setTimeout/.exec(output) ?? [];
    assert.ok(pid !== undefined, output);
    await ended([Number(pid)]);
  });
});
