/**
 * Fault injection: randomly chosen faults, one after the other. They imitate common failures of
 * processes, and some send malformed messages.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { churnClients, churnConnections } from './churn.ts';
import type { Cluster, Member } from './cluster.ts';
import { sendGarbage } from './garbage.ts';
import type { Random } from './random.ts';

/** A fault that was injected. */
export interface InjectedFault {
  /** The fault and its target: `SIGKILL worker`. */
  readonly what: string;
  /** Seconds after the start. */
  readonly at: number;
}

/** Pause between two faults, in milliseconds. */
const PAUSE = { min: 1500, max: 4000 };

/** How long a worker keeps another contract, in milliseconds. */
const SWAP = { min: 2000, max: 8000 };

type Fault = (target: Member) => Promise<void>;

export class FaultInjector {
  readonly injected: InjectedFault[] = [];
  /** Faults that could not be injected, or after which a process did not recover. */
  readonly failures: string[] = [];
  private readonly start = performance.now();
  private readonly busy = new Set<Member>();
  private readonly running = new Set<Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly cluster: Cluster,
    private readonly random: Random,
  ) {}

  /** Whether a fault is in progress for a process, or the process is still recovering from one. */
  isBusy(member: Member): boolean {
    return this.busy.has(member);
  }

  /** Injects faults until `stop` is called. */
  async run(): Promise<void> {
    const { random, stopping } = this;
    while (!stopping.signal.aborted) {
      await sleep(random.between(PAUSE.min, PAUSE.max), undefined, { signal: stopping.signal }).catch(
        () => undefined,
      );
      if (!stopping.signal.aborted) this.injectRandom();
    }
  }

  /** Stops the injection. Resolves when all faults are over and all processes have recovered. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
  }

  private injectRandom(): void {
    const { random, cluster } = this;
    if (random.next() < 0.35) return this.inject(...this.externalFault());
    const targets = cluster.members.filter((member) => !member.steady && !this.busy.has(member));
    if (targets.length === 0) return;
    const target = random.pick(targets);
    const [name, fault] = random.pick<[string, Fault]>([
      ['SIGKILL', (member) => this.kill(member)],
      ['SIGSTOP', (member) => this.freeze(member)],
      ['SIGTERM', (member) => this.restart(member)],
      ...(target.kind === 'worker' ? this.contractFaults() : []),
    ]);
    this.busy.add(target);
    this.inject(`${name} ${target.kind}`, () => fault(target).finally(() => this.busy.delete(target)));
  }

  /** Chooses a fault caused by peers outside the cluster. */
  private externalFault(): [what: string, fault: () => Promise<void>] {
    const { random, cluster } = this;
    return random.pick<[string, () => Promise<void>]>([
      [
        'malformed messages',
        () => {
          const { frontend, backend, heartbeat } = random.pick(cluster.routers);
          return sendGarbage([frontend, backend, heartbeat], random);
        },
      ],
      ['client churn', () => churnClients(frontendsOf(cluster), random)],
      [
        'connection churn',
        () =>
          churnConnections(
            cluster.of('gateway').map(({ url }) => url),
            random,
          ),
      ],
    ]);
  }

  private contractFaults(): [string, Fault][] {
    return [
      ['compatible contract', (member) => this.swap(member, 'wider')],
      ['incompatible contract', (member) => this.swap(member, 'narrower')],
    ];
  }

  private inject(what: string, fault: () => Promise<void>): void {
    this.injected.push({ what, at: (performance.now() - this.start) / 1000 });
    const failed = (error: unknown): void => void this.failures.push(`${what}: ${String(error)}`);
    const done = fault()
      .catch(failed)
      .finally(() => this.running.delete(done));
    this.running.add(done);
  }

  private async kill(member: Member): Promise<void> {
    await member.kill();
    await this.recover(member);
  }

  private async restart(member: Member): Promise<void> {
    await member.stop();
    await this.recover(member);
  }

  private async freeze(member: Member): Promise<void> {
    member.frozen = true;
    member.signal('SIGSTOP');
    await sleep(this.random.between(500, 5000));
    member.signal('SIGCONT');
    member.frozen = false;
  }

  /** Makes the worker announce another contract for a while. */
  private async swap(member: Member, contract: string): Promise<void> {
    await member.stop();
    await member.start({ SOAK_CONTRACT: contract });
    await sleep(this.random.between(SWAP.min, SWAP.max));
    await member.stop();
    await this.recover(member);
  }

  private async recover(member: Member): Promise<void> {
    await sleep(this.random.between(100, 1500));
    await member.start();
    if (member.kind === 'gateway') await waitUntilReady(member.url);
  }
}

function frontendsOf({ routers }: Cluster): string[] {
  return routers.map(({ frontend }) => frontend);
}

/**
 * Waits, like a load balancer, until a gateway reports that it is ready; at most about a minute.
 */
export async function waitUntilReady(url: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const response = await fetch(`${url}/readyz`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) return;
    await sleep(100);
  }
  throw new Error(`${url} did not become ready within a minute`);
}
