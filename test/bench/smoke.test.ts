// test:all: 20 s; check.test.ts represents the benchmarks
/**
 * The benchmark suite works: contenders start, take load, are measured and reported, and end. Correctness only:
 * nothing here looks at a time. `npm run bench` does the measuring.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { findLoadTool } from '../../bench/lib/load.ts';
import { describeMachine } from '../../bench/lib/machine.ts';
import { type Effort, ratio, type Sample } from '../../bench/lib/measure.ts';
import { expressDefault } from '../../bench/lib/peers.ts';
import { aliveCount } from '../../bench/lib/process.ts';
import { readResults, writePage, writeResult } from '../../bench/lib/report.ts';
import { isMet, type Report } from '../../bench/lib/scenario.ts';
import { percentile } from '../../bench/lib/stats.ts';
import { embedded, separate } from '../../bench/lib/zeromq-gateway.ts';
import { bindingSuite } from '../../bench/micro/binding.ts';
import { codecSuite } from '../../bench/micro/codec.ts';
import { hopsSuite } from '../../bench/micro/hops.ts';
import { validationSuite } from '../../bench/micro/validation.ts';
import { compareHttp, getEcho, postEcho } from '../../bench/scenarios/http.ts';
import { rivals, routerScenario } from '../../bench/scenarios/router.ts';

const EFFORT: Effort = { rounds: 1, seconds: 1, warmup: 0 };
const load = findLoadTool();
const log = (): void => undefined;

function checkRows(report: Report, labels: readonly string[]): void {
  assert.deepEqual(
    report.rows.map(({ label }) => label),
    labels,
  );
  for (const { label, values } of report.rows) {
    assert.ok((values.perSecond ?? 0) > 0, `${label} answered nothing`);
    assert.equal(values.errors ?? 0, 0, `${label} failed requests`);
  }
}

describe('benchmarks', () => {
  after(() => assert.equal(aliveCount(), 0, 'a contender is still running'));

  it('compares contenders over HTTP and reports what it found', { skip: load === undefined }, async (t) => {
    assert.ok(load);
    const contenders = [embedded, separate, expressDefault];
    const report = await compareHttp({ ...getEcho, contenders }, { effort: EFFORT, load, log });
    checkRows(report, ['zeromq-gateway, embedded', 'zeromq-gateway, separate', 'Express']);
    assert.equal(report.targets.length, 2);

    const folder = mkdtempSync(join(tmpdir(), 'bench-smoke-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const machine = describeMachine(load.name);
    writeResult(folder, { order: 0, at: new Date().toISOString(), machine, effort: EFFORT, report });
    writePage(folder, readResults(folder));
    const page = readFileSync(join(folder, 'benchmarks.md'), 'utf8');
    const chart = readFileSync(join(folder, 'benchmarks', 'http-get.svg'), 'utf8');
    for (const { name, does } of contenders) {
      assert.ok(page.includes(name) && page.includes(does), `the page lacks ${name}`);
      assert.ok(chart.includes(name), `the chart lacks ${name}`);
    }
  });

  it('sends POST bodies', { skip: load === undefined }, async () => {
    assert.ok(load);
    const report = await compareHttp(
      { ...postEcho, contenders: [expressDefault] },
      { effort: EFFORT, load, log },
    );
    checkRows(report, ['Express']);
  });

  it('counts round trips through the router and through libzmq Proxy', async () => {
    const unused = { name: 'none', run: () => Promise.reject(new Error('no HTTP here')) };
    const report = await routerScenario(64, 1, rivals).run({ effort: EFFORT, load: load ?? unused, log });
    checkRows(report, ['libzmq Proxy', 'zeromq-gateway, packed']);
  });

  it('runs each micro benchmark once', async () => {
    for (const suite of [codecSuite, validationSuite, bindingSuite, hopsSuite]) {
      const { tasks, close } = await suite();
      assert.ok(tasks.length > 0);
      for (const task of tasks) await task.run();
      close?.();
    }
  });

  it('holds ratios that were measured before', () => {
    const baseline = JSON.parse(
      readFileSync(new URL('../../bench/baseline.json', import.meta.url), 'utf8'),
    ) as { machine: string; ratios: Record<string, { throughput: number; cpu: number }> };
    assert.match(baseline.machine, /^\d+ × ./);
    const entries = Object.entries(baseline.ratios);
    assert.ok(entries.length > 0);
    for (const [key, { throughput, cpu }] of entries) assert.ok(throughput > 0 && cpu > 0, key);
  });

  it('takes medians within rounds', () => {
    const sample = (perSecond: number): Sample => ({ perSecond, p50: 1, p99: 1, errors: 0, cpu: {}, rss: 0 });
    const samples = new Map([
      ['a', [sample(30), sample(10), sample(90)]],
      ['b', [sample(10), sample(10), sample(10)]],
    ]);
    assert.equal(ratio(samples, 'a', 'b'), 3);
    assert.equal(percentile([4, 1, 3, 2], 0.5), 2.5);
    assert.ok(Number.isNaN(percentile([], 0.5)));
    const target = { key: '', what: '', against: '', unit: '×', want: 2, value: 1 } as const;
    assert.equal(isMet({ ...target, bound: 'at least' }), false);
    assert.equal(isMet({ ...target, bound: 'at most' }), true);
  });
});
