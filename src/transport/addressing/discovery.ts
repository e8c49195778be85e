/**
 * Tracks the connections that targets stand for. The connections of a list are fixed; those of a DNS
 * name can change with each look-up. A look-up that fails or finds nothing changes nothing: a router
 * is dropped only when the name no longer lists it, not when DNS is unavailable.
 */

import type { Logger } from '../../core/logging/logging.ts';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import { TroubleLog } from '../../core/observability/trouble-log.ts';
import { Backoff } from '../../core/time/backoff.ts';
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import { type ZeroMQConnection, ZeroMQTCPConnection } from './connection.ts';
import { type DnsResolver, serverResolver, systemResolver } from './resolver.ts';
import { DnsTarget, type Target } from './targets.ts';

/** Options for looking up `dns://` targets. */
export interface DnsOptions {
  /**
   * Resolves the names.
   *
   * @defaultValue the DNS server in the URL, or else the resolver of the system
   */
  readonly resolver?: DnsResolver;
  /**
   * Interval of look-ups in milliseconds, varied by up to a tenth.
   *
   * @defaultValue 5,000
   */
  readonly interval?: number;
}

/** Callbacks of a discovery. */
export interface DiscoveryOwner {
  /** A new connection is listed. */
  appeared(connection: ZeroMQConnection): void;
  /** No target lists the connection any longer. */
  vanished(connection: ZeroMQConnection): void;
}

/** Options of a discovery. */
export interface DiscoveryOptions {
  readonly dns?: DnsOptions;
  readonly logger: Logger;
  readonly clock?: Clock;
}

const DEFAULT_INTERVAL = 5000;
/** Random share of the interval: nodes that started together spread their look-ups. */
const SPREAD = 0.1;
/** Interval of look-ups until a name is first resolved, in ms. */
const FIRST_RETRY = 250;

/** The connections of a node; see the head of this file. */
export class Discovery {
  private watches: readonly NameWatch[] = [];
  /** Names that were added while nodes of former targets are connected. */
  private added: readonly NameWatch[] = [];
  private readonly known = new Map<string, ZeroMQConnection>();
  private fixed: readonly ZeroMQConnection[] = [];
  private started = false;

  /** @throws {ZeroMQConfigError} when the interval is invalid */
  constructor(
    targets: readonly Target[],
    private readonly options: DiscoveryOptions,
    private readonly owner: DiscoveryOwner,
  ) {
    checkDns(options.dns);
    this.useTargets(targets);
  }

  /**
   * Replaces the targets. Connections that they no longer list vanish once each new name was
   * resolved.
   */
  useTargets(targets: readonly Target[]): void {
    const before = new Map(this.watches.map((watch) => [watch.name, watch]));
    this.fixed = targets.filter((target): target is ZeroMQConnection => !(target instanceof DnsTarget));
    this.watches = targets.flatMap((target) => {
      if (!(target instanceof DnsTarget)) return [];
      return before.get(String(target)) ?? new NameWatch(target, this.options, () => this.changed());
    });
    for (const watch of before.values()) if (!this.watches.includes(watch)) watch.stop();
    if (!this.started) return;
    this.added = this.watches.filter((watch) => !before.has(watch.name));
    this.changed();
    for (const watch of this.added) watch.start();
  }

  /** Reports the connections of lists immediately, and starts to look up names. */
  start(): void {
    this.started = true;
    this.changed();
    for (const watch of this.watches) watch.start();
  }

  stop(): void {
    for (const watch of this.watches) watch.stop();
  }

  /** Adds new connections first, so that a node that moves between routers always has one. */
  private changed(): void {
    const current = new Map<string, ZeroMQConnection>();
    for (const each of this.fixed) current.set(each.toString(), each);
    for (const { found } of this.watches) for (const each of found) current.set(each.toString(), each);
    this.added = this.added.filter(({ found }) => found.length === 0);
    const removed = this.added.length > 0 ? [] : [...this.known].filter(([key]) => !current.has(key));
    for (const [key, connection] of current) {
      if (this.known.has(key)) continue;
      this.known.set(key, connection);
      this.owner.appeared(connection);
    }
    for (const [key, connection] of removed) {
      this.known.delete(key);
      this.owner.vanished(connection);
    }
  }
}

