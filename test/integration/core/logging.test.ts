import assert from 'node:assert/strict';
import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { defaultLogger, setupLogging } from '../../../src/core/logging/logging.ts';
import { ZeroMQConfigError } from '../../../src/core/messages/errors.ts';
import { within } from '../../helpers/eventually.ts';
import { allowed } from '../../helpers/patience.ts';
import { type Cleanup, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { TYPESCRIPT } from '../../helpers/typescript.ts';

const CHILD = fileURLToPath(new URL('logging-child.ts', import.meta.url));

function start(cleanup: Cleanup, mode: string, folder: string, stdio: SpawnOptions['stdio']) {
  const child = spawn(process.execPath, [...TYPESCRIPT, CHILD, mode, folder], { stdio });
  cleanup.after(() => child.kill('SIGKILL'));
  const exited = within(once(child, 'exit'), 'the end of the process').then(([code]) => code as number);
  return { child, exited };
}

const read = (stream: Readable | null) => (stream === null ? Promise.resolve('') : text(stream));

interface Line {
  level: string;
  pid: number;
  msg: string;
  number?: number;
  dropped?: number;
  node?: string;
  secretKey?: string;
}

const logFiles = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.log'));

function linesOf(folder: string): Line[] {
  return logFiles(folder).flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line),
  );
}

describe('setupLogging', () => {
  it('setupLogging: logs debug to the file and info to the console for all nodes, until it is closed', async (t) => {
    const folder = tempFolder(t);
    const before = defaultLogger();
    const logging = setupLogging(folder, { consoleLevel: 'silent' });
    assert.equal(defaultLogger(), logging.logger);
    assert.equal(logging.logger.isLevelEnabled('debug'), true);
    assert.equal(logging.logger.isLevelEnabled('trace'), false);
    const node = defaultLogger().child({ node: 'client' });
    node.trace('unseen');
    node.debug('seen %d', 1);
    node.info({ event: 'tasks.get' }, 'seen too');
    await logging.close();
    assert.equal(defaultLogger(), before);
    node.warn('after the end');
    assert.match(logging.file, /debug_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.log$/);
    assert.deepEqual(
      linesOf(folder).map(({ level, node: name, msg }) => [level, name, msg]),
      [
        ['debug', 'client', 'seen 1'],
        ['info', 'client', 'seen too'],
      ],
    );
  });

  it('setupLogging: reports what is wrong with the folder', (t) => {
    const file = join(tempFolder(t), 'x');
    closeSync(openSync(file, 'w'));
    assert.throws(() => setupLogging(file), ZeroMQConfigError);
  });

  for (const kind of ['pipe', 'socket'] as const) {
    it(`setupLogging: an unread ${kind} on stdout blocks neither the process nor the file`, async (t) => {
      const scope = scopeOf(t);
      const folder = tempFolder(scope);
      let stdout: number | 'pipe' = 'pipe';
      if (kind === 'pipe') {
        const path = join(folder, 'stuck');
        assert.equal(spawnSync('mkfifo', [path]).status, 0);
        const descriptor = openSync(path, 'r+');
        scope.after(() => closeSync(descriptor));
        stdout = descriptor;
      }
      const { exited } = start(scope, 'flood', folder, ['ignore', stdout, 'inherit']);
      assert.equal(await exited, 0);
      const result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as Record<
        'longest' | 'dropped',
        number
      >;
      assert.ok(result.longest < allowed(1000), `the event loop was blocked for ${result.longest} ms`);
      assert.ok(result.dropped > 500, `${result.dropped} lines dropped at the console`);
      const lines = linesOf(folder);
      const numbers = lines.flatMap(({ number }) => number ?? []);
      assert.deepEqual(
        numbers,
        [...numbers].sort((a, b) => a - b),
      );
      assert.equal(numbers.length + lines.reduce((sum, { dropped = 0 }) => sum + dropped, 0), 2000);
      assert.equal(lines[0]?.secretKey, '[redacted]');
    });
  }

  it('setupLogging: writes queued lines when the process exits', async (t) => {
    const scope = scopeOf(t);
    const folder = tempFolder(scope);
    const { exited } = start(scope, 'exit', folder, ['ignore', 'pipe', 'inherit']);
    assert.equal(await exited, 3);
    assert.deepEqual(new Set(linesOf(folder).map(({ number }) => number)).size, 1000);
  });

  it('setupLogging: writes queued lines when an exception ends the process', async (t) => {
    const scope = scopeOf(t);
    const folder = tempFolder(scope);
    const { child, exited } = start(scope, 'throw', folder, ['ignore', 'pipe', 'pipe']);
    const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)]);
    assert.equal(await exited, 1);
    assert.equal(stdout, '', 'the console is standard error');
    assert.match(
      stderr,
      /"level":"error".*"err":\{"type":"Error","message":"for people".*"msg":"last words"/,
    );
    assert.deepEqual(
      linesOf(folder).map(({ msg }) => msg),
      ['last words'],
    );
  });
});

describe('defaultLogger', () => {
  for (const kind of ['pipe', 'file'] as const) {
    it(`defaultLogger: without a set-up, logs only warnings to stderr, also to a ${kind} when the process exits`, async (t) => {
      const scope = scopeOf(t);
      const path = join(tempFolder(scope), 'stderr');
      const descriptor = openSync(path, 'w');
      const { child, exited } = start(scope, 'default', '', [
        'ignore',
        'pipe',
        kind === 'pipe' ? 'pipe' : descriptor,
      ]);
      closeSync(descriptor);
      const [out, err] = await Promise.all([read(child.stdout), read(child.stderr)]);
      assert.equal(await exited, 0);
      assert.equal(out, '');
      const line = JSON.parse(kind === 'pipe' ? (err ?? '') : readFileSync(path, 'utf8')) as Line;
      assert.deepEqual([line.level, line.node, line.msg], ['warn', 'worker', 'but this']);
    });
  }
});
