/**
 * Who serves what: events, and groups of workers that serve the same ones.
 *
 * Workers with identical events, of one version of a contract, form a group. A group has one ready list of workers with
 * credit and one list of events that have requests waiting, so a credit that comes or goes touches the group and not each of its events.
 * Workers that announce nothing form the wildcard group, which serves every event that no worker ever announced. An
 * event that was announced, and whose workers are away, waits for them. An event that no worker announces has a state
 * only while requests for it wait.
 */
import { type Linked, LinkedList } from '../../core/collections/linked-list.ts';
import { Pace } from '../../core/time/pace.ts';
import { FairQueue } from './fair-queue.ts';
import { PastEvents } from './past-events.ts';
import type { Worker, WorkerGroup } from './worker.ts';

/** An event in the backlog of a group. */
export class Link implements Linked<Link> {
  before: Link | undefined = undefined;
  after: Link | undefined = undefined;

  constructor(
    readonly event: EventState,
    readonly group: Group,
  ) {}
}

/** An event that is served, or for which requests wait. */
export class EventState {
  readonly queue: FairQueue = new FairQueue();
  /** How long its requests are at a worker. */
  readonly pace = new Pace();
  readonly links: Link[] = [];
  /** The groups that serve it, those of the highest rank first, in the order of `links`. */
  readonly groups: Group[] = [];
  /** No worker announces it. */
  stray = true;
  /** Its last worker left a moment ago; requests wait for another one. */
  inGrace = false;
  /** Until when, in ms. */
  graceEnd = 0;

  constructor(readonly name: string) {}

  /** The highest rank of the workers that serve it. */
  get topRank(): number {
    return this.groups[0]?.rankOf(this.name) ?? 0;
  }

  /** Makes its groups know that requests wait. */
  list(): void {
    for (const link of this.links) if (!link.group.backlog.has(link)) link.group.backlog.push(link);
  }

  linkTo(group: Group): Link {
    const link = new Link(this, group);
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
  /** Those that may be given a request, in no order. */
  readonly ready: Worker[] = [];
  /** How many of its workers rest for some event. */
  tripped = 0;
  /** Those that share their credit with other routers, and were not asked for more. */
  private readonly generous = new Set<Worker>();
  /** Events that have, or lately had, requests waiting. */
  readonly backlog = new LinkedList<Link>();

  /** @param names its events; undefined for the wildcard group. */
  constructor(
    readonly key: string,
    readonly names: readonly string[] | undefined,
    private readonly ranks: ReadonlyMap<string, number> | undefined = undefined,
  ) {}

  /** The rank of its workers at an event; see `WorkerInfo`. */
  rankOf(eventName: string): number {
    return this.ranks?.get(eventName) ?? 0;
  }

  /** Puts the worker into the ready list, or takes it out, as it is eligible. */
  refresh(worker: Worker): void {
    if (worker.eligible) {
      if (worker.place < 0) worker.place = this.ready.push(worker) - 1;
    } else if (worker.place >= 0) this.takeOut(worker);
  }

  add(worker: Worker): void {
    this.workers.add(worker);
    worker.group = this;
    if (worker.tripped > 0) this.tripped++;
    if (worker.shares && !worker.asked) this.generous.add(worker);
    this.refresh(worker);
  }

  /** Requests wait: whoever has credit elsewhere is asked for more of it, once. */
  askForCredit(): void {
    for (const worker of this.generous) {
      worker.asked = true;
      worker.port.want?.();
    }
    this.generous.clear();
  }

  /** The worker may be asked for more credit again. */
  mayAsk(worker: Worker): void {
    worker.asked = false;
    if (worker.shares) this.generous.add(worker);
  }

  remove(worker: Worker): void {
    this.workers.delete(worker);
    this.generous.delete(worker);
    worker.group = undefined;
    if (worker.tripped > 0) this.tripped--;
    if (worker.place >= 0) this.takeOut(worker);
  }

  private takeOut(worker: Worker): void {
    const last = this.ready.pop();
    if (last !== undefined && last !== worker) {
      this.ready[worker.place] = last;
      last.place = worker.place;
    }
    worker.place = -1;
  }
}

const NO_GROUPS: readonly Group[] = [];

/** All events and groups. */
export class EventTable {
  readonly events = new Map<string, EventState>();
  readonly wildcard = new Group('*', undefined);
  /** Events that were announced, and whose workers are away. */
  readonly past = new PastEvents();
  private readonly wildcardOnly: readonly Group[] = [this.wildcard];
  readonly strays = new Set<EventState>();
  /** Names of events that an operator has wait. */
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

  /** Gives a worker its group, by the events it has. */
  join(worker: Worker): void {
    const group = worker.events === undefined ? this.wildcard : this.groupFor(worker.events, worker.ranks);
    if (group === this.wildcard && group.workers.size === 0) {
      for (const event of this.strays) if (!this.past.has(event.name)) event.linkTo(group);
    }
    group.add(worker);
  }

  /** Takes a worker out of its group. Returns the events that no worker announces or serves now. */
  leave(worker: Worker): EventState[] {
    const { group } = worker;
    if (!(group instanceof Group)) return [];
    group.remove(worker);
    if (group.workers.size > 0) return [];
    return group.names === undefined ? this.closeWildcard() : this.closeGroup(group, group.names);
  }

  /** The state for an event that nobody announced; undefined when there are `limit` of them already. */
  openUnannounced(name: string, limit: number): EventState | undefined {
    if (this.strays.size >= limit) return undefined;
    const event = new EventState(name);
    this.events.set(name, event);
    this.strays.add(event);
    if (this.isServed(name, undefined)) event.linkTo(this.wildcard);
    return event;
  }

  /** Forgets an event that nobody announced, once nothing waits for it. */
  dropStray(event: EventState): void {
    if (!event.stray || event.inGrace || event.queue.length > 0 || !this.strays.delete(event)) return;
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
      } else if (event.stray) {
        this.strays.delete(event);
        event.unlinkFrom(this.wildcard);
      }
      this.past.delete(name);
      event.stray = false;
      event.inGrace = false;
      event.linkTo(group);
    }
    return group;
  }

  private closeWildcard(): EventState[] {
    const served = [...this.strays].filter((event) => event.groups.includes(this.wildcard));
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
      event.stray = true;
      this.strays.add(event);
      this.past.add(name);
      orphans.push(event);
    }
    return orphans;
  }
}
