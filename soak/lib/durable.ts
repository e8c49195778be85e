/** Runs the soak test of durable requests: load, kills, and the check of every outcome. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkDurable, type DurableCheck } from './durable-checker.ts';
import { DurableCluster, type Killable, type StoreKind } from './durable-cluster.ts';
import { DurableLoad } from './durable-load.ts';
import { waitUntilReady } from './faults.ts';
import { Log, readLogs } from './log.ts';
import { type Random, randomOf } from './random.ts';

/** Parameters of a run. */
export interface DurableSoakOptions {
  readonly seconds: number;
  /** Requests per second. */
  readonly rate: number;
  /** Seed of the random choice of kills and requests. */
  readonly seed: number;
  readonly store: StoreKind;
  readonly report: (line: string) => void;
}

/** Results of a run. */
export interface DurableSoakResult {
  readonly check: DurableCheck;
  /** Number of kills by kind of process. */
  readonly kills: ReadonlyMap<string, number>;
}

/** Pause between two kills, in milliseconds. */
const PAUSE = { min: 800, max: 2500 };
/** Time for which a process is down, in milliseconds. */
const DOWN = { min: 50, max: 1000 };
/** Share of kills that do not wait until the processes killed before have recovered. */
const OVERLAPPING_SHARE = 0.3;

/** Runs a soak test. If it finds a violation, it keeps the logs and prints their location. */
export async function soakDurable(options: DurableSoakOptions): Promise<DurableSoakResult> {
  const { seconds, rate, seed, store, report } = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'soak-durable-'));
  // PostgreSQL runs as another user, and its data is in this folder.
  chmodSync(folder, 0o755);
  const cluster = await DurableCluster.of(store, folder);
  const log = new Log(folder, 'callers');
  try {
    await cluster.start();
    await Promise.all(cluster.gateways.map(({ url }) => waitUntilReady(url)));
    report(`${store}: ${rate} requests per second for ${seconds} s, seed ${seed}`);
    const urls = cluster.gateways.map(({ url }) => url);
    const load = new DurableLoad(() => urls, log, randomOf(seed + 1));
    const running = load.run(rate);
    const kills = await killAtRandom(cluster, randomOf(seed), performance.now() + seconds * 1000);
    await load.stop();
    await running;
    log.close();
    const check = checkDurable(readLogs(folder));
    report(
      `${load.sent} requests, ${[...kills].map(([kind, times]) => `${kind} killed ${times}×`).join(', ')}`,
    );
    if (check.violations.length > 0) report(`kept the logs in ${folder}`);
    else rmSync(folder, { recursive: true });
    return { check, kills };
  } finally {
    await cluster.end();
  }
}

/** Kills a process, starts it again, and so on. Resolves when all processes have recovered. */
async function killAtRandom(
  cluster: DurableCluster,
  random: Random,
  end: number,
): Promise<Map<string, number>> {
  const kills = new Map<string, number>();
  const down = new Map<Killable, Promise<void>>();
  const recovered = async (): Promise<void> => {
    await Promise.all(down.values());
    await Promise.all(cluster.gateways.map(({ url }) => waitUntilReady(url)));
  };
  for (;;) {
    // If processes were killed faster than they start, which they do on a slow machine, nothing would run.
    if (random.next() >= OVERLAPPING_SHARE) await recovered();
    await sleep(random.between(PAUSE.min, PAUSE.max));
    if (performance.now() >= end) break;
    const target = random.pick(cluster.all);
    if (down.has(target)) continue;
    kills.set(target.kind, (kills.get(target.kind) ?? 0) + 1);
    const restart = async (): Promise<void> => {
      await target.kill();
      await sleep(random.between(DOWN.min, DOWN.max));
      await target.start();
    };
    down.set(
      target,
      restart().finally(() => down.delete(target)),
    );
  }
  await recovered();
  return kills;
}
