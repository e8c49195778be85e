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
import { Cluster } from './lib/cluster.ts';
import { readLogs } from './lib/log.ts';

/** Number of requests that the flood keeps in flight. */
const IN_FLIGHT = 5000;
/**
 * Duration of a handler, in milliseconds. With a concurrency of 16 the worker completes 1,600
 * requests per second, which leaves the machine mostly idle. The durations for the flood vary
 * between the limits, because requests of equal duration would run in lockstep: all would end at
 * the same moment, and the measured request would wait for it.
 */
const WAIT = 10;
const MIN_WAIT = 5;
const MAX_WAIT = 15;
const ROUNDS = 8;
/**
 * Minimum number of flood requests that must complete in a round; with fewer there was no flood.
 */
const MIN_FLOOD = 2000;
const SAMPLES = 60;
/** Time for a flood to fill the queue, or to leave it, in milliseconds. */
const SETTLE = 4000;

/** Keeps requests for an event in flight until it is stopped. */
async function flood(frontend: string, eventName: string): Promise<never> {
  const client = new ZeroMQClient({ connection: frontend, logger: silentLogger, timeout: 60_000 });
  await client.connect({ throwOnFailure: true });
  const sendRepeatedly = async (): Promise<never> => {
    for (;;) {
      const wait = Math.floor(MIN_WAIT + Math.random() * (MAX_WAIT + 1 - MIN_WAIT));
      await client.sendMessage(eventName, { id: 'flood', wait, end: 'reply' });
    }
  };
  process.stdout.write('flooding\n');
  return Promise.race(Array.from({ length: IN_FLIGHT }, sendRepeatedly));
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
    ['a flood from another client on another event', []],
    ['a flood from another client on the same event', []],
  ]);
  const events = [undefined, 'soak.put', 'soak.post'];
  const self = fileURLToPath(import.meta.url);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, [, rounds]] of [...cases].entries()) {
      const event = events[index];
      const args = ['--import', 'tsx', self, 'flood', frontend, event ?? ''];
      const spec = { name: 'flood', command: process.execPath, args, ready: /flooding/ };
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
  const cluster = await Cluster.of({ gateways: 0, workers: 1 }, folder);
  const members = [...cluster.of('router').slice(0, 1), ...cluster.of('worker')];
  try {
    await Promise.all(members.map((member) => member.start()));
    const cases = await measure(cluster.routers[0]?.frontend ?? '');
    const floods = readLogs(folder).filter(({ t, id }) => t === 'began' && id === 'flood').length;
    if (floods < MIN_FLOOD * ROUNDS)
      throw new Error(`the flood was too small: only ${floods} of its requests ran`);
    const alone = [...cases.values()][0] ?? [];
    const { cpu, cores, os, node } = describeMachine('its own');
    console.log(
      `${ROUNDS} rounds, ${floods} flood requests, on ${cores} cores of ${cpu}, ${os}, Node.js ${node.slice(1)}.\n`,
    );
    console.log('| Load | Median | 99th percentile |\n|---|---|---|');
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
