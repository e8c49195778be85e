/** Rollouts of all roles of the Kubernetes manifests under load, round by round. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DNS_SETTINGS } from '../../../src/cli/settings/command.ts';
import { Load } from '../../../test/helpers/load.ts';
import type { Cleanup } from '../../../test/helpers/scope.ts';
import { tempFolder } from '../../../test/helpers/temp.ts';
import { check, outcomesOf } from '../checker.ts';
import { Log, readLogs } from '../log.ts';
import { Cluster } from './cluster.ts';
import { ADDED, logFolder, PREFIX, writeImage } from './image.ts';

/** Name of the Service that callers use. */
const SERVICE = 'http-gateway';

/** The order of an upgrade (docs/operations/index.md). */
const ORDER = ['zeromq-router', 'echo-worker', SERVICE];

export interface RolloutOptions {
  readonly rounds: number;
  /** Factor of all times of the manifests. 1 runs them as they are. */
  readonly scale: number;
  readonly report: (line: string) => void;
}

export interface RolloutResult {
  readonly seconds: number;
  /** Pods that were replaced. */
  readonly replaced: number;
  /** Number of requests by outcome code; `ok` for successes. */
  readonly idempotent: Readonly<Record<string, number>>;
  readonly others: Readonly<Record<string, number>>;
  /** Violations of the guarantees, and pods that did not start or end cleanly. */
  readonly problems: readonly string[];
}

/**
 * Rolls out every role `rounds` times. The second round has another contract. The last of several
 * rounds replaces all roles at once, as `kubectl apply -k` with a new image does; the others follow
 * the order of an upgrade.
 */
export async function rollOut(
  scope: Cleanup,
  { rounds, scale, report }: RolloutOptions,
): Promise<RolloutResult> {
  const folder = tempFolder(scope);
  const [first, second] = [writeImage(folder, 1), writeImage(folder, 2)];
  const logs = logFolder(folder);
  const interval = String(DNS_SETTINGS.dnsInterval.default * scale);
  const cluster = new Cluster(scope, {
    scale,
    workerEnv: { CHECKER_LOG: logs },
    env: scale === 1 ? {} : { ZMQ_GATEWAY_DNS_INTERVAL: interval },
  });
  await cluster.start(first);
  const log = new Log(logs, 'callers');
  scope.after(() => log.close());
  const load = balance(cluster, log);
  scope.after(() => load.stop());
  await untilServed(cluster, `${PREFIX}/read/before`);
  report(`${cluster.pods.length} pods are ready`);
  const begin = Date.now();
  const seconds = () => (Date.now() - begin) / 1000;
  load.start();
  for (let round = 1; round <= rounds; round += 1) {
    const image = round === 1 ? first : second;
    const roll = async (name: string): Promise<void> => {
      await cluster.workload(name).rollOut(image);
      report(`${seconds().toFixed(0)} s: round ${round}: ${name} is rolled out`);
    };
    if (round > 1 && round === rounds) await Promise.all(ORDER.map(roll));
    else for (const name of ORDER) await roll(name);
    if (round === 2) await untilServed(cluster, ADDED);
  }
  await load.stop();
  const entries = readLogs(logs).filter(({ id }) => id !== 'before');
  return {
    seconds: seconds(),
    replaced: cluster.pods.length - cluster.workloads.reduce((sum, { pods }) => sum + pods.length, 0),
    idempotent: outcomesOf(entries, true),
    others: outcomesOf(entries, false),
    problems: [
      ...check(entries, { maxRuns: Number.POSITIVE_INFINITY }).violations,
      ...cluster.pods.flatMap(({ faults }) => faults),
    ],
  };
}

/** Sends the load to the endpoints of the Service. */
function balance(cluster: Cluster, log: Log): Load {
  let urls: string[] = [];
  const load = new Load(urls, log);
  const follow = (): void => {
    const now = cluster.endpointsOf(SERVICE).map((url) => `${url}${PREFIX}`);
    for (const url of urls) if (!now.includes(url)) void load.removeGateway(url);
    for (const url of now) if (!urls.includes(url)) load.addGateway(url);
    urls = now;
  };
  cluster.changes.on('endpoints', follow);
  follow();
  return load;
}

/** Resolves when every gateway serves a path, which its workers announced to it. */
async function untilServed(cluster: Cluster, path: string): Promise<void> {
  const end = Date.now() + 30_000;
  for (;;) {
    const urls = cluster.endpointsOf(SERVICE);
    const codes = await Promise.all(
      urls.map(async (url) => (await fetch(`${url}${path}`, { headers: { connection: 'close' } })).status),
    );
    if (codes.length > 0 && codes.every((code) => code === 200)) return;
    if (Date.now() > end) throw new Error(`${path}: the gateways reply ${codes.join(', ')}`);
    await sleep(100);
  }
}
