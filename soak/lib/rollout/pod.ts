/**
 * A pod of the Kubernetes manifests: its container's command, settings, probes, hook and grace period,
 * run as the kubelet runs them, on a host of its own (a network namespace).
 */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, PodTemplate, Probe } from '../../../test/deploy/kubernetes.ts';
import { startCommand } from '../../../test/helpers/command.ts';
import type { Host } from '../../../test/helpers/hosts.ts';
import type { RunningProcess } from '../../../test/helpers/processes.ts';
import type { Cleanup } from '../../../test/helpers/scope.ts';

/** Defaults of Kubernetes for fields that a probe or a pod does not set. */
const DEFAULTS = { periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3, grace: 30 };

/** Maximum time in ms until a pod is ready. */
const DEADLINE = 120_000;

/** What a pod needs beside its template. */
export interface PodSetting {
  readonly cleanup: Cleanup;
  readonly host: Host;
  /** Working folder, which stands for the content of the image. */
  readonly image: string;
  /** Returns the files of a Secret or ConfigMap. */
  readonly objectOf: (name: string) => Readonly<Record<string, string>>;
  /** Folder for the files of Secrets and ConfigMaps. */
  readonly folder: string;
  /** Variables besides those of the manifest. */
  readonly env: Readonly<Record<string, string>>;
  /** Factor of all times of the manifest. */
  readonly scale: number;
}

export class Pod {
  /** `change`: the readiness has changed. */
  readonly changes = new EventEmitter().setMaxListeners(0);
  /** Deviations from a clean life: failed probes, a kill after the grace period, an exit code. */
  readonly faults: string[] = [];
  private readonly container: Container;
  private readonly process: RunningProcess;
  private ready = false;
  private terminating = false;
  /** Time at which the pod became ready. */
  private readySince = 0;
  private ended = false;

  constructor(
    readonly name: string,
    private readonly template: PodTemplate,
    private readonly setting: PodSetting,
  ) {
    const [container] = template.spec.containers;
    if (container === undefined) throw new Error(`${name} has no container`);
    this.container = container;
    const { cleanup, host, image, env } = setting;
    this.process = startCommand(cleanup, container.args, {
      cwd: image,
      env: { NODE_ENV: 'production', ...this.variables(), ...env },
      prefix: host.prefix,
    });
    void this.process.exited.then(() => {
      this.ended = true;
      if (!this.terminating) this.fault('ended by itself');
      this.setReady(false);
    });
    void this.probe('startupProbe', () => {
      void this.probe('livenessProbe');
      void this.probe('readinessProbe');
    });
  }

  get labels(): Readonly<Record<string, string>> {
    return this.template.metadata.labels;
  }

  get address(): string {
    return this.setting.host.address;
  }

  /** Whether Services send requests to the pod. */
  get isServing(): boolean {
    return this.ready && !this.terminating;
  }

  /** The end of the output of the process. */
  private get log(): string {
    return `${this.process.lines.slice(-10).join('\n')}\n${this.process.stderr.slice(-2000)}`;
  }

  portOf(port: string | number): number {
    const found = this.container.ports?.find(({ name }) => name === port)?.containerPort;
    return found ?? Number(port);
  }

  /** Resolves when the pod has been ready without interruption for this many seconds. */
  async available(minReadySeconds: number): Promise<void> {
    const needed = 1000 * minReadySeconds * this.setting.scale;
    for (const end = Date.now() + needed + DEADLINE; ; await sleep(50)) {
      if (this.faults.length > 0) throw new Error(`${this.faults.join('; ')}\n${this.log}`);
      if (this.ready && Date.now() >= this.readySince + needed) return;
      if (Date.now() > end) throw new Error(`${this.name} is not ready\n${this.log}`);
    }
  }

  /** Deletes the pod: it leaves its Services, runs its preStop hook, and gets SIGTERM. */
  async delete(): Promise<void> {
    this.terminating = true;
    this.changes.emit('change');
    const { scale, host } = this.setting;
    const grace = 1000 * scale * (this.template.spec.terminationGracePeriodSeconds ?? DEFAULTS.grace);
    const killer = setTimeout(() => {
      this.fault('was killed at the end of its grace period');
      this.process.kill('SIGKILL');
    }, grace);
    await this.preStop();
    this.process.kill('SIGTERM');
    const { code } = await this.process.exited;
    clearTimeout(killer);
    if (code !== 0) this.fault(`ended with ${String(code)}`);
    host.remove();
  }

