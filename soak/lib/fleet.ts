/**
 * The processes of the soak: routers, gateways and workers, as the command line starts them. One of each kind is steady:
 * no fault is made to it, so that what it leaks shows. The others are victims.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type RunningProcess, startProcess } from '../../bench/lib/process.ts';
import { freePorts } from '../../scripts/lib/ports.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const WORKER = fileURLToPath(new URL('../worker.ts', import.meta.url));

/** How long a process may take to drain before it is killed, in ms; longer than it says itself. */
const DRAIN = 8000;

export type Kind = 'router' | 'gateway' | 'worker';

/** Where a router listens. */
export interface RouterPlace {
  readonly frontend: string;
  readonly backend: string;
  readonly heartbeat: string;
}

/** One process, and those that take its place. */
export class Member {
  running: RunningProcess | undefined;
  /** The process that was started last; it may be stopping. */
  private child: RunningProcess['child'] | undefined;
  /** HTTP address of a gateway. */
  url = '';
  /** Whether a fault holds it stopped (SIGSTOP). */
  frozen = false;
  /** Ends that were asked for with SIGTERM and were not clean. */
  readonly uncleanEnds: string[] = [];

  constructor(
    readonly kind: Kind,
    readonly name: string,
    readonly steady: boolean,
    private readonly args: readonly string[],
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /**
   * Starts it; resolves when it is ready.
   * @param extra environment variables of this start only.
   */
  async start(extra: Readonly<Record<string, string>> = {}): Promise<void> {
    const { args, name, kind } = this;
    const env = { ...this.env, ...extra };
    const ready = / is ready: (?<place>[^\s,]+)/;
    const spec = { name, command: process.execPath, args: [MAIN, kind, ...args], env, ready };
    this.running = await startProcess(spec);
    this.child = this.running.child;
    if (kind === 'gateway') this.url = this.running.ready.groups?.['place'] ?? '';
  }

  /** Sends a signal, also while the process is stopping; nothing happens when it is gone. */
  signal(name: NodeJS.Signals): void {
    this.child?.kill(name);
  }

  /** Ends it with SIGKILL. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Ends it with SIGTERM, and waits while it drains. */
  async stop(): Promise<void> {
    const code = await this.end('SIGTERM');
    if (code !== undefined && code !== 0) this.uncleanEnds.push(`${this.name} ended with ${String(code)}`);
  }

  private async end(signal: NodeJS.Signals): Promise<number | string | undefined> {
    const child = this.running?.child;
    this.running = undefined;
    if (child === undefined) return undefined;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), DRAIN);
      await gone;
      clearTimeout(timer);
    }
    return child.exitCode ?? child.signalCode ?? undefined;
  }
}

/** How many of each kind. */
export interface FleetSize {
  readonly gateways: number;
  readonly workers: number;
}

/** All of them. */
export class Cluster {
  private constructor(
    readonly members: readonly Member[],
    readonly routers: readonly RouterPlace[],
  ) {}

  /** Two routers, and as many of the others as asked for. Nothing is started yet. */
  static async of({ gateways, workers }: FleetSize, logFolder: string): Promise<Cluster> {
    const ports = await freePorts(6 + gateways);
    const port = (): number => ports.shift() ?? 0;
    const place = (): string => `tcp://127.0.0.1:${port()}`;
    const routers = [0, 1].map(() => ({ frontend: place(), backend: place(), heartbeat: place() }));
    const common = ['--log-level', 'silent', '--drain', '5000'];
    const env = { SOAK_LOG: logFolder };
    const members = [
      ...routers.map(({ frontend, backend, heartbeat }, index) => {
        const args = ['--frontend', frontend, '--backend', backend, '--heartbeat', heartbeat, ...common];
        return member('router', index, args, env);
      }),
      ...Array.from({ length: workers }, (_, index) => {
        const to = routers.flatMap(({ backend }) => ['--router', backend]);
        return member('worker', index, [WORKER, ...to, ...common], env);
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

  /** Starts all of them, and waits until each gateway has the routes of the workers. */
  async start(): Promise<void> {
    await Promise.all(this.members.map((member) => member.start()));
  }

  /** Ends all of them: gateways first, routers last. */
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
