/**
 * Several hosts on one machine: network namespaces connected by a bridge. Needs iproute2 and root.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Cleanup } from './scope.ts';

/** An unused hardware address: packets sent to it are lost without an error. */
const NOWHERE = '02:00:00:00:de:ad';

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

/** Returns why hosts cannot be created here, or undefined if they can. Removes what it creates. */
export function hostsSkipReason(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (spawnSync('ip', ['-V']).status !== 0) return 'needs iproute2';
  const name = `zgtry${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name]).status === 0;
  const linked = made && spawnSync('ip', ['link', 'add', name, 'type', 'bridge']).status === 0;
  if (linked) spawnSync('ip', ['link', 'del', name]);
  if (made) spawnSync('ip', ['netns', 'del', name]);
  return linked ? undefined : 'needs network namespaces and bridges, which this machine does not allow';
}

/** One host. */
export class Host {
  private readonly interfaceName: string;

  constructor(
    private readonly namespace: string,
    readonly address: string,
    bridge: string,
  ) {
    this.interfaceName = namespace;
    ip('netns', 'add', namespace);
    ip('link', 'add', this.interfaceName, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('link', 'set', this.interfaceName, 'master', bridge, 'up');
    ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
  }

  /** Arguments to put before a command so that it runs on the host. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.namespace];
  }

  /** Lets programs on the host resolve names with this DNS server, which listens on port 53. */
  useNameServer(address: string): void {
    mkdirSync(this.settings, { recursive: true });
    writeFileSync(path.join(this.settings, 'resolv.conf'), `nameserver ${address}\nsearch .\n`);
  }

  /** Folder whose files `ip netns exec` mounts in place of those in /etc. */
  private get settings(): string {
    return path.join('/etc/netns', this.namespace);
  }

  /** Disconnects the host silently: no packets enter or leave. */
  disconnect(): void {
    ip('link', 'set', this.interfaceName, 'nomaster');
  }

  /** Reverts `disconnect`. */
  reconnect(bridge: string): void {
    ip('link', 'set', this.interfaceName, 'master', bridge);
  }

  /**
   * Loses the packets that this host sends to another one. Packets in the other direction still
   * arrive.
   */
  dropTowards({ address }: Host): void {
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

  /** Reverts `dropTowards`. */
  restoreTowards({ address }: Host): void {
    ip('-n', this.namespace, 'neighbour', 'delete', address, 'dev', 'eth0');
  }

  remove(): void {
    spawnSync('ip', ['netns', 'del', this.namespace]);
    spawnSync('ip', ['link', 'del', this.interfaceName]);
    rmSync(this.settings, { recursive: true, force: true });
  }
}

/** A bridge and the hosts connected to it. The process of the test is connected to it, too. */
export class Network {
  readonly bridge = `zg${process.pid}`;
  private readonly subnet: string;
  private count = 0;

  constructor(private readonly cleanup: Cleanup) {
    this.subnet = freeSubnet();
    ip('link', 'add', this.bridge, 'type', 'bridge');
    cleanup.after(() => void spawnSync('ip', ['link', 'del', this.bridge]));
    ip('address', 'add', `${this.address}/24`, 'dev', this.bridge);
    ip('link', 'set', this.bridge, 'up');
  }

  /** Address of the process of the test. */
  get address(): string {
    return `${this.subnet}.254`;
  }

  host(): Host {
    this.count += 1;
    const host = new Host(`${this.bridge}h${this.count}`, `${this.subnet}.${this.count}`, this.bridge);
    this.cleanup.after(() => host.remove());
    return host;
  }
}

/** Returns the first three numbers of a subnet that no interface of this machine uses. */
function freeSubnet(): string {
  const routes = readFileSync('/proc/net/fib_trie', 'utf8');
  for (let third = process.pid % 256, tries = 0; tries < 256; tries += 1, third = (third + 1) % 256) {
    if (!routes.includes(`10.213.${third}.`)) return `10.213.${third}`;
  }
  throw new Error('found no free subnet in 10.213.0.0/16');
}
