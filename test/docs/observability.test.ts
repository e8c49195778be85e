/**
 * The pages in docs/observability/ list every metric, channel and alert; docs/operations/alerts.md has a
 * section for each alert. The dashboard and the alert rules in deploy/ use only metrics and labels that
 * exist. After an intended change: `UPDATE_SNAPSHOTS=1 npm test -- test/docs/observability`.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parser as promql } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { diagnostics } from '../../src/core/observability/diagnostics.ts';
import { fullName, METRICS, type MetricName } from '../../src/metrics/catalogue.ts';
import { Metrics } from '../../src/metrics/index.ts';
import { ROOT, readPage } from './pages.ts';

const PAGE = 'docs/observability/metrics.md';
const CHANNELS = 'docs/observability/logs-and-traces.md';
const RUNBOOK = 'docs/operations/alerts.md';
const ALERTS = 'deploy/prometheus/alerts.yml';
const DASHBOARD = 'deploy/grafana/zeromq-gateway.json';

/** Labels that Prometheus adds, and that histograms have. */
const GIVEN = ['job', 'instance', 'le'];

interface Rule {
  alert: string;
  expr: string;
  annotations: Record<string, string>;
}

const rules = (parse(readPage(ALERTS)) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

interface Panel {
  title: string;
  targets?: { expr: string; legendFormat: string }[];
}

const dashboard = JSON.parse(readPage(DASHBOARD)) as {
  panels: Panel[];
  templating: { list: { query: string }[] };
};
const targets = dashboard.panels.flatMap((panel) => panel.targets ?? []);

function table(): string {
  const names = Object.keys(METRICS) as MetricName[];
  const rows = names.map((name) => {
    const { type, labels, help } = METRICS[name];
    const shown = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${fullName(name)}\` | ${type} | ${shown} | ${help} |`;
  });
  return `| metric | type | labels | |\n|---|---|---|---|\n${rows.join('\n')}`;
}

test(`${PAGE}: lists every metric`, () => {
  const page = readPage(PAGE);
  const right = page.replace(/(<!-- metrics -->\n\n)[^]*?(\n*<!-- \/metrics -->)/, (_, begin: string) => {
    return `${begin}${table()}\n\n<!-- /metrics -->`;
  });
  if (process.env['UPDATE_SNAPSHOTS']) writeFileSync(path.join(ROOT, PAGE), right);
  assert.equal(readPage(PAGE), right);
});

test(`${CHANNELS}: lists every diagnostics channel, and no other`, () => {
  const page = readPage(CHANNELS);
  const channels = Object.values(diagnostics).map(({ name }) => String(name).replace('zeromq-gateway:', ''));
  const section = page.slice(page.indexOf('| channel |'));
  const named = [...section.matchAll(/`(?:zeromq-gateway|…):([a-z:]+)`/g)].map(([, name]) => name);
  assert.deepEqual(named.sort(), channels.sort());
});

test(`${PAGE}: lists every alert, and no other`, () => {
  const named = [...readPage(PAGE).matchAll(/^\| `(ZeroMQ\w+)`/gm)].map(([, name]) => name);
  assert.deepEqual(
    named,
    rules.map(({ alert }) => alert),
  );
});

/** Returns the sections of the page of alerts, by their headings. */
function alertSections(): { alert: string; text: string }[] {
  const [, ...sections] = readPage(RUNBOOK).split(/^## /m);
  return sections.map((section) => {
    const [alert = '', ...lines] = section.split('\n');
    return { alert, text: lines.join('\n') };
  });
}

test(`${RUNBOOK}: has a section for every alert, and no other, in the order of the rules`, () => {
  const sections = alertSections();
  assert.deepEqual(
    sections.map(({ alert }) => alert),
    rules.map(({ alert }) => alert),
  );
  for (const { alert, text } of sections) {
    const [, means = '', remedy = ''] = /^\s*\*Means:\* ([^]+?)\s\*Do:\*\s([^]+)$/.exec(text) ?? [];
    assert.ok(means.length > 20, `${alert}: what it means`);
    assert.ok(remedy.length > 40, `${alert}: what to do`);
  }
});

/** Names of all samples that a process exports, each with its labels. */
async function exported(): Promise<Map<string, readonly string[]>> {
  const samples = new Map<string, readonly string[]>([['up', []]]);
  for (const name of Object.keys(METRICS) as MetricName[]) {
    const { type, labels } = METRICS[name];
    const full = fullName(name);
    const parts = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const part of parts) samples.set(full + part, labels);
  }
  const metrics = new Metrics('0.0.0');
  const text = await metrics.text();
  metrics.close();
  for (const [, name = ''] of text.matchAll(/^# TYPE ((?:nodejs|process)_\w+)/gm)) samples.set(name, []);
  return samples;
}

/** Returns the unknown metrics and labels in a PromQL expression. */
function faultsIn(expr: string, samples: Map<string, readonly string[]>): string[] {
  const faults: string[] = [];
  const names = [...expr.matchAll(/\b((?:zeromq_gateway|nodejs|process)_\w+|up)\b(?:\{([^}]*)\})?/g)];
  if (names.length === 0) faults.push(`there is no metric in ${expr}`);
  const known = new Set(GIVEN);
  for (const [, name = '', matchers = ''] of names) {
    const labels = samples.get(name);
    if (labels === undefined) faults.push(`unknown metric ${name}`);
    for (const label of labels ?? []) known.add(label);
    for (const [, label = ''] of matchers.matchAll(/(\w+) *(?:=|!=|=~|!~) *"/g)) {
      if (!GIVEN.includes(label) && labels?.includes(label) !== true)
        faults.push(`${name} has no label ${label}`);
    }
  }
  for (const [, list = ''] of expr.matchAll(/\bby *\(([^)]*)\)/g)) {
    for (const label of list.split(',')) {
      if (!known.has(label.trim())) faults.push(`no metric in ${expr} has the label ${label.trim()}`);
    }
  }
  return faults;
}

/** Returns where an expression is not valid PromQL. */
function syntaxFaults(expr: string): string[] {
  const faults: string[] = [];
  promql.parse(expr).iterate({
    enter({ type, from }) {
      if (type.isError) faults.push(`at ${from}: ${expr.slice(from, from + 20)}`);
    },
  });
  return faults;
}

test('alerts and dashboard: the expressions are valid PromQL', () => {
  for (const { expr } of [...rules, ...targets]) {
    // Grafana replaces its variables before it sends the query.
    assert.deepEqual(syntaxFaults(expr.replaceAll('$__rate_interval', '5m')), [], expr);
  }
  for (const wrong of ['sum by job (up)', 'rate(up[5 minutes])', 'up{job=x}', 'sum(up', 'up >']) {
    assert.ok(syntaxFaults(wrong).length > 0, wrong);
  }
});

test('alert rules: have the members that Prometheus accepts, and no others', () => {
  type Known = Rule & { for?: string; labels: { severity: string } };
  const file = parse(readPage(ALERTS)) as { groups: { rules: Known[] }[] };
  assert.deepEqual(Object.keys(file), ['groups']);
  const known = ['alert', 'expr', 'for', 'labels', 'annotations'];
  for (const rule of file.groups.flatMap((group) => group.rules)) {
    assert.deepEqual(
      Object.keys(rule).filter((key) => !known.includes(key)),
      [],
    );
    assert.match(rule.for ?? '0s', /^\d+[smh]$/);
    assert.ok(['warning', 'critical'].includes(rule.labels.severity));
  }
});

test('alerts and dashboard: use metrics and labels that exist', async () => {
  const samples = await exported();
  const expressions = [...rules, ...targets].map(({ expr }) => expr);
  assert.ok(expressions.length > 40);
  for (const expr of expressions) assert.deepEqual(faultsIn(expr, samples), [], expr);
  for (const planted of [
    'rate(zeromq_gateway_planted_total[5m])',
    'zeromq_gateway_queue_depth{planted="x"}',
    'sum by (planted) (zeromq_gateway_queue_depth)',
    'zeromq_gateway_queue_seconds',
  ]) {
    assert.equal(faultsIn(planted, samples).length, 1, planted);
  }
});

test('alerts and legends: use only labels that the expression keeps', () => {
  const kept = (expr: string) =>
    new Set([...expr.matchAll(/\bby *\(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */)));
  for (const { alert, expr, annotations } of rules) {
    for (const [, label = ''] of Object.values(annotations)
      .join(' ')
      .matchAll(/\$labels\.(\w+)/g)) {
      assert.ok(kept(expr).has(label), `${alert}: ${label}`);
    }
  }
  for (const { expr, legendFormat } of targets) {
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      assert.ok(kept(expr).has(label), `${legendFormat}: ${expr}`);
    }
  }
});

test('dashboard: shows every metric', () => {
  const all = targets.map(({ expr }) => expr).join(' ');
  for (const name of Object.keys(METRICS) as MetricName[]) assert.ok(all.includes(fullName(name)), name);
});
