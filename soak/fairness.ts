/**
 * `npm run soak:fairness`: measures how a flood from one client affects others. Router, worker and
 * flooding client run in processes of their own. This process measures the latency of sequential
 * requests, alternating between rounds with and without the flood.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { silentLogger, ZeroMQClient } from 'zeromq-gateway';
import { describeMachine } from '../bench/lib/machine.ts';
import { startProcess } from '../bench/lib/process.ts';
import { median, percentile } from '../bench/lib/stats.ts';
import { Cluster } from './lib/fleet.ts';
import { readLogs } from './lib/log.ts';

/** Number of requests that the flood keeps in flight. */
const OUTSTANDING = 5000;
/**
 * Duration of a handler, in milliseconds. With a concurrency of 16 the worker completes 1,600
 * requests per second, which leaves the machine mostly idle. The durations for the flood vary
 * between the limits, because requests of equal duration would run in lockstep: all would end at
 * the same moment, and the measured request would wait for it.
 */
const WAIT = 10;
const LEAST = 5;
const MOST = 15;
const ROUNDS = 8;
/**
 * Minimum number of flood requests that must complete in a round; with fewer there was no flood.
 */
const LEAST_FLOODED = 2000;
const SAMPLES = 60;
/** Time for a flood to fill the queue, or to leave it, in milliseconds. */
const SETTLE = 4000;

/** Keeps requests for an event in flight until it is stopped. */
async function flood(frontend: string, eventName: string): Promise<never> {
  const client = new ZeroMQClient({ connection: frontend, logger: silentLogger, timeout: 60_000 });
  await client.connect({ throwOnFailure: true });
  const again = async (): Promise<never> => {
    for (;;) {
      const wait = Math.floor(LEAST + Math.random() * (MOST + 1 - LEAST));
      await client.sendMessage(eventName, { id: 'flood', wait, end: 'reply' });
    }
  };
  process.stdout.write('floods\n');
  return Promise.race(Array.from({ length: OUTSTANDING }, again));
}

/** Returns the latencies of sequential requests, in milliseconds. */
async function latencies(client: ZeroMQClient): Promise<number[]> {
  const taken: number[] = [];
  for (let count = 0; count < SAMPLES; count += 1) {
    const start = performance.now();
    await client.sendMessage('soak.post', { id: 'quiet', wait: WAIT, end: 'reply' });
    taken.push(performance.now() - start);
  }
  return taken;
}

async function measure(frontend: string): Promise<Map<string, number[][]>> {
  const client = new ZeroMQClient({ connection: frontend, logger: silentLogger, timeout: 60_000 });
  await client.connect({ throwOnFailure: true });
  const cases = new Map<string, number[][]>([
    ['no flood', []],
    ['a flood of another client on another event', []],
    ['a flood of another client on the same event', []],
  ]);
  const events = [undefined, 'soak.put', 'soak.post'];
  const self = fileURLToPath(import.meta.url);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, [, rounds]] of [...cases].entries()) {
      const event = events[index];
      const args = ['--import', 'tsx', self, 'flood', frontend, event ?? ''];
      const spec = { name: 'flood', command: process.execPath, args, ready: /floods/ };
      const flooding = event === undefined ? undefined : await startProcess(spec);
      if (flooding !== undefined) await sleep(SETTLE);
      rounds.push(await latencies(client));
      if (flooding === undefined) continue;
      await flooding.stop();
      await sleep(SETTLE);
    }
  }
  await client.close();
  return cases;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairness-'));
  const fleet = await Cluster.of({ gateways: 0, workers: 1 }, folder);
  const members = [...fleet.of('router').slice(0, 1), ...fleet.of('worker')];
  try {
    await Promise.all(members.map((member) => member.start()));
    const cases = await measure(fleet.routers[0]?.frontend ?? '');
    const floods = readLogs(folder).filter(({ t, id }) => t === 'began' && id === 'flood').length;
    if (floods < LEAST_FLOODED * ROUNDS) throw new Error(`that was no flood: ${floods} requests of it ran`);
    const alone = [...cases.values()][0] ?? [];
    const { cpu, cores, os, node } = describeMachine('its own');
    console.log(
      `${ROUNDS} rounds, ${floods} requests of the floods, on ${cores} cores of ${cpu}, ${os}, Node.js ${node.slice(1)}.\n`,
    );
    console.log('| Beside | Median | 99th percentile |\n|---|---|---|');
    for (const [name, rounds] of cases) {
      const ratio = (share: number): string => {
        const ratios = rounds.map(
          (round, index) => percentile(round, share) / percentile(alone[index] ?? [], share),
        );
        return `${median(ratios).toFixed(2)} ×`;
      };
      console.log(`| ${name} | ${ratio(0.5)} | ${ratio(0.99)} |`);
    }
  } finally {
    await Promise.all(members.map((member) => member.kill()));
    rmSync(folder, { recursive: true });
  }
}

const [mode, frontend = '', eventName = ''] = process.argv.slice(2);
await (mode === 'flood' ? flood(frontend, eventName) : main());