/**
 * Validates the DNS options.
 *
 * @throws {ZeroMQConfigError} when an option is invalid; the message names it
 */
export function checkDns(dns: DnsOptions | undefined): void {
  const { interval = DEFAULT_INTERVAL } = dns ?? {};
  if (Number.isFinite(interval) && interval >= 10) return;
  throw new ZeroMQConfigError(`dns.interval must be at least 10 ms, got ${String(interval)}`);
}

/** A name that is looked up repeatedly. */
class NameWatch {
  /** The connections of the last successful look-up. */
  found: readonly ZeroMQConnection[] = [];
  private readonly resolver: DnsResolver;
  private readonly interval: number;
  private readonly clock: Clock;
  private readonly backoff: Backoff;
  /** Last known addresses of the hosts in SRV records. */
  private readonly hosts = new Map<string, readonly string[]>();
  private cancel: Cancel | undefined;
  private stopped = false;
  private readonly trouble: TroubleLog;

  constructor(
    private readonly target: DnsTarget,
    private readonly options: DiscoveryOptions,
    private readonly changed: () => void,
  ) {
    const { dns = {}, clock = systemClock } = options;
    const { server } = target;
    this.resolver = dns.resolver ?? (server === undefined ? systemResolver : serverResolver(server));
    this.interval = dns.interval ?? DEFAULT_INTERVAL;
    this.trouble = new TroubleLog((reason) => this.log(reason), clock);
    this.clock = clock;
    this.backoff = new Backoff({ initial: Math.min(FIRST_RETRY, this.interval), max: this.interval });
  }

  /** The target as text. */
  get name(): string {
    return String(this.target);
  }

  start(): void {
    void this.lookUp();
  }

  stop(): void {
    this.stopped = true;
    this.trouble.end();
    this.cancel?.();
  }

  private async lookUp(): Promise<void> {
    let found: readonly ZeroMQConnection[] = [];
    let cause: unknown = new Error('the name has no addresses');
    try {
      found = await this.resolve();
    } catch (error) {
      cause = error;
    }
    if (this.stopped) return;
    if (found.length === 0) this.trouble.note(toError(cause).message);
    else this.succeeded(found);
    const delay = this.found.length === 0 ? this.backoff.next() : this.interval * spread();
    this.cancel = this.clock.after(delay, () => void this.lookUp());
  }

  private async resolve(): Promise<ZeroMQConnection[]> {
    const { name, port } = this.target;
    if (port !== undefined) return toTcp(await this.resolver.addresses(name), port);
    const services = await this.resolver.services(name);
    const found = await Promise.all(
      services.map(async (service) => toTcp(await this.addressesOf(service.name), service.port)),
    );
    return found.flat();
  }

  /** A host that cannot be resolved must not affect the others. */
  private async addressesOf(host: string): Promise<readonly string[]> {
    try {
      const found = await this.resolver.addresses(host);
      this.hosts.set(host, found);
      return found;
    } catch {
      return this.hosts.get(host) ?? [];
    }
  }

  private succeeded(found: readonly ZeroMQConnection[]): void {
    if (this.trouble.end())
      this.options.logger.info({ place: String(this.target) }, 'the DNS name resolves again');
    this.found = found;
    this.changed();
  }

  private log(cause: string): void {
    this.options.logger.warn(
      { place: String(this.target), cause, kept: this.found.map(String) },
      'cannot resolve the DNS name; known addresses stay in use, and the look-up is repeated',
    );
  }
}

function toTcp(addresses: readonly string[], port: number): ZeroMQConnection[] {
  return addresses.map((address) => new ZeroMQTCPConnection(port, address));
}

function spread(): number {
  return 1 - SPREAD + 2 * SPREAD * Math.random();
}
