/**
 * Which workers serve which events.
 *
 * Workers with identical events, of one version of a contract, form a group. A group has one ready
 * list of workers with credit and one list of events with queued requests, so that a change of
 * credit touches the group and not each of its events. Workers that announce no events form the
 * wildcard group, which serves every event that no worker ever announced. Requests for an event
 * whose workers left wait for these workers. An unannounced event has a state only while requests
 * for it are queued.
 */
import { type Linked, LinkedList } from '../../core/collections/linked-list.ts';
import { Pace } from '../../core/time/pace.ts';
import { FairQueue } from './fair-queue.ts';
import { PastEvents } from './past-events.ts';
import type { Worker, WorkerGroup } from './worker.ts';

/** An event in the backlog of a group. */
export class GroupEvent implements Linked<GroupEvent> {
  before: GroupEvent | undefined = undefined;
  after: GroupEvent | undefined = undefined;

  constructor(
    readonly event: EventState,
    readonly group: Group,
  ) {}
}

/** An event that a worker serves, or that requests are queued for. */
export class EventState {
  readonly queue: FairQueue = new FairQueue();
  /** Usual time that its requests spend at a worker. */
  readonly pace = new Pace();
  readonly links: GroupEvent[] = [];
  /** The groups that serve it, highest rank first; in the order of `links`. */
  readonly groups: Group[] = [];
  /** Whether no worker announces it. */
  unannounced = true;
  /** Whether its last worker left recently and requests still wait for another one. */
  inGrace = false;
  /** End of that grace period, in ms. */
  graceEnd = 0;

  constructor(readonly name: string) {}

  /** The highest rank among the workers that serve it. */
  get topRank(): number {
    return this.groups[0]?.rankOf(this.name) ?? 0;
  }

  /** Adds it to the backlogs of its groups. */
  listInGroups(): void {
    for (const link of this.links) if (!link.group.backlog.has(link)) link.group.backlog.push(link);
  }

  linkTo(group: Group): GroupEvent {
    const link = new GroupEvent(this, group);
    const rank = group.rankOf(this.name);
    const lower = this.groups.findIndex((other) => other.rankOf(this.name) < rank);
    const index = lower < 0 ? this.groups.length : lower;
    this.links.splice(index, 0, link);
    this.groups.splice(index, 0, group);
    if (this.queue.length > 0) group.backlog.push(link);
    return link;
  }

  unlinkFrom(group: Group): void {
    const index = this.groups.indexOf(group);
    const link = this.links[index];
    if (link === undefined) return;
    group.backlog.remove(link);
    this.links.splice(index, 1);
    this.groups.splice(index, 1);
  }
}

/** Workers that serve the same events in the same version. */
export class Group implements WorkerGroup {
  readonly workers = new Set<Worker>();
  /** Workers that may be given a request, in no particular order. */
  readonly ready: Worker[] = [];
  /** Number of its workers with a breaker that is not closed. */
  tripped = 0;
  /** Workers that share their credit with other routers and have not been asked for more. */
  private readonly creditSharers = new Set<Worker>();
  /** Events that have, or recently had, queued requests. */
  readonly backlog = new LinkedList<GroupEvent>();

  /** @param names its events; undefined for the wildcard group. */
  constructor(
    readonly key: string,
    readonly names: readonly string[] | undefined,
    private readonly ranks: ReadonlyMap<string, number> | undefined = undefined,
  ) {}

  /** Rank of its workers for an event; see {@link WorkerInfo}. */
  rankOf(eventName: string): number {
    return this.ranks?.get(eventName) ?? 0;
  }

  /** Adds the worker to the ready list or removes it, as its state requires. */
  refresh(worker: Worker): void {
    if (worker.eligible) {
      if (worker.readyIndex < 0) worker.readyIndex = this.ready.push(worker) - 1;
    } else if (worker.readyIndex >= 0) this.removeFromReady(worker);
  }

  add(worker: Worker): void {
    this.workers.add(worker);
    worker.group = this;
    if (worker.tripped > 0) this.tripped++;
    if (worker.sharesCredit && !worker.creditRequested) this.creditSharers.add(worker);
    this.refresh(worker);
  }

  /** Asks each worker that has credit at other routers for more of it, once. */
  askForCredit(): void {
    for (const worker of this.creditSharers) {
      worker.creditRequested = true;
      worker.port.requestCredit?.();
    }
    this.creditSharers.clear();
  }

  /** Allows the worker to be asked for more credit again. */
  allowCreditRequest(worker: Worker): void {
    worker.creditRequested = false;
    if (worker.sharesCredit) this.creditSharers.add(worker);
  }