  private async preStop(): Promise<void> {
    const { exec: { command } = {} } = this.container.lifecycle?.preStop ?? {};
    if (command === undefined) return;
    const scaled = command.map((word) =>
      /^\d+$/.test(word) ? String(Number(word) * this.setting.scale) : word,
    );
    const [program = '', ...args] = [...this.setting.host.prefix, ...scaled];
    const [code] = (await once(spawn(program, args, { stdio: 'ignore' }), 'exit')) as [number | null];
    if (code !== 0) this.fault(`its preStop hook ended with ${String(code)}`);
  }

  private fault(what: string): void {
    this.faults.push(`${this.name} ${what}`);
    this.changes.emit('change');
  }

  private setReady(ready: boolean): void {
    if (ready === this.ready) return;
    this.ready = ready;
    this.readySince = Date.now();
    this.changes.emit('change');
  }

  /** Runs a probe until the pod ends; a startup probe until it has succeeded. */
  private async probe(
    kind: 'startupProbe' | 'livenessProbe' | 'readinessProbe',
    onSuccess?: () => void,
  ): Promise<void> {
    const probe = this.container[kind];
    if (probe === undefined) throw new Error(`${this.name} has no ${kind}`);
    const { periodSeconds, failureThreshold } = { ...DEFAULTS, ...probe };
    // A process starts no faster, and hangs no shorter, when the times are scaled.
    const failuresAllowed =
      kind === 'readinessProbe' ? failureThreshold : failureThreshold / this.setting.scale;
    for (let failures = 0; !this.ended; await sleep(1000 * periodSeconds * this.setting.scale)) {
      const succeeded = await this.asks(probe);
      failures = succeeded ? 0 : failures + 1;
      if (succeeded && onSuccess !== undefined) return onSuccess();
      if (kind === 'readinessProbe') {
        if (succeeded) this.setReady(true);
        else if (failures >= failuresAllowed) this.setReady(false);
      } else if (failures >= failuresAllowed && !this.terminating) {
        // The kubelet would restart the container.
        return this.fault(`failed its ${kind}`);
      }
    }
  }

  /** Whether a probe succeeds now. Its timeout is not scaled: the machine does not answer faster. */
  private asks({ httpGet, timeoutSeconds = DEFAULTS.timeoutSeconds }: Probe): Promise<boolean> {
    if (httpGet === undefined) throw new Error(`${this.name} has a probe without httpGet`);
    const url = `http://${this.address}:${this.portOf(httpGet.port)}${httpGet.path}`;
    return new Promise((resolve) => {
      const request = get(url, { agent: false, timeout: 1000 * timeoutSeconds }, (response) => {
        response.resume().on('error', () => undefined);
        resolve((response.statusCode ?? 500) < 400);
      });
      request.on('timeout', () => request.destroy()).on('error', () => resolve(false));
    });
  }

  /** Variables of the container, with values from Secrets, and paths of mounts in the folder. */
  private variables(): Record<string, string> {
    const { folder, objectOf } = this.setting;
    const { volumes = [] } = this.template.spec;
    const mounts = (this.container.volumeMounts ?? []).flatMap(({ name, mountPath }) => {
      const { configMap, secret } = volumes.find((volume) => volume.name === name) ?? { name };
      const object = configMap?.name ?? secret?.secretName;
      if (object === undefined) return [];
      const place = path.join(folder, object);
      mkdirSync(place, { recursive: true });
      for (const [file, text] of Object.entries(objectOf(object)))
        writeFileSync(path.join(place, file), text);
      return [{ mountPath, place }];
    });
    const read = (value: string) => {
      const mount = mounts.find(({ mountPath }) => value.startsWith(`${mountPath}/`));
      return mount === undefined ? value : value.replace(mount.mountPath, mount.place);
    };
    return Object.fromEntries(
      (this.container.env ?? []).map(({ name, value = '', valueFrom }) => {
        const { name: secret, key = '' } = valueFrom?.secretKeyRef ?? {};
        return [name, secret === undefined ? read(value) : (objectOf(secret)[key] ?? '')];
      }),
    );
  }
}
