/**
 * The links of a worker: one to each router that its places stand for. They come and go with a DNS name; one that goes
 * says goodbye, finishes what it holds, and closes. A router that is reached under two addresses is worked for once.
 */
import type { Logger } from '../core/logging/logging.ts';
import type { ZeroMQConnection } from '../transport/addressing/connection.ts';
import { Discovery, type DiscoveryOptions, type DiscoveryOwner } from '../transport/addressing/discovery.ts';
import type { Target } from '../transport/addressing/targets.ts';
import { RouterLink, type RouterLinkOwner } from './router-link.ts';
import type { RouterLinkOptions } from './router-link-options.ts';

/** Options of a set. */
export interface RouterLinksOptions extends DiscoveryOptions, Omit<RouterLinkOptions, 'connection'> {
  readonly places: readonly Target[];
}

/** A link, and which router it was found to lead to. */
interface Entry {
  readonly connection: ZeroMQConnection;
  readonly link: RouterLink;
  router: string | undefined;
}

export class RouterLinks implements DiscoveryOwner {
  /** By connection string. */
  private readonly entries = new Map<string, Entry>();
  /** Links that only finish what they hold. */
  private readonly leaving = new Map<string, RouterLink>();
  /** Connections that are wanted again while their link leaves. */
  private readonly returning = new Map<string, ZeroMQConnection>();
  /** Connections that lead where another one does. */
  private readonly twins = new Map<string, ZeroMQConnection>();
  private readonly discovery: Discovery;
  private readonly logger: Logger;
  private readonly cut = new AbortController();
  private closed = false;

  constructor(
    private readonly options: RouterLinksOptions,
    private readonly owner: RouterLinkOwner,
  ) {
    this.logger = options.logger;
    this.discovery = new Discovery(options.places, options, this);
  }

  /** All links, those that leave included. */
  get all(): readonly RouterLink[] {
    return [...[...this.entries.values()].map(({ link }) => link), ...this.leaving.values()];
  }

  /** Whether the hello of a link says that the worker was refused. */
  wasRefused({ standing }: RouterLink): boolean {
    const others = [...this.entries.values()].map(({ link }) => link.standing);
    return standing.wasRefused(others.filter((other) => other !== standing));
  }

  open(): void {
    this.discovery.start();
  }

  /** No link comes or goes any more; those that leave are cut when they are closed. */
  stop(): void {
    this.closed = true;
    this.discovery.stop();
  }

  /** Nothing is waited for any more. */
  abort(): void {
    this.stop();
    this.cut.abort();
  }

  appeared(connection: ZeroMQConnection): void {
    const key = connection.toString();
    if (this.leaving.has(key)) this.returning.set(key, connection);
    else this.add(key, connection);
  }

  vanished(connection: ZeroMQConnection): void {
    const key = connection.toString();
    this.returning.delete(key);
    this.twins.delete(key);
    this.remove(key);
  }

  /** A router said who it is. The link that knew it first keeps it. */
  identified(link: RouterLink, router: string): void {
    for (const [key, entry] of this.entries) if (entry.link === link) this.compare(key, entry, router);
  }

  private compare(key: string, entry: Entry, router: string): void {
    entry.router = router;
    for (const [place, other] of this.entries) {
      if (other === entry || other.router !== router) continue;
      this.logger.warn(
        { router, places: [place, key] },
        'two addresses lead to one router; one of them is used',
      );
      this.remove(key);
      this.twins.set(key, entry.connection);
      return;
    }
  }

  private add(key: string, connection: ZeroMQConnection): void {
    const link = new RouterLink({ ...this.options, connection }, this.owner);
    this.entries.set(key, { connection, link, router: undefined });
    this.count();
    link.open();
  }

  private remove(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.count();
    this.leaving.set(key, entry.link);
    void entry.link.retire(this.cut.signal).then(() => this.left(key, entry.link));
  }

  private left(key: string, link: RouterLink): void {
    if (this.closed) return;
    link.close();
    this.leaving.delete(key);
    const returned = this.returning.get(key);
    this.returning.delete(key);
    if (returned !== undefined) this.add(key, returned);
    else if (!this.twins.has(key)) this.tryTwins();
  }

  /** An address is gone: one that led to the same router may be needed now. */
  private tryTwins(): void {
    for (const [key, connection] of this.twins) {
      if (this.leaving.has(key)) continue;
      this.twins.delete(key);
      this.add(key, connection);
    }
  }

  private count(): void {
    this.owner.credit.parties = this.entries.size;
  }
}
