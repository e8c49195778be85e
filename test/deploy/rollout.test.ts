// test:all: 10 s; kubernetes.test.ts represents it
/**
 * A rollout of routers, and one of workers, with the timings of the Kubernetes manifests, under
 * requests. All times are a fraction of those in the manifests.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DNS_SETTINGS } from '../../src/cli/settings/command.ts';
import type { ZeroMQClient, ZeroMQWorker } from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { makeClient, makeWorker, type StartedRouter, startRouter } from '../integration/framework.ts';
import { type Manifest, manifestsIn } from './kubernetes.ts';

failOnLeftovers();

/** Seconds of a manifest in ms of this test. */
const SECOND = 40;

/** Period of the readiness probe, time in the state ready, and time of the hook before the stop, in seconds. */
function timingsOf(file: string): { probe: number; minReady: number; preStop: number } {
  const isOwner = ({ spec }: Manifest): boolean => spec?.template !== undefined;
  const spec = manifestsIn(`base/${file}.yaml`).find(isOwner)?.spec;
  const [container] = spec?.template?.spec.containers ?? [];
  const [, preStop = '0'] = container?.lifecycle?.preStop?.exec?.command ?? [];
  const probe = container?.readinessProbe?.periodSeconds ?? 0;
  return { probe, minReady: spec?.minReadySeconds ?? 0, preStop: Number(preStop) };
}

const dnsInterval = (DNS_SETTINGS.dnsInterval.default / 1000) * SECOND;

/** The DNS of a cluster: SRV records of the ready routers. */
class ClusterDns {
  readonly ready = new Set<StartedRouter>();

  readonly options = {
    interval: dnsInterval,
    resolver: {
      addresses: () => Promise.resolve(['127.0.0.1']),
      services: (name: string) =>
        Promise.resolve(
          Array.from(this.ready, (router) => {
            const endpoint = name === '_frontend._tcp.router' ? router.frontend : router.backend;
            return { name: 'router', port: Number(new URL(endpoint).port) };
          }),
        ),
    },
  };
}

/** The pods of a test: what the kubelet does with them. */
class Cluster {
  readonly dns = new ClusterDns();

  constructor(readonly scope: Scope) {}

  async startRouter(): Promise<StartedRouter> {
    const router = await startRouter(this.scope, 'tcp', { limits: { startupGrace: 0, workerGrace: 0 } });
    await sleep(timingsOf('router').probe * SECOND);
    this.dns.ready.add(router);
    return router;
  }

  /** A pod that stops leaves DNS at once, and receives SIGTERM after its preStop hook. */
  async stopRouter(router: StartedRouter): Promise<void> {
    this.dns.ready.delete(router);
    await sleep(timingsOf('router').preStop * SECOND);
    await router.router.stop({ deadline: 20 * SECOND });
  }

  async startWorker(): Promise<ZeroMQWorker> {
    const worker = makeWorker(this.scope, {
      connection: 'dns://_backend._tcp.router',
      dns: this.dns.options,
      handlers: { echo: (data: unknown) => data },
    });
    await worker.start();
    await worker.accepted; // what its readiness probe asks
    await sleep(timingsOf('worker').probe * SECOND);
    return worker;
  }

  client(): ZeroMQClient {
    return makeClient(this.scope, { connection: 'dns://_frontend._tcp.router', dns: this.dns.options });
  }
}

/** Sends requests until `stop` is called, which resolves with their number and their failures. */
function load(client: ZeroMQClient): { stop(): Promise<{ sent: number; failures: string[] }> } {
  const requests: Promise<unknown>[] = [];
  const failures: string[] = [];
  const timer = setInterval(() => {
    const request = client.sendMessage('echo', requests.length, { timeout: PATIENCE });
    requests.push(request.catch((error: unknown) => failures.push(String(error))));
  }, 5);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(requests);
      return { sent: requests.length, failures };
    },
  };
}

async function startCluster(scope: Scope) {
  const cluster = new Cluster(scope);
  const routers = await Promise.all([cluster.startRouter(), cluster.startRouter()]);
  const workers = await Promise.all([cluster.startWorker(), cluster.startWorker()]);
  const client = cluster.client();
  await client.connect({ throwOnFailure: true, timeout: PATIENCE });
  await sleep(2 * dnsInterval);
  return { cluster, routers, workers, load: load(client) };
}

describe('rollouts with the timings of the manifests', () => {
  it('rollout: two routers are replaced one after the other, and no request fails', async (t) => {
    const { cluster, routers, load: running } = await startCluster(scopeOf(t));
    const { minReady } = timingsOf('router');
    // A StatefulSet replaces its pods one by one.
    for (const router of [...routers].reverse()) {
      await cluster.stopRouter(router);
      await cluster.startRouter();
      await sleep(minReady * SECOND);
    }
    const { sent, failures } = await running.stop();
    assert.deepEqual(failures, []);
    assert.ok(sent > 100, `${sent} requests`);
  });

  it('rollout: workers are replaced one after the other, and no request fails', async (t) => {
    const { cluster, workers, load: running } = await startCluster(scopeOf(t));
    const { minReady } = timingsOf('worker');
    // maxUnavailable 0, maxSurge 1: the new pod comes first.
    for (const worker of workers) {
      await cluster.startWorker();
      await sleep(minReady * SECOND);
      await worker.stop({ deadline: 20 * SECOND });
    }
    const { sent, failures } = await running.stop();
    assert.deepEqual(failures, []);
    assert.ok(sent > 100, `${sent} requests`);
  });
});
