/** The figures in docs/operations/sizing.md match those in docs/benchmarks.md. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPage } from './pages.ts';

const page = readPage('docs/operations/sizing.md').replace(/\s+/g, ' ');
const measured = readPage('docs/benchmarks.md');

/**
 * Returns the CPU time of a request by process, in µs, from a scenario with separate gateway,
 * router and worker.
 */
function apart(scenario: string): { gateway: number; router: number; worker: number } {
  const [, section = ''] = measured.split(`\n## ${scenario}\n`);
  const row = section.split('\n').find((line) => line.startsWith('| **zeromq-gateway, separate**')) ?? '';
  const [, router, worker, gateway] =
    /router ([\d.]+) \+ worker ([\d.]+) \+ gateway ([\d.]+)/.exec(row) ?? [];
  assert.ok(gateway, `found no figures of ${scenario}`);
  return { gateway: Number(gateway), router: Number(router), worker: Number(worker) };
}

/** Returns a figure of the table of targets. */
function target(work: string): number {
  const row = measured.split('\n').find((line) => line.startsWith(`| ${work}`)) ?? '';
  const [, , , , figure = ''] = row.split('|');
  const [, value] = /^ ([\d,.]+)/.exec(figure) ?? [];
  assert.ok(value, `found no figure of ${work}`);
  return Number(value.replace(',', ''));
}

const SMALL = ['GET echo, 64 connections', 'POST echo with validation, 64 connections'];

test('docs/operations/sizing.md: a gateway takes more than half of the CPU time of a request, a router less than half of that', () => {
  assert.match(page, /more than half of the CPU of a small request/);
  assert.match(page, /takes less than half of what a gateway takes/);
  for (const scenario of SMALL) {
    const { gateway, router, worker } = apart(scenario);
    assert.ok(gateway > (gateway + router + worker) / 2, scenario);
    assert.ok(router * 2 < gateway, scenario);
  }
});

test('docs/operations/sizing.md: queued requests and idle workers cost as little as the page states', () => {
  assert.match(page, /costs less than 1 kB beyond its data/);
  assert.ok(target('Memory of a queued request beyond its payload') < 1);
  assert.match(page, /A thousand idle workers cost it less than a tenth of a core/);
  assert.ok(target('Idle router with 1,000 connected workers') < 10);
});
