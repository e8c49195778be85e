/**
 * broker: where requests wait and are scheduled, without I/O. `broker.ts` takes requests and
 * replies, `scheduler.ts` decides what is dispatched next, and `settlement.ts` ends each request
 * once.
 *
 * All queued requests, bounded by number per event and by bytes in total.
 *
 * When there is no room, the broker evicts a request of a client or event that uses more than the
 * new request would: of the client with the most requests queued at the event or, for bytes, at the
 * heaviest event. It evicts the request that would be served last. A flood on one event or from one
 * client therefore fills only its own share. A client that is alone may use the whole queue.
 *
 * Replies that clients do not read count towards the bound on bytes, up to half of it.
 */

import { UnreadReplies } from '../../core/messages/unread-replies.ts';
import { cannotFinish, isFresh } from '../../core/time/lateness.ts';
import type { Breakers } from './breaker.ts';
import { type EventState, Group, type GroupEvent } from './event-state.ts';
import type { EventTable } from './event-table.ts';
import type { ClientQueue } from './fair-queue.ts';
import { detached, sizeOf } from './payload.ts';
import { isIdle } from './releases.ts';
import type { RouterRequest } from './request.ts';
import type { Worker } from './worker.ts';

export class Backlog {
  length = 0;
  bytes = 0;
  /** Number of queued calls. */
  calls = 0;
  /** Replies that clients do not read. */
  readonly unread: UnreadReplies;
  /** The event that was the heaviest when it last grew. */
  private heaviest: EventState | undefined = undefined;
  /** The event that a request is being added to; it is kept even if evictions empty it. */
  private filling: EventState | undefined = undefined;

  /** @param onEvicted settles an evicted request, which has left its queue already. */
  constructor(
    private readonly eventTable: EventTable,
    private readonly queueLimit: number,
    private readonly queueBytes: number,
    private readonly onEvicted: (request: RouterRequest) => void,
  ) {
    this.unread = new UnreadReplies(queueBytes / 2);
  }

  /** Queues a request. Returns false if there is no room. */
  add(event: EventState, request: RouterRequest): boolean {
    request.size = sizeOf(request.message, request.envelope);
    this.filling = event;
    const room =
      (event.queue.length < this.queueLimit || this.evictForCount(event, request)) &&
      (this.used + request.size <= this.queueBytes || this.evictForBytes(event, request));
    this.filling = undefined;
    if (!room) return false;
    const queue = event.openQueue();
    request.message = detached(request.message, event.name, queue.slab, queue.length);
    request.ownsPayload = true;
    request.pace = event.pace;
    request.transition('queued');
    queue.push(request);
    this.added(event, request);
    return true;
  }

  /**
   * Puts a request that was dispatched before at the front of its queue, whatever the bounds. Its
   * state is `queued` already.
   */
  addFirst(event: EventState, request: RouterRequest): void {
    if (request.size === 0) request.size = sizeOf(request.message, request.envelope);
    event.openQueue().unshift(request);
    this.added(event, request);
  }

  /**
   * Takes the next request for a worker: events in turn and, within each event, clients in turn. A
   * hopeless request is returned too, so that the caller settles it; it does not use up the turn of
   * its event or client.
   */
  takeFor(worker: Worker, breakers: Breakers | undefined, now: number): RouterRequest | undefined {
    const { group } = worker;
    if (!(group instanceof Group)) return undefined;
    let best: { readonly link: GroupEvent; readonly next: RouterRequest } | undefined;
    let after: GroupEvent | undefined;
    for (
      let link = group.backlog.first, looked = 0;
      link !== undefined && looked < MAX_INSPECTED;
      link = after
    ) {
      const { event } = link;
      after = link.after;
      if (event.queue.length === 0) group.backlog.remove(link);
      else if (!this.eventTable.paused.has(event.name)) {
        const next = nextFor(worker, event, breakers, now);
        if (next === undefined) continue;
        if (cannotFinish(next, now)) {
          this.remove(next);
          return next;
        }
        if (isOutranked(next, event, group) || isIdle(group, event.groups)) continue;
        if (!event.queue.isDeferred(next)) return this.serveTurn(group, link, next);
        best ??= { link, next };
        looked++;
      }
    }
    return best && this.serveTurn(group, best.link, best.next);
  }

  /** Takes the next call that a worker may be given in a slot that a handler lends. */
  takeCallFor(worker: Worker, breakers: Breakers | undefined, now: number): RouterRequest | undefined {
    const { group } = worker;
    if (this.calls === 0 || !(group instanceof Group)) return undefined;
    const mayTake = (depth: number): boolean => worker.mayTakeCall(depth);
    for (let link = group.backlog.first; link !== undefined; link = link.after) {
      const { event } = link;
      if (this.eventTable.paused.has(event.name)) continue;
      const next = event.queue.nextCall(mayTake, now);
      if (next === undefined || isOutranked(next, event, group)) continue;
      if (breakers?.mayBlock(worker) === true && breakers.blocks(worker, event.name, isFresh(next, now)))
        continue;
      this.serve(event, next);
      return next;
    }
    return undefined;
  }

