/**
 * Fault injection: randomly chosen faults, one after the other. They imitate common failures of
 * processes, and some send garbage.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { churnClients, churnConnections } from './churn.ts';
import type { Cluster, Member } from './fleet.ts';
import { sendGarbage } from './garbage.ts';
import type { Random } from './random.ts';

/** A fault that was injected. */
export interface Made {
  /** The fault and its target: `SIGKILL worker`. */
  readonly what: string;
  /** Seconds after the start. */
  readonly at: number;
}

/** Pause between two faults, in milliseconds. */
const PAUSE = { least: 1500, most: 4000 };

/** How long a worker keeps another contract, in milliseconds. */
const SWAP = { least: 2000, most: 8000 };

type Fault = (victim: Member) => Promise<void>;

export class Faults {
  readonly made: Made[] = [];
  /** Faults that could not be injected, or after which a process did not recover. */
  readonly failures: string[] = [];
  private readonly start = performance.now();
  private readonly busy = new Set<Member>();
  private readonly running = new Set<Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly fleet: Cluster,
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
      await sleep(random.between(PAUSE.least, PAUSE.most), undefined, { signal: stopping.signal }).catch(
        () => undefined,
      );
      if (!stopping.signal.aborted) this.makeOne();
    }
  }

  /** Stops the injection. Resolves when all faults are over and all processes have recovered. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
  }

  private makeOne(): void {
    const { random, fleet } = this;
    if (random.next() < 0.35) return this.make(...this.strangers());
    const victims = fleet.members.filter((member) => !member.steady && !this.busy.has(member));
    if (victims.length === 0) return;
    const victim = random.pick(victims);
    const [name, fault] = random.pick<[string, Fault]>([
      ['SIGKILL', (member) => this.kill(member)],
      ['SIGSTOP', (member) => this.freeze(member)],
      ['SIGTERM', (member) => this.restart(member)],
      ...(victim.kind === 'worker' ? this.swaps() : []),
    ]);
    this.busy.add(victim);
    this.make(`${name} ${victim.kind}`, () => fault(victim).finally(() => this.busy.delete(victim)));
  }

  /** Chooses a fault caused by peers outside the cluster. */
  private strangers(): [what: string, fault: () => Promise<void>] {
    const { random, fleet } = this;
    return random.pick<[string, () => Promise<void>]>([
      [
        'garbage',
        () => {
          const { frontend, backend, heartbeat } = random.pick(fleet.routers);
          return sendGarbage([frontend, backend, heartbeat], random);
        },
      ],
      ['clients come and go', () => churnClients(frontendsOf(fleet), random)],
      [
        'connections come and go',
        () =>
          churnConnections(
            fleet.of('gateway').map(({ url }) => url),
            random,
          ),
      ],
    ]);
  }

  private swaps(): [string, Fault][] {
    return [
      ['compatible contract', (member) => this.swap(member, 'wider')],
      ['incompatible contract', (member) => this.swap(member, 'narrower')],
    ];
  }

  private make(what: string, fault: () => Promise<void>): void {
    this.made.push({ what, at: (performance.now() - this.start) / 1000 });
    const failed = (error: unknown): void => void this.failures.push(`${what}: ${String(error)}`);
    const done = fault()
      .catch(failed)
      .finally(() => this.running.delete(done));
    this.running.add(done);
  }

  private async kill(member: Member): Promise<void> {
    await member.kill();
    await this.comeBack(member);
  }

  private async restart(member: Member): Promise<void> {
    await member.stop();
    await this.comeBack(member);
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
    await sleep(this.random.between(SWAP.least, SWAP.most));
    await member.stop();
    await this.comeBack(member);
  }

  private async comeBack(member: Member): Promise<void> {
    await sleep(this.random.between(100, 1500));
    await member.start();
    if (member.kind === 'gateway') await isReady(member.url);
  }
}

function frontendsOf({ routers }: Cluster): string[] {
  return routers.map(({ frontend }) => frontend);
}

/**
 * Waits, like a load balancer, until a gateway reports that it is ready; at most about a minute.
 */
export async function isReady(url: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await sleep(100);
  }
  throw new Error(`${url} does not become ready`);
}
