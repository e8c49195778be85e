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
import { EventState, Group, NO_GROUPS } from './event-state.ts';
import { fingerprintOf, GroupIndex, haveSameRanks } from './group-index.ts';
import { PastEvents } from './past-events.ts';
import type { Worker } from './worker.ts';

/** All events and groups. */
export class EventTable {
  readonly events = new Map<string, EventState>();
  readonly wildcard = new Group(undefined);
  /** Events that were announced before and whose workers left. */
  readonly past = new PastEvents();
  readonly unannounced = new Set<EventState>();
  /** Names of events paused by an operator. */
  readonly paused = new Set<string>();
  private readonly groups = new GroupIndex();

  /** @param keepsOrphans whether an event keeps its state when its last worker leaves and no requests are queued. */
  constructor(private readonly keepsOrphans = true) {}

  /** The groups that serve an event now. @param event its state, if it has one. */
  groupsOf(name: string, event: EventState | undefined): readonly Group[] {
    if (event !== undefined) return event.groups;
    return this.past.has(name) ? NO_GROUPS : this.wildcard.alone;
  }

  /** Whether a worker announces the event, or has announced it before. */
  wasAnnounced(name: string): boolean {
    return this.events.get(name)?.unannounced === false || this.past.has(name);
  }

  /** Whether a worker serves the event now. @param event its state, if it has one. */
  isServed(name: string, event: EventState | undefined): boolean {
    if (event !== undefined) return event.groups.length > 0;
    return this.wildcard.workers.size > 0 && !this.past.has(name);
  }

  /** Adds a worker to the group of its events. */
  join(worker: Worker): void {
    this.groupFor(worker.events, worker).add(worker);
  }

  /**
   * Removes a worker from its group. Returns the events that keep their state although no worker
   * announces or serves them any longer.
   */
  leave(worker: Worker): EventState[] {
    const { group } = worker;
    if (!(group instanceof Group)) return [];
    group.remove(worker);
    return this.closeEmpty(group);
  }

  /**
   * Changes the events, ranks or version of a worker. If it is the only worker of its group, events that it
   * keeps are not touched. Returns the same events as {@link leave}.
   */
  replace(
    worker: Worker,
    { events, ranks, release }: Pick<Worker, 'events' | 'ranks' | 'release'>,
  ): EventState[] {
    const { group } = worker;
    Object.assign(worker, { events, ranks, release });
    if (!(group instanceof Group)) {
      this.join(worker);
      return [];
    }
    const isAlone =
      group.workers.size === 1 && group.release === release && haveSameRanks(group.ranks, ranks);
    if (events !== undefined && group.names !== undefined && isAlone) {
      const names = new Set(events);
      const fingerprint = fingerprintOf(names);
      const known = this.groups.find(names, fingerprint, worker);
      if (known === group) return [];
      if (known === undefined) return this.change(group, group.names, names, fingerprint);
    }
    const next = this.groupFor(events, worker);
    if (next === group) return [];
    group.remove(worker);
    next.add(worker);
    return this.closeEmpty(group);
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

  private groupFor(events: Worker['events'], kind: Pick<Worker, 'ranks' | 'release'>): Group {
    if (events === undefined) return this.openWildcard();
    const names = new Set(events);
    const fingerprint = fingerprintOf(names);
    const known = this.groups.find(names, fingerprint, kind);
    if (known !== undefined) return known;
    const group = new Group(names, fingerprint, kind.ranks, kind.release);
    this.groups.add(group);
    for (const name of names) this.announce(name, group);
    return group;
  }

  /** Changes the events of a group with a single worker. */
  private change(
    group: Group,
    before: ReadonlySet<string>,
    names: ReadonlySet<string>,
    fingerprint: number,
  ): EventState[] {
    this.groups.remove(group);
    group.names = names;
    group.fingerprint = fingerprint;
    this.groups.add(group);
    const orphans: EventState[] = [];
    for (const name of before) if (!names.has(name)) this.withdraw(name, group, orphans);
    for (const name of names) if (!before.has(name)) this.announce(name, group);
    return orphans;
  }

  /** Adds a group to the groups that serve an event. */
  private announce(name: string, group: Group): void {
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

  /** Removes a group from the groups that serve an event. @param orphans receives the event if it was the last one. */
  private withdraw(name: string, group: Group, orphans: EventState[]): void {
    const event = this.events.get(name);
    if (event === undefined) return;
    event.unlinkFrom(group);
    if (event.groups.length > 0) return;
    this.past.add(name);
    if (!this.keepsOrphans && event.queue.length === 0) {
      this.events.delete(name);
      return;
    }
    event.unannounced = true;
    this.unannounced.add(event);
    orphans.push(event);
  }

  private openWildcard(): Group {
    const { wildcard } = this;
    if (wildcard.workers.size > 0) return wildcard;
    for (const event of this.unannounced) if (!this.past.has(event.name)) event.linkTo(wildcard);
    return wildcard;
  }

  private closeEmpty(group: Group): EventState[] {
    if (group.workers.size > 0) return [];
    if (group.names === undefined) return this.closeWildcard();
    this.groups.remove(group);
    const orphans: EventState[] = [];
    for (const name of group.names) this.withdraw(name, group, orphans);
    return orphans;
  }

  private closeWildcard(): EventState[] {
    const served = [...this.unannounced].filter((event) => event.groups.includes(this.wildcard));
    for (const event of served) event.unlinkFrom(this.wildcard);
    return served;
  }
}
