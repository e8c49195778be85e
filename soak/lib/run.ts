/** Runs a soak test, from starting the processes to the result. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeMachine } from '../../bench/lib/machine.ts';
import { check } from './checker.ts';
import { Cluster, type ClusterSize } from './cluster.ts';
import { FaultInjector, waitUntilReady } from './faults.ts';
import { Load } from './load.ts';
import { Log, readLogs } from './log.ts';
import { randomOf } from './random.ts';
import { problemsOf, type SoakResult } from './report.ts';
import { Samples } from './samples.ts';
import { Starvation } from './starve.ts';

/** Parameters of a run. */
export interface SoakOptions extends ClusterSize {
  readonly seconds: number;
  /** Requests per second. */
  readonly rate: number;
  /** Seed of the random choice of faults and requests. */
  readonly seed: number;
  /** Whether to limit every process to a fifth of the CPU time it requests. */
  readonly starve: boolean;
  readonly report: (line: string) => void;
}

/**
 * Maximum number of executions of an idempotent request: each of the two routers redispatches it
 * once if a worker is lost, and the client sends it to the other router once.
 */
const MAX_RUNS = 4;
/**
 * Maximum number of samples of memory and handles, and minimum time between two samples in
 * milliseconds.
 */
const MAX_SAMPLES = 240;
const MIN_SAMPLE_INTERVAL = 1000;

/** Runs a soak test. If it finds a problem, it keeps the logs and prints their location. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { seconds, rate, seed, starve, report } = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'soak-'));
  const cluster = await Cluster.of(options, folder);
  const log = new Log(folder, 'callers');
  try {
    await cluster.start();
    await Promise.all(cluster.of('gateway').map(({ url }) => waitUntilReady(url)));
    report(
      `${cluster.members.length} processes are running; ${rate} requests per second for ${seconds} s, seed ${seed}`,
    );
    const { injector, samples } = await runLoad(cluster, log, options);
    await cluster.stop();
    log.close();
    const steady = cluster.members.filter((member) => member.steady).map(({ name }) => name);
    const result: SoakResult = {
      ...{
        seconds,
        rate,
        seed,
        starved: starve,
        at: new Date().toISOString(),
        machine: describeMachine('its own'),
      },
      check: check(readLogs(folder), { maxRuns: MAX_RUNS }),
      faults: injector.injected,
      failures: [...injector.failures, ...cluster.members.flatMap(({ uncleanExits }) => uncleanExits)],
      steady: new Map(steady.map((name) => [name, samples.all.get(name) ?? []])),
    };
    if (problemsOf(result).length > 0) report(`kept the logs in ${folder}`);
    else rmSync(folder, { recursive: true });
    return result;
  } finally {
    await Promise.all(cluster.members.map((member) => member.kill()));
  }
}

/** Sends requests and injects faults for the given time. */
async function runLoad(
  cluster: Cluster,
  log: Log,
  { seconds, rate, seed, starve, report }: SoakOptions,
): Promise<{ injector: FaultInjector; samples: Samples }> {
  const injector = new FaultInjector(cluster, randomOf(seed));
  const samples = new Samples(cluster);
  const gateways = cluster.of('gateway');
  const targets = {
    frontends: cluster.routers.map(({ frontend }) => frontend),
    gateways: () => gateways.filter((gateway) => !injector.isBusy(gateway)).map(({ url }) => url),
  };
  const load = new Load(targets, log, randomOf(seed + 1));
  const end = performance.now() + seconds * 1000;
  const every = Math.max(MIN_SAMPLE_INTERVAL, (seconds * 1000) / MAX_SAMPLES);
  const starvation = starve ? new Starvation(cluster.members, ({ frozen }) => frozen) : undefined;
  const running = Promise.all([load.run(rate), injector.run()]);
  while (performance.now() < end) {
    await Promise.race([running, sleep(Math.min(every, Math.max(1, end - performance.now())))]);
    samples.take();
  }
  await injector.stop();
  await load.stop();
  await running;
  starvation?.stop();
  report(`${load.sent} requests, ${injector.injected.length} faults`);
  return { injector, samples };
}
