/** The soak itself, for a moment: processes start, take load, suffer faults, are counted, and the report can be written. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { aliveCount } from '../../bench/lib/process.ts';
import { readPage, writePage } from '../../soak/lib/page.ts';
import { randomOf } from '../../soak/lib/random.ts';
import { chartsOf, complaintsOf, type Findings, markdownOf } from '../../soak/lib/report.ts';
import { soak } from '../../soak/lib/run.ts';
import { growthOf } from '../../soak/lib/samples.ts';
import { tempFolder } from '../helpers/temp.ts';

describe('the soak', () => {
  after(() => assert.equal(aliveCount(), 0, 'a process is still running'));

  it('finds nothing wrong in a few seconds of faults', { skip: process.platform !== 'linux' }, async () => {
    const findings = await soak({
      seconds: 4,
      rate: 60,
      seed: 5,
      gateways: 1,
      workers: 2,
      say: () => undefined,
    });
    assert.deepEqual(complaintsOf(findings), []);
    assert.ok(findings.verdict.asked > 100 && findings.faults.length > 0, 'it did next to nothing');
    assert.equal(findings.verdict.lost + findings.verdict.doubled, 0);
    const markdown = markdownOf(findings);
    for (const { what } of findings.faults) assert.ok(markdown.includes(what), what);
    for (const svg of chartsOf(findings).values())
      assert.match(svg, /router 1.*gateway 1|gateway 1.*router 1/s);
  });

  it('complains of what grows, and of processes that do not end as they should', () => {
    const series = (last: number) =>
      Array.from({ length: 8 }, (_, at) => ({
        at,
        memory: at < 6 ? 100 : last,
        handles: at < 6 ? 40 : last,
      }));
    const of = (last: number): Findings => ({
      ...{
        seconds: 1200,
        rate: 1,
        seed: 1,
        at: '',
        faults: [],
        mishaps: last > 100 ? ['worker 2 ended with 1'] : [],
      },
      machine: { cpu: '', cores: 1, memory: '', os: '', node: 'v20', load: '', versions: {} },
      verdict: { asked: 0, outcomes: new Map(), lost: 0, doubled: 0, executions: 0, repeated: 0, faults: [] },
      steady: new Map([['router 1', series(last)]]),
    });
    assert.deepEqual(growthOf(series(200), 'memory'), { before: 100, after: 200 });
    assert.deepEqual(complaintsOf(of(45)), []);
    assert.equal(complaintsOf(of(200)).length, 3);
  });

  it('fills a page that is empty and one that is full, and refuses one that has no place', (t) => {
    const folder = tempFolder(t);
    const page = path.join(folder, 'page.md');
    const charts = new Map([['a.svg', '<svg/>']]);
    writeFileSync(page, '# Page\n\n<!-- soak -->\n<!-- /soak -->\n\nend\n');
    for (const table of ['first $& one', 'second']) {
      writePage(page, table, charts);
      const filled = `# Page\n\n<!-- soak -->\n\n${table}\n\n<!-- /soak -->\n\nend\n`;
      assert.equal(readFileSync(page, 'utf8'), filled);
    }
    assert.equal(readFileSync(path.join(folder, 'page', 'a.svg'), 'utf8'), '<svg/>');
    writeFileSync(page, '# Page\n');
    assert.throws(() => readPage(page), /has no <!-- soak -->/);
  });

  it('makes the same choices for the same seed', () => {
    const draw = (seed: number): number[] => {
      const random = randomOf(seed);
      return Array.from({ length: 5 }, () => random.between(0, 100));
    };
    assert.deepEqual(draw(3), draw(3));
    assert.notDeepEqual(draw(3), draw(4));
  });
});
