/**
 * A small cluster that runs the base of deploy/kubernetes: pods on hosts of their own, DNS of headless
 * Services, endpoints, and rollouts of Deployments and StatefulSets as Kubernetes makes them. All
 * commands, settings, probes, hooks and times come from the manifests.
 */
import { EventEmitter } from 'node:events';
import { KeyObjects } from '../../../test/deploy/key-objects.ts';
import { kustomizations, type Manifest, resourcesOf, type Spec } from '../../../test/deploy/kubernetes.ts';
import { DnsServer } from '../../../test/helpers/dns-server.ts';
import { Network } from '../../../test/helpers/hosts.ts';
import type { Cleanup } from '../../../test/helpers/scope.ts';
import { tempFolder } from '../../../test/helpers/temp.ts';
import { Pod } from './pod.ts';

/** Time in seconds until a change of a pod's readiness has reached DNS and load balancers. */
const PROPAGATION = 1;

export interface ClusterOptions {
  /** Factor of all times of the manifests. 1 runs them as they are. */
  readonly scale: number;
  /** Variables of the workers besides those of the manifest. */
  readonly workerEnv: Readonly<Record<string, string>>;
  /** Settings that belong to the times of the manifests, if these are scaled. */
  readonly env: Readonly<Record<string, string>>;
}

/** A Deployment or StatefulSet with its pods. */
export class Workload {
  readonly pods: Pod[] = [];
  private started = 0;

  constructor(
    readonly manifest: Manifest,
    private readonly replicas: number,
    private readonly startPod: (name: string, image: string) => Pod,
  ) {}

  get name(): string {
    return this.manifest.metadata.name;
  }

  private get spec(): Spec {
    return this.manifest.spec ?? {};
  }

  /** Starts all pods. Resolves when they are ready. */
  async start(image: string): Promise<void> {
    while (this.pods.length < this.replicas) this.pods.push(this.next(image));
    await Promise.all(this.pods.map((pod) => pod.available(0)));
  }

  /** Replaces all pods. */
  rollOut(image: string): Promise<void> {
    return this.manifest.kind === 'StatefulSet' ? this.replaceInOrder(image) : this.surge(image);
  }

  /** A StatefulSet replaces its pods one by one, the last first; a pod ends before its successor starts. */
  private async replaceInOrder(image: string): Promise<void> {
    for (const [index, old] of [...this.pods.entries()].reverse()) {
      await old.delete();
      const pod = this.next(image);
      this.pods[index] = pod;
      await pod.available(this.spec.minReadySeconds ?? 0);
    }
  }

  /** A Deployment starts one pod more, and deletes an old one when the new one is available. */
  private async surge(image: string): Promise<void> {
    const { maxUnavailable, maxSurge } = this.spec.strategy?.rollingUpdate ?? {};
    if (maxUnavailable !== 0 || maxSurge !== 1)
      throw new Error(`${this.name}: only maxUnavailable 0 and maxSurge 1 are implemented`);
    const deleted: Promise<void>[] = [];
    for (const old of [...this.pods]) {
      const pod = this.next(image);
      this.pods.push(pod);
      await pod.available(this.spec.minReadySeconds ?? 0);
      this.pods.splice(this.pods.indexOf(old), 1);
      deleted.push(old.delete());
    }
    await Promise.all(deleted);
  }

  private next(image: string): Pod {
    this.started += 1;
    return this.startPod(`${this.name}-${this.started}`, image);
  }
}

export class Cluster {
  /** `endpoints`: a pod has become ready, or unready. */
  readonly changes = new EventEmitter();
  readonly workloads: readonly Workload[];
  /** All pods that were started. */
  readonly pods: Pod[] = [];
  private readonly manifests: readonly Manifest[];
  private readonly keys: KeyObjects;
  private readonly network: Network;
  private dns: DnsServer | undefined;

  constructor(
    private readonly cleanup: Cleanup,
    private readonly options: ClusterOptions,
  ) {
    const base = kustomizations().find(({ folder }) => folder === 'base');
    this.manifests = base === undefined ? [] : resourcesOf(base);
    this.keys = new KeyObjects(cleanup);
    this.keys.run();
    this.network = new Network(cleanup);
    const owners = this.manifests.filter(({ spec }) => spec?.template !== undefined);
    const folder = tempFolder(cleanup);
    this.workloads = owners.map((manifest) => {
      return new Workload(manifest, this.replicasOf(manifest), (name, image) =>
        this.startPod(manifest, name, image, folder),
      );
    });
  }

  workload(name: string): Workload {
    const found = this.workloads.find((each) => each.name === name);
    if (found === undefined) throw new Error(`the base has no ${name}`);
    return found;
  }

  /** Starts all workloads at once, as `kubectl apply` does. */
  async start(image: string): Promise<void> {
    const where = { address: this.network.address, port: 53 };
    this.dns = await DnsServer.start(this.cleanup, { hosts: {} }, where);
    this.publish();
    await Promise.all(this.workloads.map((workload) => workload.start(image)));
  }

  /** URLs of the pods that a Service sends requests to. */
  endpointsOf(service: string): string[] {
    const found = this.manifests.find(
      ({ kind, metadata }) => kind === 'Service' && metadata.name === service,
    );
    const port = found?.spec?.ports?.[0]?.targetPort ?? '';
    return this.podsBehind(found).map((pod) => `http://${pod.address}:${pod.portOf(port)}`);
  }

  private podsBehind(service: Manifest | undefined): Pod[] {
    const selector = Object.entries(service?.spec?.selector ?? {});
    return this.pods.filter(
      (pod) => pod.isServing && selector.every(([name, value]) => pod.labels[name] === value),
    );
  }

  /** Replicas of a manifest; the autoscaler sets those of a Deployment that has one. */
  private replicasOf({ kind, metadata, spec }: Manifest): number {
    const scaler = this.manifests.find(({ spec: other }) => {
      return other?.scaleTargetRef?.kind === kind && other.scaleTargetRef.name === metadata.name;
    });
    return scaler?.spec?.minReplicas ?? spec?.replicas ?? 1;
  }

  private startPod({ spec, metadata }: Manifest, name: string, image: string, folder: string): Pod {
    const template = spec?.template;
    if (template === undefined) throw new Error(`${metadata.name} has no pods`);
    const { scale, env, workerEnv } = this.options;
    const isWorker = template.spec.containers.some(({ args }) => args[0] === 'worker');
    const host = this.network.host();
    host.useNameServer(this.network.address);
    const pod = new Pod(name, template, {
      ...{ cleanup: this.cleanup, host, image, folder, scale },
      env: { ...env, ...(isWorker ? workerEnv : {}) },
      objectOf: (object) => this.keys.made(object).data,
    });
    this.pods.push(pod);
    pod.changes.on('change', () => {
      setTimeout(() => this.publish(), 1000 * PROPAGATION * scale);
    });
    return pod;
  }

  /** Updates the records of the headless Services, and announces the endpoints of the others. */
  private publish(): void {
    const headless = this.manifests.filter(
      ({ kind, spec }) => kind === 'Service' && spec?.clusterIP === 'None',
    );
    const hosts = headless.map((service) => {
      return [service.metadata.name, this.podsBehind(service).map(({ address }) => address)] as const;
    });
    if (this.dns !== undefined) this.dns.zone = { hosts: Object.fromEntries(hosts) };
    this.changes.emit('endpoints');
  }
}
