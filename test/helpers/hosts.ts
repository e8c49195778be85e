/** Hosts of their own on one machine: network namespaces on a bridge (iproute2, root). */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Cleanup } from './scope.ts';

/** Nobody has this hardware address: what is sent there is lost without a word. */
const NOWHERE = '02:00:00:00:de:ad';

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

/** Why hosts cannot be had here; undefined when they can. Leaves nothing behind. */
export function noHosts(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (spawnSync('ip', ['-V']).status !== 0) return 'needs iproute2';
  const name = `zgtry${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name]).status === 0;
  const linked = made && spawnSync('ip', ['link', 'add', name, 'type', 'bridge']).status === 0;
  if (linked) spawnSync('ip', ['link', 'del', name]);
  if (made) spawnSync('ip', ['netns', 'del', name]);
  return linked ? undefined : 'needs network namespaces and bridges, which this machine refuses';
}

/** One host. */
export class Host {
  private readonly outside: string;

  constructor(
    private readonly namespace: string,
    readonly address: string,
    bridge: string,
  ) {
    this.outside = namespace;
    ip('netns', 'add', namespace);
    ip('link', 'add', this.outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('link', 'set', this.outside, 'master', bridge, 'up');
    ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
  }

  /** What to put before a command for it to run there. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.namespace];
  }

  /** Nothing gets in or out any more, and nobody is told. */
  cutOff(): void {
    ip('link', 'set', this.outside, 'nomaster');
  }

  /** As before `cutOff`. */
  plugIn(bridge: string): void {
    ip('link', 'set', this.outside, 'master', bridge);
  }

  /** What it sends to another host is lost; what that one sends still comes. */
  loseTowards({ address }: Host): void {
    ip(
      '-n',
      this.namespace,
      'neighbour',
      'replace',
      address,
      'lladdr',
      NOWHERE,
      'nud',
      'permanent',
      'dev',
      'eth0',
    );
  }

  /** As before `loseTowards`. */
  findAgain({ address }: Host): void {
    ip('-n', this.namespace, 'neighbour', 'delete', address, 'dev', 'eth0');
  }

  remove(): void {
    spawnSync('ip', ['netns', 'del', this.namespace]);
    spawnSync('ip', ['link', 'del', this.outside]);
  }
}

/** A bridge, and hosts on it. The test's own process is on it too. */
export class Network {
  readonly bridge = `zg${process.pid}`;
  private readonly subnet: string;
  private count = 0;

  constructor(private readonly cleanup: Cleanup) {
    this.subnet = freeSubnet();
    ip('link', 'add', this.bridge, 'type', 'bridge');
    cleanup.after(() => void spawnSync('ip', ['link', 'del', this.bridge]));
    ip('address', 'add', `${this.subnet}.254/24`, 'dev', this.bridge);
    ip('link', 'set', this.bridge, 'up');
  }

  host(): Host {
    this.count += 1;
    const host = new Host(`${this.bridge}h${this.count}`, `${this.subnet}.${this.count}`, this.bridge);
    this.cleanup.after(() => host.remove());
    return host;
  }
}

/** The first three numbers of addresses that no interface here has. */
function freeSubnet(): string {
  const routes = readFileSync('/proc/net/fib_trie', 'utf8');
  for (let third = process.pid % 256, tries = 0; tries < 256; tries += 1, third = (third + 1) % 256) {
    if (!routes.includes(`10.213.${third}.`)) return `10.213.${third}`;
  }
  throw new Error('no free subnet in 10.213.0.0/16');
}
