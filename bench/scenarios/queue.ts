/** Long queues: time to drain and memory per request, with 10,000 and 100,000 queued requests. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Launch, type RunningContender, withContenders } from '../lib/contender.ts';
import { ask, startDriver, untilServed } from '../lib/driver.ts';
import type { RouterEndpoints } from '../lib/peers.ts';
import type { RunningProcess } from '../lib/process.ts';
import type { Context, Report, Scenario } from '../lib/scenario.ts';
import { median } from '../lib/stats.ts';
import { missingBuild } from '../lib/zeromq-gateway.ts';

const SMALL = 10_000;
const LARGE = 100_000;
const CONCURRENCY = 64;
const PAYLOAD = '{"message":"hello"}'.length;
const SETTLE = 1500;

/** Starts a router that reports its memory use. Its ready line has the endpoints as JSON. */
export function startBareRouter(launch: Launch, options: object): Promise<RunningProcess> {
  return startDriver(launch, 'router', 'router.ts', [JSON.stringify(options)], ['--expose-gc']);
}

/** Returns the process of a contender with this name. */
export function processNamed({ processes }: RunningContender, name: string): RunningProcess {
  const found = processes.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no process ${name}`);
  return found;
}

interface Drain {
  /** Microseconds per request. */
  readonly time: number;
  /** Bytes per request, without its payload. */
  readonly bytes: number;
}

/** Queues requests behind a worker that holds what it receives, then releases the worker. */
async function drain(running: RunningContender, count: number): Promise<Drain> {
  const [router, worker, client] = ['router', 'worker', 'client'].map((name) => processNamed(running, name));
  if (router === undefined || worker === undefined || client === undefined) throw new Error('no processes');
  const empty = await ask<{ held: number }>(router, { memory: true });
  await ask(worker, { hold: true });
  const last = ask<{ at: number; errors: number }>(client, { burst: count });
  await sleep(SETTLE);
  const full = await ask<{ held: number }>(router, { memory: true });
  const begun = await ask<{ at: number }>(worker, { hold: false });
  const { at, errors } = await last;
  if (errors > 0) throw new Error(`${errors} of ${count} queued requests failed`);
  return { time: ((at - begun.at) * 1000) / count, bytes: (full.held - empty.held) / count - PAYLOAD };
}

async function measure(context: Context): Promise<Map<number, Drain[]>> {
  const contender = {
    name: 'queue',
    does: '',
    async start(launch: Launch) {
      const router = await startBareRouter(launch, { limits: { queueLimit: LARGE * 2 } });
      const { frontend, backend } = JSON.parse(router.ready[1] ?? '') as RouterEndpoints;
      await startDriver(launch, 'worker', 'worker.ts', ['packed', backend, '1', String(CONCURRENCY)]);
      await startDriver(launch, 'client', 'client.ts', ['packed', frontend]);
      return frontend;
    },
  };
  return withContenders([contender], async ([running]) => {
    if (running === undefined) throw new Error('nothing runs');
    const drains = new Map<number, Drain[]>([SMALL, LARGE].map((count) => [count, []]));
    const client = processNamed(running, 'client');
    await untilServed(client);
    await ask(client, { window: CONCURRENCY, seconds: Math.max(1, context.effort.warmup) });
    await drain(running, LARGE);
    for (let round = 0; round < context.effort.rounds; round += 1) {
      for (const [count, found] of drains) {
        const one = await drain(running, count);
        context.log(`${count} queued: ${one.time.toFixed(1)} µs and ${Math.round(one.bytes)} bytes each`);
        found.push(one);
      }
    }
    return drains;
  });
}

async function run(context: Context): Promise<Report> {
  const missing = missingBuild();
  const drains = missing === undefined ? await measure(context) : new Map<number, Drain[]>();
  const time = (count: number): number => median((drains.get(count) ?? []).map((each) => each.time));
  const bytes = (count: number): number => median((drains.get(count) ?? []).map((each) => each.bytes));
  return {
    name: queue.name,
    title: queue.title,
    about: `One client, one event, one worker that holds ${CONCURRENCY} requests until all are queued. Memory is that of the router's heap and buffers after a collection, without the ${PAYLOAD} bytes of payload.`,
    columns: [
      { key: 'time', title: 'Drain, µs a request', digits: 2 },
      { key: 'bytes', title: 'Bytes each beyond the payload' },
    ],
    rows: [...drains.keys()].map((count) => ({
      label: `${count.toLocaleString('en-US')} queued`,
      values: { time: time(count), bytes: bytes(count) },
      highlighted: true,
    })),
    targets:
      missing === undefined
        ? [
            {
              key: 'queue: drain',
              what: 'Drain time a request, 100,000 queued',
              against: '10,000 queued',
              bound: 'at most',
              want: 1.2,
              value: time(LARGE) / time(SMALL),
              unit: '×',
            },
            {
              key: 'queue: memory',
              what: 'Memory of a queued request beyond its payload, 100,000 queued',
              against: '–',
              bound: 'at most',
              want: 0.6,
              value: bytes(LARGE) / 1000,
              unit: ' kB',
            },
          ]
        : [],
    drawn: 'time',
    skipped: missing === undefined ? [] : [missing],
  };
}

const queue: Scenario = { name: 'queue', title: 'Long queues', run };

export const queueScenarios: readonly Scenario[] = [queue];
