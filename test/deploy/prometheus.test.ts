// test:all: 25 s; test/docs/observability.test.ts represents it
/**
 * Prometheus itself with the files of deploy/: its checks of configuration and rules, alerts in time
 * series, the queries of alerts and autoscalers against running nodes, and the load that autoscalers
 * use, which must rise before latency does.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { freePort } from '../../scripts/lib/ports.ts';
import { ROOT } from '../docs/pages.ts';
import { endpointIn, FREE_PORTS, startNode, urlIn } from '../helpers/command.ts';
import { startProcess } from '../helpers/processes.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { manifestsIn } from './kubernetes.ts';

const FOLDER = path.join(ROOT, 'deploy/prometheus');
const COMPONENTS = 'components';

/** Debian's package prometheus has promtool, too. */
const isInstalled = ['prometheus', 'promtool'].every((name) => spawnSync(name, ['--version']).status === 0);
const skip = isInstalled ? false : 'needs prometheus';

/** The times of the autoscalers are divided by this: 15 s between scrapes, averages of a minute. */
const FASTER = 20;

function promtool(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  assert.equal(status, 0, `promtool ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

const rules = (
  parse(readFileSync(path.join(FOLDER, 'alerts.yml'), 'utf8')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules);

interface KedaTrigger {
  readonly metadata: { readonly query: string; readonly threshold: string };
}

/** The query and the target of an autoscaler. */
interface Scaling {
  readonly name: string;
  readonly query: string;
  readonly target: number;
}

function kedaScaling(): Scaling {
  const [scaled] = manifestsIn(`${COMPONENTS}/autoscaling-keda/scaled-object.yaml`);
  const { triggers } = scaled?.spec as unknown as { triggers: [KedaTrigger] };
  const { query, threshold } = triggers[0].metadata;
  return { name: 'KEDA', query, target: Number(threshold) };
}

/** The rule for the adapter is a comment in the file of the autoscaler. */
function hpaScaling(): Scaling & { readonly series: string } {
  const file = `${COMPONENTS}/autoscaling-hpa/autoscaler.yaml`;
  const text = readFileSync(path.join(ROOT, 'deploy/kubernetes', file), 'utf8');
  const comment = [...text.matchAll(/^# {3}(.*)$/gm)].map(([, line]) => line).join('\n');
  const { externalRules } = parse(comment) as {
    externalRules: [{ seriesQuery: string; name: { as: string }; metricsQuery: string }];
  };
  const [{ seriesQuery, name, metricsQuery }] = externalRules;
  const [autoscaler] = manifestsIn(file);
  const { metrics } = autoscaler?.spec as unknown as {
    metrics: [
      {
        external: {
          metric: { name: string; selector: { matchLabels: Record<string, string> } };
          target: { value: string };
        };
      },
    ];
  };
  const { metric, target } = metrics[0].external;
  assert.equal(metric.name, name.as, 'the autoscaler uses the metric of the adapter');
  const matchers = Object.entries(metric.selector.matchLabels).map(([label, value]) => `${label}="${value}"`);
  return {
    name: 'HorizontalPodAutoscaler',
    series: seriesQuery,
    query: metricsQuery.replace('<<.LabelMatchers>>', matchers.join(',')),
    target: Number(target.value.replace(/m$/, '')) / 1000,
  };
}

/** A Prometheus with the configuration of deploy/, for other targets and at another pace. */
async function startPrometheus(scope: Scope, targets: readonly string[]): Promise<string> {
  const folder = tempFolder(scope);
  copyFileSync(path.join(FOLDER, 'alerts.yml'), path.join(folder, 'alerts.yml'));
  const config = parse(readFileSync(path.join(FOLDER, 'prometheus.yml'), 'utf8')) as {
    global: Record<string, string>;
    scrape_configs: [{ static_configs: [{ targets: readonly string[] }] }];
  };
  const interval = `${15_000 / FASTER}ms`;
  config.global = { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval };
  config.scrape_configs[0].static_configs[0].targets = targets.map((url) => new URL(url).host);
  const file = path.join(folder, 'prometheus.yml');
  writeFileSync(file, stringify(config));
  const port = await freePort();
  const server = startProcess(scope, 'prometheus', [
    ...['--config.file', file, '--storage.tsdb.path', path.join(folder, 'data')],
    ...['--web.listen-address', `127.0.0.1:${port}`],
  ]);
  await server.waitForError(/Server is ready to receive web requests/);
  return `http://127.0.0.1:${port}`;
}

type Series = { readonly metric: Record<string, string>; readonly value: [number, string] };

async function ask(prometheus: string, query: string): Promise<Series[]> {
  const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { status, error, data } = (await response.json()) as {
    status: string;
    error?: string;
    data: { result: Series[] };
  };
  assert.equal(status, 'success', `${query}: ${error}`);
  return data.result;
}

/** Milliseconds that the handler of the load takes. Requests that wait for it twice as long queued. */
const HANDLER = 200;
const CONCURRENCY = 8;
const WORKERS = 2;

const WORKER = `
import { setTimeout as delay } from 'node:timers/promises';
import Joi from ${JSON.stringify(import.meta.resolve('joi'))};
import { defineContract, defineWorker } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
export default defineWorker({
  concurrency: ${CONCURRENCY},
  contract: defineContract({
    name: 'echo',
    events: {
      'echo.get': { method: 'GET', path: '/echo', data: Joi.object(), replies: { 200: Joi.object() } },
      // The gateway opens its store for it.
      'echo.post': { method: 'POST', path: '/echo', idempotency: 'optional', replies: { 200: Joi.object() } },
    },
  }),
  handlers: { 'echo.get': () => delay(${HANDLER}, {}), 'echo.post': () => ({}) },
});
`;

/** Router, gateway with a store, and workers. Returns the address of the gateway and the admin listeners. */
async function startNodes(scope: Scope): Promise<{ url: string; admins: string[] }> {
  const cwd = tempFolder(scope);
  writeFileSync(path.join(cwd, 'worker.mjs'), WORKER);
  const admin = ['--admin', '127.0.0.1:0'];
  const { line: router } = await startNode(scope, ['router', ...FREE_PORTS, ...admin]);
  const backend = ['--router', endpointIn(router, 'backend')];
  const work = () => startNode(scope, ['worker', 'worker.mjs', ...backend, ...admin], { cwd });
  const frontend = ['--router', endpointIn(router, 'frontend'), '--port', '0'];
  const gateway = ['gateway', ...frontend, ...admin, '--store', `sqlite:${path.join(cwd, 'store.db')}`];
  const [{ line }, ...workers] = await Promise.all([
    startNode(scope, gateway),
    ...Array.from({ length: WORKERS }, work),
  ]);
  const admins = [router, line, ...workers.map((each) => each.line)].map((each) => endpointIn(each, 'admin'));
  return { url: `${urlIn(line)}/echo`, admins };
}

/** Open load: sends at a rate that rises, whatever the replies take. */
class RisingLoad {
  /** When each request ended, and how long it took, in ms. */
  readonly ended: { readonly at: number; readonly took: number }[] = [];
  private readonly requests: Promise<void>[] = [];

  constructor(private readonly url: string) {}

  /** Sends for `duration` ms. The load, in shares of what the workers can run, rises evenly. */
  async run(from: number, to: number, duration: number): Promise<void> {
    const capacity = (WORKERS * CONCURRENCY) / HANDLER;
    const begin = performance.now();
    let due = 0;
    for (let now = 0; now < duration; now = performance.now() - begin) {
      const share = from + ((to - from) * now) / duration;
      for (; due <= now; due += 1 / (capacity * share)) this.requests.push(this.send());
      await sleep(2);
    }
  }

  finish(): Promise<unknown> {
    return Promise.all(this.requests);
  }

  /** The 99th percentile of the requests that ended after `since`. */
  p99(since: number): number {
    const times = this.ended.filter(({ at }) => at >= since).map(({ took }) => took);
    return times.sort((a, b) => a - b)[Math.floor(0.99 * times.length)] ?? 0;
  }

  private async send(): Promise<void> {
    const begin = performance.now();
    const response = await fetch(this.url);
    await response.text();
    assert.equal(response.status, 200);
    this.ended.push({ at: performance.now(), took: performance.now() - begin });
  }
}

describe('Prometheus', { skip, timeout: 120_000 }, () => {
  it('accepts its configuration, the rules, and those of the PrometheusRule', (t) => {
    promtool('check', 'config', path.join(FOLDER, 'prometheus.yml'));
    const [rule] = manifestsIn(`${COMPONENTS}/prometheus-operator/rules.yaml`);
    const file = path.join(tempFolder(t), 'rules.yml');
    writeFileSync(file, stringify(rule?.spec));
    assert.match(promtool('check', 'rules', file), new RegExp(`SUCCESS: ${rules.length} rules found`));
  });

  it('alerts when counters that began at 0 rise, when a process is down, and when a breaker is open', (t) => {
    const folder = tempFolder(t);
    const node = { job: 'zeromq-gateway', instance: 'router:9090' };
    const name = (metric: string, labels: Record<string, string>) => {
      const pairs = Object.entries({ ...labels, ...node }).map(([label, value]) => `${label}="${value}"`);
      return `${metric}{${pairs.join(', ')}}`;
    };
    const series = {
      ZeroMQGatewayWorkersLost: [
        // Six workers are killed at once.
        name('zeromq_gateway_workers_left_total', { reason: 'disconnected' }),
        '0x8 6x20',
        { job: node.job },
      ],
      ZeroMQGatewayDown: [name('up', {}), '1x4 0x24', node],
      ZeroMQGatewayBreakerOpen: [
        name('zeromq_gateway_breakers', { event: 'echo.get', scope: 'worker', state: 'open' }),
        '1x28',
        { job: node.job, event: 'echo.get', scope: 'worker' },
      ],
      ZeroMQGatewayReloadFailed: [
        name('zeromq_gateway_reloads_total', { what: 'document', result: 'failed' }),
        '0x8 1x20',
        { ...node, what: 'document' },
      ],
      ZeroMQGatewayWorkerRefused: [
        name('zeromq_gateway_workers_refused_total', { cause: 'contract' }),
        '0x8 1x20',
        { job: node.job, cause: 'contract' },
      ],
    } as const;
    const alerts = parse(readFileSync(path.join(FOLDER, 'alerts.yml'), 'utf8')) as {
      groups: { rules: (Rule & { labels: object; annotations: object })[] }[];
    };
    // The texts are those of the rules, and not part of this test.
    for (const { rules: all } of alerts.groups) for (const rule of all) rule.annotations = {};
    writeFileSync(path.join(folder, 'alerts.yml'), stringify(alerts));
    const tests = Object.entries(series).map(([alertname, [input, values, labels]]) => {
      const rule = alerts.groups.flatMap((group) => group.rules).find(({ alert }) => alert === alertname);
      const expected = [{ exp_labels: { ...labels, ...rule?.labels } }];
      return {
        interval: '15s',
        input_series: [{ series: input, values }],
        alert_rule_test: [
          { eval_time: '0m', alertname, exp_alerts: [] },
          { eval_time: '5m', alertname, exp_alerts: expected },
        ],
      };
    });
    const file = path.join(folder, 'tests.yml');
    writeFileSync(file, stringify({ rule_files: ['alerts.yml'], evaluation_interval: '15s', tests }));
    promtool('test', 'rules', file);
  });

  it('finds series for every alert, and the load exceeds the targets before latency doubles', async (t) => {
    const scope = scopeOf(t);
    const { url, admins } = await startNodes(scope);
    const prometheus = await startPrometheus(scope, admins);
    // The gateway has counted what is stored when it is scraped the second time.
    const scraped = `count(up == 1) == ${admins.length} and on() zeromq_gateway_stored_bytes`;
    while ((await ask(prometheus, scraped)).length === 0) await sleep(50);
    const load = new RisingLoad(url);
    await load.run(0.3, 0.3, 2000);
    await load.finish();
    const usual = load.p99(0);

    // Alerts whose series exist only after a fault.
    const later = new Set(['ZeroMQGatewayErrors', 'ZeroMQGatewayBreakerOpen', 'ZeroMQGatewayMalformed']);
    for (const { alert, expr } of rules) {
      const [, value = ''] = /^([^]+) (?:==|>) [\d.]+\s*$/.exec(expr) ?? [];
      const found = await ask(prometheus, value.replace(/\[\d+m\]/g, '[10s]'));
      assert.equal(found.length > 0, !later.has(alert), `${alert}: ${value}`);
    }
    const hpa = hpaScaling();
    assert.notEqual((await ask(prometheus, hpa.series)).length, 0, hpa.series);

    const scalings = [kedaScaling(), hpa];
    const exceeded = new Map<string, number>();
    let slow = Number.POSITIVE_INFINITY;
    let rising = true;
    const begin = performance.now();
    const end = load.run(0.3, 1.5, 15_000).then(() => {
      rising = false;
    });
    while (rising) {
      for (const { name, query, target } of scalings) {
        const [found] = await ask(prometheus, query.replace('[1m]', `[${60 / FASTER}s]`));
        assert.ok(found !== undefined, `${name}: ${query} returns nothing`);
        if (Number(found.value[1]) > target && !exceeded.has(name))
          exceeded.set(name, performance.now() - begin);
      }
      const now = performance.now();
      if (load.p99(now - 1000) > 2 * usual) slow = Math.min(slow, now - begin);
      await sleep(50);
    }
    await end;
    await load.finish();
    const times = [...exceeded].map(([name, at]) => `${name} after ${at.toFixed(0)} ms`).join(', ');
    t.diagnostic(
      `above the target: ${times}; p99 above ${(2 * usual).toFixed(0)} ms after ${slow.toFixed(0)} ms`,
    );
    assert.ok(slow < Number.POSITIVE_INFINITY, 'latency never doubled');
    assert.deepEqual([...exceeded.keys()].sort(), ['HorizontalPodAutoscaler', 'KEDA']);
    for (const [name, at] of exceeded) assert.ok(at < slow, `${name}: ${times}, slow after ${slow}`);
  });
});
