/** Runs a soak test, from starting the processes to the verdict. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeMachine } from '../../bench/lib/machine.ts';
import { check } from './checker.ts';
import { Faults, isReady } from './faults.ts';
import { Cluster, type FleetSize } from './fleet.ts';
import { Load } from './load.ts';
import { Log, readLogs } from './log.ts';
import { randomOf } from './random.ts';
import { complaintsOf, type Findings } from './report.ts';
import { Samples } from './samples.ts';
import { Starvation } from './starve.ts';

/** Parameters of a run. */
export interface SoakOptions extends FleetSize {
  readonly seconds: number;
  /** Requests per second. */
  readonly rate: number;
  /** Seed of the random choice of faults and requests. */
  readonly seed: number;
  /** Whether to limit every process to a fifth of the CPU time it requests. */
  readonly starve: boolean;
  readonly say: (line: string) => void;
}

/**
 * Maximum number of executions of an idempotent request: each of the two routers redispatches it
 * once if a worker is lost, and the client sends it to the other router once.
 */
const RUNS = 4;
/**
 * Maximum number of samples of memory and handles, and minimum time between two samples in
 * milliseconds.
 */
const MOST_SAMPLES = 240;
const SAMPLE_TIME = 1000;

/** Runs a soak test. If it finds a problem, it keeps the logs and prints their location. */
export async function soak(options: SoakOptions): Promise<Findings> {
  const { seconds, rate, seed, starve, say } = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'soak-'));
  const fleet = await Cluster.of(options, folder);
  const log = new Log(folder, 'callers');
  try {
    await fleet.start();
    await Promise.all(fleet.of('gateway').map(({ url }) => isReady(url)));
    say(`${fleet.members.length} processes run; ${rate} requests a second for ${seconds} s, seed ${seed}`);
    const { faults, samples } = await underLoad(fleet, log, options);
    await fleet.stop();
    log.close();
    const steady = fleet.members.filter((member) => member.steady).map(({ name }) => name);
    const findings: Findings = {
      ...{
        seconds,
        rate,
        seed,
        starved: starve,
        at: new Date().toISOString(),
        machine: describeMachine('its own'),
      },
      verdict: check(readLogs(folder), { runs: RUNS }),
      faults: faults.made,
      mishaps: [...faults.failures, ...fleet.members.flatMap(({ uncleanEnds }) => uncleanEnds)],
      steady: new Map(steady.map((name) => [name, samples.all.get(name) ?? []])),
    };
    if (complaintsOf(findings).length > 0) say(`the logs are in ${folder}`);
    else rmSync(folder, { recursive: true });
    return findings;
  } finally {
    await Promise.all(fleet.members.map((member) => member.kill()));
  }
}

/** Sends requests and injects faults for the given time. */
async function underLoad(
  fleet: Cluster,
  log: Log,
  { seconds, rate, seed, starve, say }: SoakOptions,
): Promise<{ faults: Faults; samples: Samples }> {
  const faults = new Faults(fleet, randomOf(seed));
  const samples = new Samples(fleet);
  const free = fleet.of('gateway');
  const targets = {
    frontends: fleet.routers.map(({ frontend }) => frontend),
    gateways: () => free.filter((gateway) => !faults.isBusy(gateway)).map(({ url }) => url),
  };
  const load = new Load(targets, log, randomOf(seed + 1));
  const end = performance.now() + seconds * 1000;
  const every = Math.max(SAMPLE_TIME, (seconds * 1000) / MOST_SAMPLES);
  const starvation = starve ? new Starvation(fleet.members, ({ frozen }) => frozen) : undefined;
  const running = Promise.all([load.run(rate), faults.run()]);
  while (performance.now() < end) {
    await Promise.race([running, sleep(Math.min(every, Math.max(1, end - performance.now())))]);
    samples.take();
  }
  await faults.stop();
  await load.stop();
  await running;
  starvation?.stop();
  say(`${load.sent} requests, ${faults.made.length} faults`);
  return { faults, samples };
}
