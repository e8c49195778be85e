// test:all: 35 s; check.test.ts represents the benchmarks
/** The comparison of frameworks works: the services compile, and every mistake applies. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { aliveCount } from '../../bench/lib/process.ts';
import { COMPARISON, CONTENDERS, copyOf } from '../../bench/workbench/contenders.ts';
import { reloads, testTime } from '../../bench/workbench/measure.ts';
import { linesIn, MISTAKES, Project } from '../../bench/workbench/mistakes.ts';
import { tablesOf } from '../../bench/workbench.ts';
import { tempFolder } from '../helpers/temp.ts';

describe('workbench', () => {
  for (const contender of CONTENDERS) {
    const own = contender.folder === 'zeromq-gateway';
    const skip =
      own || existsSync(path.join(COMPARISON, 'node_modules')) ? false : 'its packages are not installed';

    it(`workbench: ${contender.name} compiles, and every mistake applies`, { skip }, (t) => {
      const folder = copyOf(contender, tempFolder(t));
      const project = new Project(folder);
      assert.deepEqual(project.errors(), []);
      for (const { name, edits } of MISTAKES) {
        const edit = edits[contender.folder];
        const errors = edit === undefined ? [] : project.errors(edit);
        if (own) assert.ok(errors.length > 0, `not reported: ${name}`);
      }
      project.close();
      assert.ok(linesIn(path.join(folder, contender.sources)) > 50);
    });
  }

  it('workbench: measures the test and the reload of a service, and writes the tables', async (t) => {
    const [contender] = CONTENDERS;
    assert.ok(contender);
    const folder = copyOf(contender, tempFolder(t));
    const duration = testTime(contender, folder);
    const reload = await reloads(contender, folder, 1);
    assert.equal(aliveCount(), 0);
    assert.equal(reload.times.length, 1);
    assert.ok(reload.requests > 0);
    assert.equal(reload.failed, 0, 'a save failed requests');
    const reported = MISTAKES.map((_mistake, index) => (index === 0 ? undefined : index > 2));
    const row = { name: 'one', lines: 7, testLines: 5, reported, testTimes: [duration], reload };
    const tables = tablesOf([row]);
    assert.match(tables, /^\| mistakes that the compiler reports \| 7 of 9 \|$/m);
    assert.match(tables, /^\| failed requests during the saves \| 0 of \d+ \|$/m);
    assert.match(tables, /^\| an operation without a handler \| cannot be made \|$/m);
  });
});
