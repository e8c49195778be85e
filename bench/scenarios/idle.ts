/** Cost of a router with many workers and no requests. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Contender, withContenders } from '../lib/contender.ts';
import { startDriver } from '../lib/driver.ts';
import { usageOf } from '../lib/proc-fs.ts';
import type { Context, Report, Scenario } from '../lib/scenario.ts';
import { median } from '../lib/stats.ts';
import { missingBuild, startRouter } from '../lib/zeromq-gateway.ts';
import { processNamed } from './queue.ts';

const WORKERS = 1000;
/**
 * Workers per process. libzmq allows about a thousand sockets per process, and each worker has two
 * sockets plus their monitors.
 */
const A_PROCESS = 100;

const contender: Contender = {
  name: 'router',
  does: '',
  missing: missingBuild,
  async start(launch) {
    const { frontend, backend, heartbeat } = await startRouter(launch);
    const fleets = Array.from({ length: WORKERS / A_PROCESS }, (_, index) => `workers-${index}`);
    await Promise.all(
      fleets.map((name) => startDriver(launch, name, 'fleet.ts', [backend, heartbeat, String(A_PROCESS)])),
    );
    return frontend;
  },
};

async function measure({ effort, log }: Context): Promise<{ cpu: number; memory: number }> {
  return withContenders([contender], async ([running]) => {
    if (running === undefined) throw new Error('nothing runs');
    const { pid } = processNamed(running, 'router');
    const shares: number[] = [];
    await sleep(effort.warmup * 1000);
    for (let round = 0; round < effort.rounds; round += 1) {
      const before = usageOf(pid);
      const begun = performance.now();
      await sleep(effort.seconds * 1000);
      const share = (usageOf(pid).cpu - before.cpu) / (performance.now() - begun) / 10;
      log(`${share.toFixed(2)} % of a core`);
      shares.push(share);
    }
    return { cpu: median(shares), memory: usageOf(pid).rss / 2 ** 20 };
  });
}

async function run(context: Context): Promise<Report> {
  const missing = missingBuild();
  const found = missing === undefined ? await measure(context) : undefined;
  return {
    name: idle.name,
    title: idle.title,
    about: `${WORKERS.toLocaleString('en-US')} native workers connected over TCP, each sending heartbeats with the default settings; no requests.`,
    columns: [
      { key: 'cpu', title: '% of a core', digits: 2 },
      { key: 'memory', title: 'Memory MiB' },
    ],
    rows: found === undefined ? [] : [{ label: 'router', values: { ...found }, highlighted: true }],
    targets:
      found === undefined
        ? []
        : [
            {
              key: 'idle',
              what: 'Idle router with 1,000 connected workers',
              against: '–',
              bound: 'at most',
              want: 2,
              value: found.cpu,
              unit: ' % of a core',
            },
          ],
    drawn: 'cpu',
    skipped: missing === undefined ? [] : [missing],
  };
}

const idle: Scenario = { name: 'idle', title: 'Idle router with 1,000 workers', run };

export const idleScenarios: readonly Scenario[] = [idle];
