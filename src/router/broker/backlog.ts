/**
 * All requests that wait: bounded by number for each event and by bytes in all.
 *
 * Where there is no room, who uses more than the newcomer gives way: the client with the most waiting at the event, or
 * for bytes at the heaviest event. It loses the request that would be served last. So a flood on one event, or from one
 * client, fills its own share and not that of others. A client that is alone may fill everything.
 *
 * Replies that clients do not read count in the bound on bytes, up to half of it.
 */

import { UnreadReplies } from '../../core/messages/unread-replies.ts';
import { cannotFinish } from '../../core/time/lateness.ts';
import type { Breakers } from './breaker.ts';
import { type EventState, type EventTable, Group, type Link } from './event-table.ts';
import type { ClientQueue } from './fair-queue.ts';
import { detached, sizeOf } from './payload.ts';
import type { RouterRequest } from './request.ts';
import type { Worker } from './worker.ts';

export class Backlog {
  length = 0;
  bytes = 0;
  /** Replies that clients do not read. */
  readonly unread: UnreadReplies;
  /** An event that was the heaviest when it last grew. */
  private heaviest: EventState | undefined = undefined;
  /** The event that a request is being added to: it stays, even if pushing out empties it. */
  private filling: EventState | undefined = undefined;

  /**
   * @param pushOut settles a request that had to give way; it is out of its queue already.
   */
  constructor(
    private readonly routes: EventTable,
    private readonly queueLimit: number,
    private readonly queueBytes: number,
    private readonly pushOut: (pending: RouterRequest) => void,
  ) {
    this.unread = new UnreadReplies(queueBytes / 2);
  }

  /** Queues a request; false when there is no room. */
  add(event: EventState, pending: RouterRequest): boolean {
    pending.size = sizeOf(pending.message, pending.envelope);
    this.filling = event;
    const room =
      (event.queue.length < this.queueLimit || this.makePlace(event, pending)) &&
      (this.used + pending.size <= this.queueBytes || this.makeRoom(event, pending));
    this.filling = undefined;
    if (!room) return false;
    const { queue } = event;
    pending.message = detached(pending.message, event.name, queue.slab, queue.length);
    pending.owned = true;
    pending.pace = event.pace;
    pending.enter('queued');
    queue.push(pending);
    this.entered(event, pending);
    return true;
  }

  /** Queues a request that is `queued` but in no queue: it had left it before. In front, and whatever the bounds. */
  addFirst(event: EventState, pending: RouterRequest): void {
    if (pending.size === 0) pending.size = sizeOf(pending.message, pending.envelope);
    event.queue.unshift(pending);
    this.entered(event, pending);
  }

  /**
   * Takes the next request for a worker: events in turn, and at each event clients in turn. A hopeless request comes out
   * too, to be settled; it costs neither its event nor its client the turn.
   */
  takeFor(worker: Worker, breakers: Breakers | undefined, now: number): RouterRequest | undefined {
    const { group } = worker;
    if (!(group instanceof Group)) return undefined;
    let best: { readonly link: Link; readonly next: RouterRequest } | undefined;
    let after: Link | undefined;
    for (let link = group.backlog.first, looked = 0; link !== undefined && looked < SAMPLE; link = after) {
      const { event } = link;
      after = link.after;
      if (event.queue.length === 0) group.backlog.remove(link);
      else if (!this.routes.paused.has(event.name)) {
        const next = nextFor(worker, event, breakers, now);
        if (next === undefined) continue;
        if (cannotFinish(next, now)) {
          this.remove(next);
          return next;
        }
        if (isOutranked(next, event, group)) continue;
        if (!event.queue.yields(next)) return this.serveTurn(group, link, next);
        best ??= { link, next };
        looked++;
      }
    }
    return best && this.serveTurn(group, best.link, best.next);
  }

  /** Takes a request of an event whose turn it is; the event's next turn is after all others. */
  private serveTurn(group: Group, link: Link, next: RouterRequest): RouterRequest {
    group.backlog.remove(link);
    this.serve(link.event, next);
    if (link.event.queue.length > 0) group.backlog.push(link);
    return next;
  }

