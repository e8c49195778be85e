// test:all: 30 s; checker.test.ts represents it
/**
 * A short run of the soak test: processes start, take load and faults, are counted, and the report
 * is written.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { aliveCount } from '../../bench/lib/process.ts';
import type { Member } from '../../soak/lib/cluster.ts';
import { readPage, writePage } from '../../soak/lib/page.ts';
import { randomOf } from '../../soak/lib/random.ts';
import { chartsOf, markdownOf, problemsOf, type SoakResult } from '../../soak/lib/report.ts';
import { soak } from '../../soak/lib/run.ts';
import { growthOf, slopeOf } from '../../soak/lib/samples.ts';
import { Starvation } from '../../soak/lib/starve.ts';
import { withResolvers } from '../../src/core/collections/deferred.ts';
import { within } from '../helpers/eventually.ts';
import { tempFolder } from '../helpers/temp.ts';
import { TYPESCRIPT } from '../helpers/typescript.ts';

describe('soak', () => {
  after(() => assert.equal(aliveCount(), 0, 'a process is still running'));

  it('soak: finds no violation in a few seconds of faults', {
    skip: process.platform !== 'linux',
  }, async () => {
    const findings = await soak({
      seconds: 4,
      rate: 60,
      seed: 5,
      starve: false,
      gateways: 1,
      workers: 2,
      report: () => undefined,
    });
    assert.deepEqual(problemsOf(findings), []);
    assert.ok(findings.check.requests > 100 && findings.faults.length > 0, 'the soak ran almost no requests');
    const { lost, duplicated: doubled, unsupported: unfounded } = findings.check;
    assert.deepEqual({ lost, doubled, unfounded }, { lost: 0, doubled: 0, unfounded: 0 });
    const markdown = markdownOf(findings);
    for (const { what } of findings.faults) assert.ok(markdown.includes(what), what);
    for (const svg of chartsOf(findings).values())
      assert.match(svg, /router 1.*gateway 1|gateway 1.*router 1/s);
  });

  it('soak: finds no violation while processes get little CPU time', {
    skip: process.platform !== 'linux',
  }, async () => {
    const findings = await soak({
      seconds: 4,
      rate: 20,
      seed: 6,
      starve: true,
      gateways: 1,
      workers: 2,
      report: () => undefined,
    });
    assert.deepEqual(problemsOf(findings), []);
    assert.ok(findings.check.requests > 30, 'the soak ran almost no requests');
    assert.match(markdownOf(findings), /a fifth of the CPU time/);
  });

  it('soak: starving gives each process one slot in five', async () => {
    const signals = { a: [] as string[], b: [] as string[] };
    const { promise: enough, resolve } = withResolvers();
    const members = (['a', 'b'] as const).map((name) => {
      const signal = (sent: string): void => {
        if (signals[name].push(sent) >= 10) resolve();
      };
      return { name, signal } as unknown as Member;
    });
    const starvation = new Starvation(members, ({ name }) => name === 'b');
    await within(enough, 'ten signals');
    starvation.stop();
    assert.equal(signals.a.slice(0, 10).filter((signal) => signal === 'SIGCONT').length, 2);
    assert.equal(signals.a.at(-1), 'SIGCONT', 'the process runs freely at the end');
    assert.deepEqual(signals.b, [], 'a process that a fault stopped stays stopped');
  });

  it('soak: measures the growth of memory in the second half', () => {
    const series = Array.from({ length: 100 }, (_, index) => {
      return { at: index * 6, memory: index < 50 ? index * 10 : 500 + index * 0.05, handles: 1 };
    });
    assert.ok(Math.abs(slopeOf(series) - 0.5) < 1e-9, String(slopeOf(series)));
    assert.equal(slopeOf([]), 0);
  });

  it('soak: replaces the contracts of workers', () => {
    for (const [name, events] of [
      ['plain', 2],
      ['wider', 3],
      ['narrower', 2],
    ] as const) {
      const script = `console.log(Object.keys((await import('./soak/worker.ts')).default.contract.events).length)`;
      const { stdout, stderr } = spawnSync(
        process.execPath,
        [...TYPESCRIPT, '--input-type=module', '-e', script],
        { encoding: 'utf8', env: { ...process.env, SOAK_CONTRACT: name } },
      );
      assert.equal(stdout.trim(), String(events), `${name}: ${stderr}`);
    }
  });

  it('soak: reports growth, and processes that end with an error', () => {
    const series = (last: number) =>
      Array.from({ length: 8 }, (_, at) => ({
        at,
        memory: at < 6 ? 100 : last,
        handles: at < 6 ? 40 : last,
      }));
    const of = (last: number): SoakResult => ({
      ...{
        seconds: 1200,
        rate: 1,
        seed: 1,
        starved: false,
        at: '',
        faults: [],
        failures: last > 100 ? ['worker 2 ended with 1'] : [],
      },
      machine: { cpu: '', cores: 1, memory: '', os: '', node: 'v20', load: '', versions: {} },
      check: {
        requests: 0,
        outcomes: new Map(),
        lost: 0,
        duplicated: 0,
        unsupported: 0,
        executions: 0,
        rerun: 0,
        violations: [],
      },
      steady: new Map([['router 1', series(last)]]),
    });
    assert.deepEqual(growthOf(series(200), 'memory'), { before: 100, after: 200 });
    assert.deepEqual(problemsOf(of(45)), []);
    assert.equal(problemsOf(of(200)).length, 3);
  });

  it('soak: fills an empty page and a full one, and rejects a page without a place for the report', (t) => {
    const folder = tempFolder(t);
    const page = path.join(folder, 'page.md');
    const charts = new Map([['a.svg', '<svg/>']]);
    writeFileSync(page, '# Page\n\n<!-- soak -->\n<!-- /soak -->\n\nend\n');
    for (const table of ['first $& one', 'second']) {
      writePage(page, 'soak', table, charts);
      const filled = `# Page\n\n<!-- soak -->\n\n${table}\n\n<!-- /soak -->\n\nend\n`;
      assert.equal(readFileSync(page, 'utf8'), filled);
    }
    assert.equal(readFileSync(path.join(folder, 'page', 'a.svg'), 'utf8'), '<svg/>');
    writeFileSync(page, '# Page\n');
    assert.throws(() => readPage(page, 'soak'), /has no <!-- soak -->/);
  });

  it('soak: makes the same choices for the same seed', () => {
    const draw = (seed: number): number[] => {
      const random = randomOf(seed);
      return Array.from({ length: 5 }, () => random.between(0, 100));
    };
    assert.deepEqual(draw(3), draw(3));
    assert.notDeepEqual(draw(3), draw(4));
  });
});