  remove(worker: Worker): void {
    this.workers.delete(worker);
    this.creditSharers.delete(worker);
    worker.group = undefined;
    if (worker.tripped > 0) this.tripped--;
    if (worker.readyIndex >= 0) this.removeFromReady(worker);
  }

  private removeFromReady(worker: Worker): void {
    const last = this.ready.pop();
    if (last !== undefined && last !== worker) {
      this.ready[worker.readyIndex] = last;
      last.readyIndex = worker.readyIndex;
    }
    worker.readyIndex = -1;
  }
}

const NO_GROUPS: readonly Group[] = [];

/** All events and groups. */
export class EventTable {
  readonly events = new Map<string, EventState>();
  readonly wildcard = new Group('*', undefined);
  /** Events that were announced before and whose workers left. */
  readonly past = new PastEvents();
  private readonly wildcardOnly: readonly Group[] = [this.wildcard];
  readonly unannounced = new Set<EventState>();
  /** Names of events paused by an operator. */
  readonly paused = new Set<string>();
  private readonly groups = new Map<string, Group>();

  /** The groups that serve an event now. @param event its state, if it has one. */
  groupsOf(name: string, event: EventState | undefined): readonly Group[] {
    if (event !== undefined) return event.groups;
    return this.past.has(name) ? NO_GROUPS : this.wildcardOnly;
  }

  /** Whether a worker serves the event now. @param event its state, if it has one. */
  isServed(name: string, event: EventState | undefined): boolean {
    if (event !== undefined) return event.groups.length > 0;
    return this.wildcard.workers.size > 0 && !this.past.has(name);
  }

  /** Adds a worker to the group of its events. */
  join(worker: Worker): void {
    const group = worker.events === undefined ? this.wildcard : this.groupFor(worker.events, worker.ranks);
    if (group === this.wildcard && group.workers.size === 0) {
      for (const event of this.unannounced) if (!this.past.has(event.name)) event.linkTo(group);
    }
    group.add(worker);
  }

  /**
   * Removes a worker from its group. Returns the events that no worker announces or serves any
   * longer.
   */
  leave(worker: Worker): EventState[] {
    const { group } = worker;
    if (!(group instanceof Group)) return [];
    group.remove(worker);
    if (group.workers.size > 0) return [];
    return group.names === undefined ? this.closeWildcard() : this.closeGroup(group, group.names);
  }

  /** Creates the state of an unannounced event; undefined if there are `limit` of them already. */
  openUnannounced(name: string, limit: number): EventState | undefined {
    if (this.unannounced.size >= limit) return undefined;
    const event = new EventState(name);
    this.events.set(name, event);
    this.unannounced.add(event);
    if (this.isServed(name, undefined)) event.linkTo(this.wildcard);
    return event;
  }

  /** Drops an unannounced event without queued requests. */
  dropUnannounced(event: EventState): void {
    if (!event.unannounced || event.inGrace || event.queue.length > 0 || !this.unannounced.delete(event))
      return;
    event.unlinkFrom(this.wildcard);
    this.events.delete(event.name);
  }

  private groupFor(events: readonly string[], ranks: Worker['ranks']): Group {
    const names = [...new Set(events)].sort();
    const key = JSON.stringify(ranks === undefined || ranks.size === 0 ? names : [names, [...ranks].sort()]);
    const known = this.groups.get(key);
    if (known !== undefined) return known;
    const group = new Group(key, names, ranks);
    this.groups.set(key, group);
    for (const name of names) {
      let event = this.events.get(name);
      if (event === undefined) {
        event = new EventState(name);
        this.events.set(name, event);
      } else if (event.unannounced) {
        this.unannounced.delete(event);
        event.unlinkFrom(this.wildcard);
      }
      this.past.delete(name);
      event.unannounced = false;
      event.inGrace = false;
      event.linkTo(group);
    }
    return group;
  }

  private closeWildcard(): EventState[] {
    const served = [...this.unannounced].filter((event) => event.groups.includes(this.wildcard));
    for (const event of served) event.unlinkFrom(this.wildcard);
    return served;
  }

  private closeGroup(group: Group, names: readonly string[]): EventState[] {
    this.groups.delete(group.key);
    const orphans: EventState[] = [];
    for (const name of names) {
      const event = this.events.get(name);
      if (event === undefined) continue;
      event.unlinkFrom(group);
      if (event.groups.length > 0) continue;
      event.unannounced = true;
      this.unannounced.add(event);
      this.past.add(name);
      orphans.push(event);
    }
    return orphans;
  }
}
