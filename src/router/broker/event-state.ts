/** Events, and groups of workers that serve the same events. The `EventTable` changes both. */
import { type Linked, LinkedList } from '../../core/collections/linked-list.ts';
import { Pace } from '../../core/time/pace.ts';
import { FairQueue } from './fair-queue.ts';
import type { Release } from './releases.ts';
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

export const NO_GROUPS: readonly Group[] = [];

/** The queue of each event that never had a queued request. It stays empty. */
const NO_QUEUE = new FairQueue();

/**
 * An event that a worker serves, or that requests are queued for. One worker may announce 50,000
 * events, so the parts that only requests use are created with the first request.
 */
export class EventState {
  /** The queue to read from. Add requests to `openQueue()` only. */
  queue: FairQueue = NO_QUEUE;
  /** The groups that serve it, highest rank first. Each change replaces the list. */
  groups: readonly Group[] = NO_GROUPS;
  /** Whether no worker announces it. */
  unannounced = true;
  /** Whether its last worker left recently and requests still wait for another one. */
  inGrace = false;
  /** End of that grace period, in ms. */
  graceEnd = 0;
  /** Its entries in the backlogs of `groups`, in the same order; created with the first queued request. */
  private links: GroupEvent[] | undefined = undefined;
  private measuredPace: Pace | undefined = undefined;

  constructor(readonly name: string) {}

  /** Usual time that its requests spend at a worker. */
  get pace(): Pace {
    this.measuredPace ??= new Pace();
    return this.measuredPace;
  }

  /** The highest rank among the workers that serve it. */
  get topRank(): number {
    return this.groups[0]?.rankOf(this.name) ?? 0;
  }

  /** Returns the queue to add a request to. */
  openQueue(): FairQueue {
    if (this.queue === NO_QUEUE) this.queue = new FairQueue();
    return this.queue;
  }

  /** Adds it to the backlogs of its groups. */
  listInGroups(): void {
    this.links ??= this.groups.map((group) => new GroupEvent(this, group));
    for (const link of this.links) if (!link.group.backlog.has(link)) link.group.backlog.push(link);
  }

  linkTo(group: Group): void {
    const { groups, name } = this;
    let index = 0;
    if (groups.length === 0) this.groups = group.alone;
    else {
      const rank = group.rankOf(name);
      const lower = groups.findIndex((other) => other.rankOf(name) < rank);
      index = lower < 0 ? groups.length : lower;
      this.groups = [...groups.slice(0, index), group, ...groups.slice(index)];
    }
    this.links?.splice(index, 0, new GroupEvent(this, group));
    if (this.queue.length > 0) this.listInGroups();
  }

  unlinkFrom(group: Group): void {
    const { groups, links } = this;
    const index = groups.indexOf(group);
    if (index < 0) return;
    this.groups = groups.length === 1 ? NO_GROUPS : groups.filter((other) => other !== group);
    const [link] = links?.splice(index, 1) ?? [];
    if (link !== undefined) group.backlog.remove(link);
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
  /** Workers with handlers that wait on calls. */
  readonly lenders = new Set<Worker>();
  /** Events that have, or recently had, queued requests. */
  readonly backlog = new LinkedList<GroupEvent>();
  /** The list of groups of an event that only this group serves. */
  readonly alone: readonly Group[] = [this];

  /**
   * @param names its events; undefined for the wildcard group.
   * @param fingerprint fingerprint of its events.
   */
  constructor(
    public names: ReadonlySet<string> | undefined,
    public fingerprint = 0,
    readonly ranks: ReadonlyMap<string, number> | undefined = undefined,
    readonly release: Release | undefined = undefined,
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
    if (worker.lending !== undefined && worker.lending.lent > 0) this.lenders.add(worker);
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
    this.lenders.delete(worker);
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
