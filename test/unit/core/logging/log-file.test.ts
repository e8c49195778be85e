import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { LogFile } from '../../../../src/core/logging/log-file.ts';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { tempFolder } from '../../../helpers/temp.ts';

const DAY = 24 * 3_600_000;
const START = new Date(2026, 4, 6, 7, 8, 9).getTime();

function open(folder: string, options: { maxSize?: number; clock?: FakeClock } = {}) {
  const { maxSize = 10_000_000, clock = new FakeClock({ wall: START }) } = options;
  return LogFile.open(folder, { maxSize, retention: 7 * DAY, limit: 1 << 20, clock });
}

describe('LogFile', () => {
  it('LogFile: creates its folder and names files by local time, numbered within one second', async (t) => {
    const folder = join(tempFolder(t), 'var', 'log');
    const files = [open(folder), open(folder), open(folder)];
    assert.deepEqual(
      files.map((file) => file.path),
      ['', '.1', '.2'].map((suffix) => join(folder, `debug_2026-05-06_07-08-09${suffix}.log`)),
    );
    await Promise.all(files.map((file) => file.close()));
  });

  it('LogFile: starts a new file when one is full and loses no line', async (t) => {
    const folder = tempFolder(t);
    const clock = new FakeClock({ wall: START });
    const file = open(folder, { maxSize: 100, clock });
    const expected = Array.from({ length: 100 }, (_, index) => `line ${index + 100}`);
    for (const [index, line] of expected.entries()) {
      file.write(`${line}\n`);
      if (index % 5 < 4) continue;
      while (!readFileSync(file.path, 'utf8').endsWith(`${line}\n`)) await turn();
      clock.advance(250);
    }
    await file.close();
    const names = readdirSync(folder).sort();
    assert.equal(names.length, 10, 'two batches of 45 bytes fit into a file');
    assert.equal(file.path, join(folder, 'debug_2026-05-06_07-08-13.1.log'));
    const lines = names.flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'));
    assert.deepEqual(lines.sort(), expected);
  });

  it('LogFile: removes log files that were not written for seven days, and no other files', async (t) => {
    const folder = tempFolder(t);
    const old = (START - 7 * DAY) / 1000 - 60;
    const touch = (name: string, time: number) => {
      writeFileSync(join(folder, name), '');
      utimesSync(join(folder, name), time, time);
    };
    touch('debug_2026-01-01_00-00-00.log', old);
    touch('debug_2026-01-01_00-00-00.2026-01-02_00-00-00_123456.log', old);
    touch('debug_2026-01-01_00-00-01.3.log', old);
    touch('debug_2026-01-01_00-00-02.log', old + 120);
    touch('debug_notes.log', old);
    touch('access.log', old);
    const file = open(folder);
    file.write('x\n');
    await file.close();
    assert.deepEqual(readdirSync(folder).sort(), [
      'access.log',
      'debug_2026-01-01_00-00-02.log',
      'debug_2026-05-06_07-08-09.log',
      'debug_notes.log',
    ]);
  });

  it('LogFile: continues in a new file and folder after they were removed', async (t) => {
    const folder = join(tempFolder(t), 'logs');
    const file = open(folder);
    file.write('first\n');
    while (readFileSync(file.path, 'utf8') === '') await turn();
    rmSync(folder, { recursive: true });
    file.write('second\n');
    await file.close();
    assert.deepEqual(
      readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')),
      ['second\n'],
    );
    assert.equal(file.dropped, 0);
  });

  it('LogFile: counts lines that cannot be written, warns once and recovers', async (t) => {
    const parent = tempFolder(t);
    const folder = join(parent, 'logs');
    const complaints = t.mock.method(process.stderr, 'write', () => true);
    const file = open(folder);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'in the way');
    for (const lines of [3, 2]) {
      for (let n = 0; n < lines; n += 1) file.write('lost\n');
      while (file.dropped < 3 || (lines === 2 && file.dropped < 5)) await turn();
    }
    rmSync(folder);
    file.write('kept\n');
    await file.close();
    const said = complaints.mock.calls.map(({ arguments: [text] }) => String(text));
    complaints.mock.restore();
    assert.deepEqual([said.length, file.dropped], [1, 5]);
    assert.match(said[0] ?? '', /^cannot write to the log .*: EEXIST/);
    const [name = ''] = readdirSync(folder);
    const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
    assert.equal(lines[0], 'kept');
    assert.match(lines[1] ?? '', /"dropped":5/);
  });

  it('LogFile: reports the folder that cannot be created', (t) => {
    const folder = tempFolder(t);
    writeFileSync(join(folder, 'file'), '');
    assert.throws(
      () => open(join(folder, 'file', 'logs')),
      (error) =>
        error instanceof ZeroMQConfigError && /^cannot log to .*\/file\/logs: ENOTDIR/.test(error.message),
    );
  });
});