  /**
   * Takes a request of the event whose turn it is. The event's next turn comes after those of all
   * others.
   */
  private serveTurn(group: Group, link: GroupEvent, next: RouterRequest): RouterRequest {
    group.backlog.remove(link);
    this.serve(link.event, next);
    if (link.event.queue.length > 0) group.backlog.push(link);
    return next;
  }

  /** Takes out a request that is about to be dispatched. */
  serve(event: EventState, request: RouterRequest): void {
    event.queue.serve(request);
    this.removed(event, request);
  }

  /** Whether requests are queued that the worker serves. */
  hasRequestsFor({ group }: Worker): boolean {
    if (!(group instanceof Group)) return false;
    for (let link = group.backlog.first; link !== undefined; link = link.after) {
      if (link.event.queue.length > 0) return true;
    }
    return false;
  }

  /** Takes any request of an event. */
  takeFrom(event: EventState): RouterRequest | undefined {
    const request = event.queue.first;
    if (request !== undefined) this.serve(event, request);
    return request;
  }

  /** Removes a request from its queue, whatever its position. */
  remove(request: RouterRequest): void {
    const event = this.eventTable.events.get(request.message.eventName);
    if (event === undefined || request.clientQueue === undefined) return;
    event.queue.remove(request);
    this.removed(event, request);
  }

  /** Bytes that count towards the bound. */
  private get used(): number {
    return this.bytes + Math.min(this.unread.bytes, this.queueBytes / 2);
  }

  private added(event: EventState, request: RouterRequest): void {
    this.length++;
    this.bytes += request.size;
    if (request.origin.depth !== undefined) this.calls++;
    if (event.queue.length === 1) event.listInGroups();
    if (this.heaviest === undefined || event.queue.bytes > this.heaviest.queue.bytes) this.heaviest = event;
  }

  private removed(event: EventState, request: RouterRequest): void {
    this.length--;
    this.bytes -= request.size;
    if (request.origin.depth !== undefined) this.calls--;
    if (event.queue.length > 0) return;
    if (this.heaviest === event) this.heaviest = undefined;
    if (event.unannounced && event !== this.filling) this.eventTable.dropUnannounced(event);
  }

  /** Evicts one request of the event, of a client that has more queued there than this one. */
  private evictForCount(event: EventState, request: RouterRequest): boolean {
    const longest = event.queue.largestClientQueue('length');
    const own = event.queue.clientQueueOf(request)?.length ?? 0;
    if (longest === undefined || longest.length <= own + 1) return false;
    this.evictFrom(longest);
    return true;
  }

  /**
   * Evicts as many bytes as are missing, of an event or a client that has more queued than this one
   * would have.
   */
  private evictForBytes(event: EventState, request: RouterRequest): boolean {
    const missing = this.used + request.size - this.queueBytes;
    const { heaviest } = this;
    const other = heaviest !== undefined && heaviest !== event ? heaviest : undefined;
    const surplus = other === undefined ? 0 : other.queue.bytes - event.queue.bytes - request.size;
    const queue = other !== undefined && surplus >= missing ? other.queue : event.queue;
    if (queue === event.queue) {
      const clientQueue = queue.largestClientQueue('bytes');
      const own = queue.clientQueueOf(request)?.bytes ?? 0;
      if (clientQueue === undefined || clientQueue.bytes - own - request.size < missing) return false;
    }
    while (this.used + request.size > this.queueBytes) {
      const clientQueue = queue.largestClientQueue('bytes');
      if (clientQueue === undefined) return false;
      this.evictFrom(clientQueue);
    }
    return true;
  }

  private evictFrom(clientQueue: ClientQueue): void {
    const victim = clientQueue.leastUrgent;
    if (victim === undefined) return;
    this.remove(victim);
    this.onEvicted(victim);
  }
}

/** Maximum number of events inspected to find one whose next request is not late. */
const MAX_INSPECTED = 32;

/**
 * The next request of an event for a worker. A half-open breaker admits only one with enough time
 * to succeed.
 */
function nextFor(
  worker: Worker,
  { name, queue }: EventState,
  breakers: Breakers | undefined,
  now: number,
): RouterRequest | undefined {
  if (breakers === undefined || !breakers.mayBlock(worker)) return queue.next(now);
  if (breakers.blocks(worker, name, true)) return undefined;
  return breakers.blocks(worker, name, false) ? queue.nextFresh(now) : queue.next(now);
}

/** Whether a request waits for workers of a higher rank, and there are some. */
function isOutranked({ minRank: least }: RouterRequest, event: EventState, group: Group): boolean {
  return least !== -Infinity && group.rankOf(event.name) < Math.min(least, event.topRank);
}
