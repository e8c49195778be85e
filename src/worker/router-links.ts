/**
 * The links of a worker: one to each router that its targets stand for. With a DNS name, routers
 * appear and vanish. A link to a vanished router says goodbye, finishes the requests it holds, and
 * closes. A router that is reached under two addresses gets one link.
 */
import type { Logger } from '../core/logging/logging.ts';
import type { ZeroMQConnection } from '../transport/addressing/connection.ts';
import { Discovery, type DiscoveryOptions, type DiscoveryOwner } from '../transport/addressing/discovery.ts';
import type { Target } from '../transport/addressing/targets.ts';
import { RouterLink, type RouterLinkOwner } from './router-link.ts';
import type { RouterLinkOptions } from './router-link-options.ts';

/** Options of the links of a worker. */
export interface RouterLinksOptions extends DiscoveryOptions, Omit<RouterLinkOptions, 'connection'> {
  readonly places: readonly Target[];
}

/** A link and the router to which it leads. */
interface Entry {
  readonly connection: ZeroMQConnection;
  readonly link: RouterLink;
  router: string | undefined;
}

export class RouterLinks implements DiscoveryOwner {
  /** Entries by connection string. */
  private readonly entries = new Map<string, Entry>();
  /** Links that only finish the requests they hold. */
  private readonly leaving = new Map<string, RouterLink>();
  /** Connections that appeared again while their link drains. */
  private readonly returning = new Map<string, ZeroMQConnection>();
  /** Connections to a router that another link already reaches. */
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

  /** All links, including those that drain. */
  get all(): readonly RouterLink[] {
    return [...[...this.entries.values()].map(({ link }) => link), ...this.leaving.values()];
  }

  /** Whether the hello of a link states that the worker was rejected. */
  wasRefused({ standing }: RouterLink): boolean {
    const others = [...this.entries.values()].map(({ link }) => link.standing);
    return standing.wasRefused(others.filter((other) => other !== standing));
  }

  open(): void {
    this.discovery.start();
  }

  /** Stops opening and draining links; those that drain are cut when they are closed. */
  stop(): void {
    this.closed = true;
    this.discovery.stop();
  }

  /** Stops all waiting. */
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

  /** Called when a router has sent its identity. The link that reached it first keeps it. */
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

  /** An address has vanished: another address of the same router may be needed now. */
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
