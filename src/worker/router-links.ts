/**
 * The links of a worker: one to each router that its targets stand for. With a DNS name, routers
 * appear and vanish. A link to a vanished router says goodbye, finishes the requests it holds, and
 * closes. A router that is reached under two addresses gets one link.
 */
import type { Logger } from '../core/logging/logging.ts';
import type { ZeroMQConnection } from '../transport/addressing/connection.ts';
import { Discovery, type DiscoveryOptions, type DiscoveryOwner } from '../transport/addressing/discovery.ts';
import type { Target } from '../transport/addressing/targets.ts';
import { watchTrouble } from '../transport/socket/connection-trouble.ts';
import { RouterAccess } from './router-access.ts';
import type { RouterCallLink } from './router-call-link.ts';
import { RouterLink, type RouterLinkOwner } from './router-link.ts';
import type { RouterLinkOptions } from './router-link-options.ts';

/** Options of the links of a worker. */
export interface RouterLinksOptions extends DiscoveryOptions, Omit<RouterLinkOptions, 'connection'> {
  readonly targets: readonly Target[];
  /** Called whenever a router accepts the worker. */
  readonly onAccepted: () => void;
}

/** A link and the router to which it leads. */
interface Entry {
  readonly connection: ZeroMQConnection;
  readonly link: RouterLink;
  readonly access: RouterAccess;
  router: string | undefined;
}

export class RouterLinks implements DiscoveryOwner {
  /** Entries by connection string. */
  private readonly entries = new Map<string, Entry>();
  /** Links that only finish the requests they hold. */
  private readonly draining = new Map<string, RouterLink>();
  /** Connections that appeared again while their link drains. */
  private readonly returning = new Map<string, ZeroMQConnection>();
  /** Connections to a router that another link already reaches. */
  private readonly duplicates = new Map<string, ZeroMQConnection>();
  private readonly discovery: Discovery;
  private readonly logger: Logger;
  private readonly cut = new AbortController();
  private closed = false;

  constructor(
    private readonly options: RouterLinksOptions,
    private readonly owner: RouterLinkOwner,
  ) {
    this.logger = options.logger;
    this.discovery = new Discovery(options.targets, options, this);
  }

  /** All links, including those that drain. */
  get all(): readonly RouterLink[] {
    return [...[...this.entries.values()].map(({ link }) => link), ...this.draining.values()];
  }

  /** The links as calls of handlers see them. */
  get callLinks(): readonly RouterCallLink[] {
    return this.all.map(({ callLink }) => callLink);
  }

  /** The access to each router, without those that drain. */
  get accesses(): readonly RouterAccess[] {
    return [...this.entries.values()].map(({ access }) => access);
  }

  /** The access to the router of a link; undefined if the link drains. */
  accessOf(link: RouterLink): RouterAccess | undefined {
    return [...this.entries.values()].find((entry) => entry.link === link)?.access;
  }

  /** Whether the hello of a link reports that the worker was refused. */
  reportsRefusal({ helloAnswer }: RouterLink): boolean {
    const others = [...this.entries.values()].map(({ link }) => link.helloAnswer);
    return helloAnswer.reportsRefusal(others.filter((other) => other !== helloAnswer));
  }

  open(): void {
    this.discovery.start();
  }

  /** Replaces the routers. Links to routers that are no longer listed drain. */
  useTargets(targets: readonly Target[]): void {
    this.discovery.useTargets(targets);
  }

  /** Stops opening and draining links. Links that drain are closed with all others. */
  stop(): void {
    this.closed = true;
    for (const access of this.accesses) access.close();
    this.discovery.stop();
  }

  /** Stops all waiting. */
  abort(): void {
    this.stop();
    this.cut.abort();
  }

  appeared(connection: ZeroMQConnection): void {
    const key = connection.toString();
    if (this.draining.has(key)) this.returning.set(key, connection);
    else this.add(key, connection);
  }

  vanished(connection: ZeroMQConnection): void {
    const key = connection.toString();
    this.returning.delete(key);
    this.duplicates.delete(key);
    this.remove(key);
  }

  /** Called when a router has sent its identity. Only the link that reached it first stays open. */
  identified(link: RouterLink, router: string): void {
    for (const [key, entry] of this.entries)
      if (entry.link === link) this.closeIfDuplicate(key, entry, router);
  }

  private closeIfDuplicate(key: string, entry: Entry, router: string): void {
    entry.router = router;
    for (const [otherKey, other] of this.entries) {
      if (other === entry || other.router !== router) continue;
      this.logger.warn(
        { router, places: [otherKey, key] },
        'two addresses belong to one router; only the first is used',
      );
      this.remove(key);
      this.duplicates.set(key, entry.connection);
      return;
    }
  }

  private add(key: string, connection: ZeroMQConnection): void {
    const access = new RouterAccess(key, this.logger, this.options.onAccepted);
    const link = new RouterLink({ ...this.options, connection }, this.owner);
    const { monitor } = link;
    const encrypted = this.options.curve !== undefined;
    watchTrouble({ monitor, connection, encrypted }, (reason) => access.failed(reason));
    this.entries.set(key, { connection, link, access, router: undefined });
    this.updateRouterCount();
    link.open();
  }

  private remove(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    entry.access.close();
    this.entries.delete(key);
    this.updateRouterCount();
    this.draining.set(key, entry.link);
    void entry.link.retire(this.cut.signal).then(() => this.drained(key, entry.link));
  }

  private drained(key: string, link: RouterLink): void {
    if (this.closed) return;
    link.close();
    this.draining.delete(key);
    const returned = this.returning.get(key);
    this.returning.delete(key);
    if (returned !== undefined) this.add(key, returned);
    else if (!this.duplicates.has(key)) this.openDuplicates();
  }

  /** An address has vanished: another address of the same router may be needed now. */
  private openDuplicates(): void {
    for (const [key, connection] of this.duplicates) {
      if (this.draining.has(key)) continue;
      this.duplicates.delete(key);
      this.add(key, connection);
    }
  }

  private updateRouterCount(): void {
    this.owner.credit.routers = this.entries.size;
  }
}
