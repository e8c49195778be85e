/**
 * The processes of the soak test: routers, gateways and workers, started through the command line.
 * One process of each kind is steady: no fault is injected into it, so that leaks become visible.
 * The others are targets of faults.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type RunningProcess, startProcess } from '../../bench/lib/process.ts';
import { freePorts } from '../../scripts/lib/ports.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const WORKER = fileURLToPath(new URL('../worker.ts', import.meta.url));

/**
 * Time that a process may take to drain before it is killed, in milliseconds. It is longer than the
 * configured drain.
 */
const DRAIN_LIMIT = 8000;

export type Kind = 'router' | 'gateway' | 'worker';

/** The endpoints of a router. */
export interface RouterEndpoints {
  readonly frontend: string;
  readonly backend: string;
  readonly heartbeat: string;
}

/** A process and its successors. */
export class Member {
  running: RunningProcess | undefined;
  /** The process started last. It may be stopping. */
  private child: RunningProcess['child'] | undefined;
  /** HTTP address of a gateway. */
  url = '';
  /** Whether a fault has stopped the process with SIGSTOP. */
  frozen = false;
  /** Exits after SIGTERM with a code other than 0. */
  readonly uncleanExits: string[] = [];

  constructor(
    readonly kind: Kind,
    readonly name: string,
    readonly steady: boolean,
    private readonly args: readonly string[],
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /**
   * Starts the process. Resolves when it is ready, or when a router has rejected it.
   *
   * @param extra environment variables for this start only.
   */
  async start(extra: Readonly<Record<string, string>> = {}): Promise<void> {
    const { args, name, kind } = this;
    const env = { ...this.env, ...extra };
    const ready = / is ready: (?<place>[^\s,]+)|refused this worker/;
    const spec = { name, command: process.execPath, args: [MAIN, kind, ...args], env, ready };
    this.running = await startProcess(spec);
    this.child = this.running.child;
    if (kind === 'gateway') this.url = this.running.ready.groups?.['place'] ?? '';
  }

  /** Sends a signal, even while the process is stopping. Does nothing if the process has ended. */
  signal(name: NodeJS.Signals): void {
    this.child?.kill(name);
  }

  /** Ends the process with SIGKILL. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Ends the process with SIGTERM and waits for its drain. */
  async stop(): Promise<void> {
    const code = await this.end('SIGTERM');
    if (code !== undefined && code !== 0) this.uncleanExits.push(`${this.name} ended with ${String(code)}`);
  }

  private async end(signal: NodeJS.Signals): Promise<number | string | undefined> {
    const child = this.running?.child;
    this.running = undefined;
    if (child === undefined) return undefined;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), DRAIN_LIMIT);
      await gone;
      clearTimeout(timer);
    }
    return child.exitCode ?? child.signalCode ?? undefined;
  }
}

/** Number of processes by kind. */
export interface ClusterSize {
  readonly gateways: number;
  readonly workers: number;
}

/** All processes. */
export class Cluster {
  private constructor(
    readonly members: readonly Member[],
    readonly routers: readonly RouterEndpoints[],
  ) {}

  /** Creates two routers and the given numbers of gateways and workers, without starting them. */
  static async of({ gateways, workers }: ClusterSize, logFolder: string): Promise<Cluster> {
    const ports = await freePorts(6 + gateways);
    const port = (): number => ports.shift() ?? 0;
    const place = (): string => `tcp://127.0.0.1:${port()}`;
    const routers = [0, 1].map(() => ({ frontend: place(), backend: place(), heartbeat: place() }));
    const common = ['--drain', '5000', '--log-level', 'silent'];
    // A worker logs that a router rejects it as an error.
    const ofWorkers = [...common.slice(0, -1), 'error'];
    const env = { SOAK_LOG: logFolder };
    const members = [
      ...routers.map(({ frontend, backend, heartbeat }, index) => {
        const args = ['--frontend', frontend, '--backend', backend, '--heartbeat', heartbeat, ...common];
        return member('router', index, args, env);
      }),
      ...Array.from({ length: workers }, (_, index) => {
        const to = routers.flatMap(({ backend }) => ['--router', backend]);
        return member('worker', index, [WORKER, ...to, ...ofWorkers], env);
      }),
      ...Array.from({ length: gateways }, (_, index) => {
        const to = routers.flatMap(({ frontend }) => ['--router', frontend]);
        return member('gateway', index, [...to, '--port', String(port()), ...common], env);
      }),
    ];
    return new Cluster(members, routers);
  }

  of(kind: Kind): Member[] {
    return this.members.filter((member) => member.kind === kind);
  }

  /** Starts all processes and waits until each one is ready. */
  async start(): Promise<void> {
    await Promise.all(this.members.map((member) => member.start()));
  }

  /** Stops all processes: gateways first, routers last. */
  async stop(): Promise<void> {
    for (const kind of ['gateway', 'worker', 'router'] as const) {
      await Promise.all(this.of(kind).map((member) => member.stop()));
    }
  }
}

function member(
  kind: Kind,
  index: number,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Member {
  return new Member(kind, `${kind} ${index + 1}`, index === 0, args, env);
}