  /** Takes a request of an event that goes to a worker. */
  serve(event: EventState, pending: RouterRequest): void {
    event.queue.serve(pending);
    this.left(event, pending);
  }

  /** Whether anything waits that a worker serves. */
  holdsFor({ group }: Worker): boolean {
    if (!(group instanceof Group)) return false;
    for (let link = group.backlog.first; link !== undefined; link = link.after) {
      if (link.event.queue.length > 0) return true;
    }
    return false;
  }

  /** Takes any request of an event. */
  takeFrom(event: EventState): RouterRequest | undefined {
    const pending = event.queue.first;
    if (pending !== undefined) this.serve(event, pending);
    return pending;
  }

  /** Takes a request out, wherever it stands. */
  remove(pending: RouterRequest): void {
    const event = this.routes.events.get(pending.message.eventName);
    if (event === undefined || pending.lane === undefined) return;
    event.queue.remove(pending);
    this.left(event, pending);
  }

  /** What counts in the bound on bytes. */
  private get used(): number {
    return this.bytes + Math.min(this.unread.bytes, this.queueBytes / 2);
  }

  private entered(event: EventState, pending: RouterRequest): void {
    this.length++;
    this.bytes += pending.size;
    if (event.queue.length === 1) event.list();
    if (this.heaviest === undefined || event.queue.bytes > this.heaviest.queue.bytes) this.heaviest = event;
  }

  private left(event: EventState, pending: RouterRequest): void {
    this.length--;
    this.bytes -= pending.size;
    if (event.queue.length > 0) return;
    if (this.heaviest === event) this.heaviest = undefined;
    if (event.stray && event !== this.filling) this.routes.dropStray(event);
  }

  /** Pushes out one request of the event, of a client that has more there than this one. */
  private makePlace(event: EventState, pending: RouterRequest): boolean {
    const longest = event.queue.largestLane('length');
    const own = event.queue.laneOf(pending)?.length ?? 0;
    if (longest === undefined || longest.length <= own + 1) return false;
    this.pushOutOf(longest);
    return true;
  }

  /** Pushes out as many bytes as are missing, of an event or a client with more than this one would have. */
  private makeRoom(event: EventState, pending: RouterRequest): boolean {
    const missing = this.used + pending.size - this.queueBytes;
    const { heaviest } = this;
    const other = heaviest !== undefined && heaviest !== event ? heaviest : undefined;
    const surplus = other === undefined ? 0 : other.queue.bytes - event.queue.bytes - pending.size;
    const queue = other !== undefined && surplus >= missing ? other.queue : event.queue;
    if (queue === event.queue) {
      const lane = queue.largestLane('bytes');
      const own = queue.laneOf(pending)?.bytes ?? 0;
      if (lane === undefined || lane.bytes - own - pending.size < missing) return false;
    }
    while (this.used + pending.size > this.queueBytes) {
      const lane = queue.largestLane('bytes');
      if (lane === undefined) return false;
      this.pushOutOf(lane);
    }
    return true;
  }

  private pushOutOf(lane: ClientQueue): void {
    const victim = lane.leastUrgent;
    if (victim === undefined) return;
    this.remove(victim);
    this.pushOut(victim);
  }
}

/** Most events looked at to find one whose next request is not late. */
const SAMPLE = 32;

/** The request of an event that a worker may be given next: at a half-open breaker only one with time to succeed. */
function nextFor(
  worker: Worker,
  { name, queue }: EventState,
  breakers: Breakers | undefined,
  now: number,
): RouterRequest | undefined {
  if (breakers === undefined || !breakers.tripped(worker)) return queue.next(now);
  if (breakers.rests(worker, name, true)) return undefined;
  return breakers.rests(worker, name, false) ? queue.nextFresh(now) : queue.next(now);
}

/** Whether a request waits for workers of a higher rank, and there are some. */
function isOutranked({ least }: RouterRequest, event: EventState, group: Group): boolean {
  return least !== -Infinity && group.rankOf(event.name) < Math.min(least, event.topRank);
}
